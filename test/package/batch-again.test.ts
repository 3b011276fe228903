import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { ended, startVconv } from '../helpers/batch.ts';
import { temporaryFolder } from '../helpers/programs.ts';
import { rawFile } from '../helpers/raw.ts';

const MiB = 1 << 20;

/** A folder with these raw images in it. */
const folderWith = (...names: string[]) => {
	const folder = temporaryFolder();
	for (const name of names) rawFile(path.join(folder, name), 2 * MiB, [[0, MiB]]);
	const batch = (...argv: string[]) => ended(startVconv(folder, 'batch', ...argv));
	return { file: (name: string) => path.join(folder, name), batch };
};

test.each([['.'], ['*.*']])(
	'what it has written beside its sources is no source for the next run: %s',
	async (operand) => {
		const { file, batch } = folderWith('a.raw', 'b.raw');
		const words = [operand, '--to', '{name}.qcow2'];
		expect(await batch(...words)).toMatchObject({ code: 0, stderr: expect.stringContaining('2 done') });
		const written = fs.statSync(file('a.qcow2'));
		rawFile(file('c.raw'), 2 * MiB, [[0, MiB]]);
		for (const more of [['--dry-run'], []]) {
			const { code, stderr } = await batch(...words, ...more);
			expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('passed over: a.qcow2, b.qcow2') });
		}
		expect(fs.readdirSync(file('.')).sort()).toEqual(['a.qcow2', 'a.raw', 'b.qcow2', 'b.raw', 'c.qcow2', 'c.raw', 'vconv.batch']);
		expect(fs.statSync(file('a.qcow2')).mtimeMs).toBe(written.mtimeMs);
		// One that somebody has put in its place is not the batch's.
		fs.copyFileSync(file('c.qcow2'), file('other'));
		fs.renameSync(file('other'), file('a.qcow2'));
		expect(await batch(...words)).toMatchObject({ code: 2 });
	},
	60_000,
);

test('what failed for want of the surroundings is tried again, and what the source is to blame for is not', async () => {
	const { file, batch } = folderWith('a.raw');
	fs.writeFileSync(file('broken.qcow2'), Buffer.concat([Buffer.from('QFI\xfb\0\0\0\x09', 'latin1'), Buffer.alloc(600)]));
	fs.mkdirSync(file('out'));
	fs.writeFileSync(file('out/a.vmdk'), "somebody's");
	const words = ['a.raw', 'broken.qcow2', '--to', 'out/{name}.vmdk'];
	expect(await batch(...words)).toMatchObject({ code: 8, stderr: expect.stringContaining('2 failed') });
	fs.rmSync(file('out/a.vmdk'));
	const { code, stderr } = await batch(...words);
	expect({ code, stderr }).toEqual({ code: 8, stderr: expect.stringContaining('1 done, 1 failed') });
	expect(stderr).toContain('1 failed before and was not tried again: --retry-failed tries');
}, 60_000);

test('a dry run fails where there is no room for what is written, as the run would', async () => {
	const { file, batch } = folderWith('a.raw');
	fs.truncateSync(file('a.raw'), 2 ** 43);
	const { code, stdout } = await batch('a.raw', '--to', 'a.out.raw', '-O', 'raw', '-o', 'preallocation=full', '--dry-run');
	expect({ code, stdout }).toEqual({ code: 8, stdout: expect.stringContaining('NOT ENOUGH') });
});

test.skipIf(process.getuid?.() === 0)('a dry run fails where a folder may not be written to', async () => {
	const { file, batch } = folderWith('a.raw');
	fs.mkdirSync(file('closed'), { mode: 0o500 });
	const { code, stdout } = await batch('a.raw', '--to', 'closed/a.qcow2', '--dry-run');
	expect({ code, stdout }).toEqual({ code: 8, stdout: expect.stringContaining('cannot be written to') });
	expect(await batch('a.raw', '--to', 'a.qcow2', '--state', 'closed/state', '--dry-run')).toMatchObject({ code: 5 });
});
