import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { Interrupted } from '../../src/cli/io.ts';
import { canSeekHoles } from '../../src/node/holes.ts';
import { freeSpace } from '../../src/node/target.ts';
import { vconv, vconvIn } from '../helpers/cli.ts';
import { temporaryFolder } from '../helpers/programs.ts';
import { rawFile } from '../helpers/raw.ts';

const MiB = 1 << 20;

/** A folder with `disk.raw` in it, and names in that folder. */
const room = () => {
	const folder = temporaryFolder();
	const at = (name: string) => path.join(folder, name);
	rawFile(at('disk.raw'), 4 * MiB, [
		[0, 4096],
		[MiB, 65536],
	]);
	return { at, files: () => fs.readdirSync(folder).sort() };
};

test('a disk keeps its bytes through another format and back', async () => {
	const { at } = room();
	expect((await vconv(at('disk.raw'), at('disk.qcow2'))).code).toBe(0);
	expect((await vconv('convert', '-O', 'raw', at('disk.qcow2'), at('back.img'))).code).toBe(0);
	expect(fs.readFileSync(at('back.img')).equals(fs.readFileSync(at('disk.raw')))).toBe(true);
});

test('-o and -c reach the format', async () => {
	const { at } = room();
	expect((await vconv('-c', '-o', 'cluster_size=4k,compat=1.1', at('disk.raw'), at('disk.qcow2'))).code).toBe(0);
	expect((await vconv('info', at('disk.qcow2'))).stdout).toContain('cluster_size: 4096\n');
	expect((await vconv('map', '--json', at('disk.qcow2'))).stdout).toContain('"compressed":true');
});

test('-B writes only what differs', async () => {
	const { at } = room();
	await vconv(at('disk.raw'), at('base.qcow2'));
	fs.copyFileSync(at('disk.raw'), at('changed.raw'));
	const fd = fs.openSync(at('changed.raw'), 'r+');
	fs.writeSync(fd, 'changed', 2 * MiB);
	fs.closeSync(fd);
	expect((await vconv('-B', at('base.qcow2'), '-F', 'qcow2', at('changed.raw'), at('delta.qcow2'))).code).toBe(0);
	const map = JSON.parse((await vconv('map', '--json', at('delta.qcow2'))).stdout) as { start: number; depth: number; data: boolean }[];
	expect(map.filter(({ data, depth }) => data && depth === 0).map(({ start }) => start)).toEqual([2 * MiB]);
	expect((await vconv('compare', at('changed.raw'), at('delta.qcow2'))).code).toBe(0);
});

test('-S is refused where the format has its own unit', async () => {
	const { at } = room();
	const { code, stderr } = await vconv('-S', '0', at('disk.raw'), at('disk.qcow2'));
	expect(code).toBe(2);
	expect(stderr).toContain('-S is for raw disks');
	expect((await vconv('-S', '0', at('disk.raw'), at('dense.raw'))).code).toBe(0);
	expect(fs.statSync(at('dense.raw')).blocks * 512).toBeGreaterThanOrEqual(4 * MiB);
});

test.for([
	['missing.raw', 'out.raw', 5, 'there is no such file'],
	['.', 'out.raw', 3, 'it is a folder'],
	['disk.raw', 'nowhere/out.raw', 5, 'its folder does not exist'],
	['disk.raw', '.', 5, 'it is a folder'],
	['disk.raw', 'out', 2, 'does not say a format to write'],
	['disk.raw', 'there.raw', 5, 'it exists already'],
	['disk.raw', 'disk.raw', 5, 'it is a file that the conversion reads'],
	['noise.bin', 'out.xyz', 2, 'does not say a format to write'],
	['noise.xyz', 'out.raw', 3, 'no format that vconv knows'],
	['empty.xyz', 'out.raw', 3, 'it is empty'],
] as const)('%s to %s exits %i and leaves nothing', async ([input, output, exit, message]) => {
	const { at, files } = room();
	for (const name of ['there.raw', 'noise.bin', 'noise.xyz']) fs.writeFileSync(at(name), 'noise'.repeat(200));
	fs.writeFileSync(at('empty.xyz'), '');
	const before = files();
	const { code, stdout, stderr } = await vconv(at(input), at(output));
	expect(stderr).toContain(message);
	expect(stderr).toMatch(/^vconv: .*\n( {2}at .*\n)?( {2}try .*\n)?$/);
	expect({ code, stdout, files: files() }).toEqual({ code: exit, stdout: '', files: before });
});

test('--force replaces what exists, but never what is read', async () => {
	const { at } = room();
	fs.writeFileSync(at('there.raw'), 'old');
	expect((await vconv('--force', at('disk.raw'), at('there.raw'))).code).toBe(0);
	expect(fs.readFileSync(at('there.raw')).equals(fs.readFileSync(at('disk.raw')))).toBe(true);

	const before = fs.readFileSync(at('disk.raw'));
	fs.symlinkSync(at('disk.raw'), at('link.raw'));
	fs.linkSync(at('disk.raw'), at('hard.raw'));
	for (const name of ['disk.raw', 'link.raw', 'hard.raw']) {
		const { code, stderr } = await vconv('--force', at('disk.raw'), at(name));
		expect(code).toBe(5);
		expect(stderr).toContain('it is a file that the conversion reads');
	}
	expect(fs.readFileSync(at('disk.raw')).equals(before)).toBe(true);
});

test('--force does not replace the parent of what is read', async () => {
	const { at } = room();
	await vconv(at('disk.raw'), at('base.qcow2'));
	await vconv('-B', at('base.qcow2'), at('disk.raw'), at('delta.qcow2'));
	const before = fs.readFileSync(at('base.qcow2'));
	const { code, stderr } = await vconv('--force', at('delta.qcow2'), at('base.qcow2'));
	expect({ code, kept: fs.readFileSync(at('base.qcow2')).equals(before) }).toEqual({ code: 5, kept: true });
	expect(stderr).toContain(`at ${at('base.qcow2')}`);
});

test.skipIf(process.platform === 'win32')('a FIFO is neither read nor written', async () => {
	const { at } = room();
	execFileSync('mkfifo', [at('pipe.raw')]);
	expect((await vconv(at('pipe.raw'), at('out.raw'))).stderr).toMatch(/neither a file nor a block device\n.*\n.*or - for IN/);
	expect((await vconv('--force', at('disk.raw'), at('pipe.raw'))).stderr).toContain('it is no regular file');
});

// Without holes a sparse disk is full of data.
test.skipIf(!canSeekHoles())('a target that cannot fit is refused before anything is written', async () => {
	const { at, files } = room();
	const free = freeSpace(at('x')) ?? 0;
	rawFile(at('large.raw'), Math.ceil(free / MiB) * MiB + 1024 * MiB);
	const before = files();
	const { code, stderr } = await vconv('-S', '0', at('large.raw'), at('out.raw'));
	expect({ code, files: files() }).toEqual({ code: 5, files: before });
	expect(stderr).toMatch(/it takes up to .* and .* are free there\n {2}at .*out\.raw\n {2}try freeing .*--skip-space-check/);
	expect((await vconv(at('large.raw'), at('sparse.raw'))).code).toBe(0);
});

test('--untrusted opens no parent', async () => {
	const { at } = room();
	await vconv(at('disk.raw'), at('base.qcow2'));
	await vconv('-B', at('base.qcow2'), at('disk.raw'), at('delta.qcow2'));
	const { code, stderr } = await vconv('--untrusted', at('delta.qcow2'), at('out.raw'));
	expect(code).toBe(5);
	expect(stderr).toContain('--untrusted opens none');
});

test('--json gives one object', async () => {
	const { at } = room();
	const { code, stdout, stderr } = await vconv('--json', at('disk.raw'), at('out.raw'));
	expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
	expect(JSON.parse(stdout)).toMatchObject({ filename: at('out.raw'), format: 'raw', 'virtual-size': 4 * MiB });
});

test('an interruption leaves nothing and has its own exit code', async () => {
	const { at, files } = room();
	const controller = new AbortController();
	controller.abort(new Interrupted('SIGTERM'));
	const { code, stderr } = await vconvIn({ signal: controller.signal }, at('disk.raw'), at('out.raw'));
	expect({ code, stderr, files: files() }).toEqual({ code: 143, stderr: 'vconv: interrupted by SIGTERM\n', files: ['disk.raw'] });
	const asked = await vconvIn({ signal: controller.signal }, '--json=true', at('disk.raw'), at('out.raw'));
	expect(JSON.parse(asked.stderr)).toEqual({ error: { code: 'INTERRUPTED', message: 'interrupted by SIGTERM', exitCode: 143 } });
});

test('a person sees a bar and a summary, a script sees neither', async () => {
	const { at } = room();
	const watched = await vconvIn({ terminal: true }, at('disk.raw'), at('a.raw'));
	expect(watched.stderr).toMatch(/a\.raw is raw, 4 MiB virtual/);
	expect((await vconvIn({ terminal: true }, '-q', at('disk.raw'), at('b.raw'))).stderr).toBe('');
	expect((await vconv(at('disk.raw'), at('c.raw'))).stderr).toBe('');
});

test('--progress=json ends with the whole disk', async () => {
	const { at } = room();
	const { stderr } = await vconv('--progress=json', at('disk.raw'), at('out.raw'));
	const last = JSON.parse(stderr.trim().split('\n').at(-1) ?? '');
	expect(last.progress).toMatchObject({ stage: 'copy', done: 4 * MiB, total: 4 * MiB, eta: 0 });
});

test('a format that cannot be compressed is told of -c', async () => {
	const { at } = room();
	for (const format of ['raw', 'vdi', 'vhd', 'vhdx']) {
		const { code, stderr } = await vconv('-c', '-O', format, at('disk.raw'), at(format));
		expect(code).toBe(0);
		expect(stderr).toMatch(/^vconv: note: .*compression; a .* has none\n$/);
	}
	for (const format of ['qcow2', 'vmdk']) expect((await vconv('-c', '-O', format, at('disk.raw'), at(`c.${format}`))).stderr).toBe('');
});
