import path from 'node:path';
import { expect, test } from 'vitest';
import { vconv } from '../helpers/cli.ts';
import { temporaryFolder } from '../helpers/programs.ts';
import { rawFile } from '../helpers/raw.ts';

test('sectors of 4096 bytes are kept, dropped with a note, or shown as asked for', async () => {
	const folder = temporaryFolder();
	const at = (name: string) => path.join(folder, name);
	rawFile(at('disk.raw'), 1 << 20, [[0, 4096]]);
	expect((await vconv('--sector-size', '4096', at('disk.raw'), at('disk.vhdx'))).stderr).toBe('');
	expect((await vconv(at('disk.vhdx'), at('note.raw'))).stderr.match(/4096 bytes/g)).toHaveLength(1);
	expect(await vconv(at('disk.vhdx'), at('no.qcow2'))).toMatchObject({ code: 3, stderr: expect.stringContaining('--sector-size 512') });
	expect(await vconv('--sector-size', '512', at('disk.vhdx'), at('asked.qcow2'))).toMatchObject({ code: 0, stderr: '' });
	expect((await vconv('compare', at('disk.raw'), at('asked.qcow2'))).code).toBe(0);
});

test('measure refuses what a conversion would, in the same words', async () => {
	const folder = temporaryFolder();
	const at = (name: string) => path.join(folder, name);
	rawFile(at('disk.raw'), 1 << 20, [[0, 4096]]);
	await vconv('--sector-size', '4096', at('disk.raw'), at('disk.vhdx'));
	const refused = await vconv('measure', '-O', 'qcow2', at('disk.vhdx'));
	expect(refused).toMatchObject({ code: 3, stderr: (await vconv(at('disk.vhdx'), at('no.qcow2'))).stderr });
	expect((await vconv('measure', '-O', 'qcow2', '--sector-size', '512', at('disk.vhdx'))).code).toBe(0);
	expect((await vconv('measure', '-O', 'vhdx', at('disk.vhdx'))).code).toBe(0);
	expect((await vconv('measure', '-O', 'raw', '--sector-size', '1024', at('disk.vhdx'))).stderr).toContain('one of 512, 4096');
});
