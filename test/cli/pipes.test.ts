import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { Interrupted } from '../../src/cli/io.ts';
import { vconv, vconvIn, vconvPiped } from '../helpers/cli.ts';
import { temporaryFolder } from '../helpers/programs.ts';
import { rawFile } from '../helpers/raw.ts';

const KiB = 2 ** 10;
const MiB = 2 ** 20;

const room = () => {
	const folder = temporaryFolder();
	const at = (name: string) => path.join(folder, name);
	rawFile(at('disk.raw'), 9 * MiB + 512, [
		[0, 4 * KiB],
		[MiB - 512, KiB],
		[3 * MiB, 700 * KiB],
		[9 * MiB, 512],
	]);
	return { folder, at, files: () => fs.readdirSync(folder).sort() };
};

test.for([
	['raw'],
	['raw', '-S', '0'],
	['vhd'],
	['vhd', '-o', 'subformat=fixed'],
	['vhdx'],
	['vhdx', '-o', 'subformat=fixed'],
	['vdi'],
	['vdi', '-o', 'static=on'],
	['qcow2'],
	['qcow2', '-o', 'cluster_size=4k,compat=0.10'],
	['qcow2', '-o', 'extended_l2=on'],
	['qcow2', '-o', 'preallocation=metadata'],
	['vmdk'],
	['vmdk', '-o', 'subformat=streamOptimized'],
])('through a pipe comes the disk that a file holds: -O %s', async ([format, ...options]) => {
	const { at, files } = room();
	const { code, stdout, stderr, image } = await vconvPiped({}, '-O', format as string, ...options, at('disk.raw'), '-');
	expect({ code, stdout, stderr, files: files() }).toEqual({ code: 0, stdout: '', stderr: '', files: ['disk.raw'] });
	fs.writeFileSync(at('piped'), image);
	expect(await vconv('compare', '-F', format as string, at('disk.raw'), at('piped'))).toMatchObject({ code: 0 });
	expect((await vconv('check', '-f', format as string, at('piped'))).code).toBe(format === 'raw' ? 63 : 0);
});

test('blocks that the map calls zeros are not in what comes through a pipe', async () => {
	const { at } = room();
	await vconv(at('disk.raw'), at('disk.qcow2'));
	const { image } = await vconvPiped({}, '-O', 'qcow2', at('disk.qcow2'), '-');
	expect(image.length).toBeLessThanOrEqual(fs.statSync(at('disk.qcow2')).size);
});

test('with a spool, what comes through a pipe is the file, byte for byte, and nothing is left of the spool', async () => {
	const { at, files, folder } = room();
	const { code, image } = await vconvPiped({}, '-c', '-O', 'qcow2', '--spool', folder, at('disk.raw'), '-');
	await vconv('-c', at('disk.raw'), at('file.qcow2'));
	expect(code).toBe(0);
	expect(image.equals(fs.readFileSync(at('file.qcow2')))).toBe(true);
	expect(files()).toEqual(['disk.raw', 'file.qcow2']);
});

test('a pipe into a pipe into a file', async () => {
	const { at, files, folder } = room();
	const first = await vconvPiped({}, '-O', 'vmdk', '-o', 'subformat=streamOptimized', at('disk.raw'), '-');
	const second = await vconvPiped({ stdin: first.image }, '-O', 'vhdx', '--spool', folder, '-', '-');
	const third = await vconvIn({ stdin: second.image }, '--spool', folder, '-', at('out.qcow2'));
	expect(third).toEqual({ code: 0, stdout: '', stderr: '' });
	expect((await vconv('compare', at('disk.raw'), at('out.qcow2'))).code).toBe(0);
	expect(files()).toEqual(['disk.raw', 'out.qcow2']);
});

test('a raw disk from a pipe must be called one', async () => {
	const { at, files, folder } = room();
	const stdin = fs.readFileSync(at('disk.raw'));
	const unknown = await vconvIn({ stdin }, '--spool', folder, '-', at('out.qcow2'));
	expect(unknown.code).toBe(3);
	expect(unknown.stderr).toContain('try -f raw if it is a raw disk');
	expect((await vconvIn({ stdin }, '-f', 'raw', '--spool', folder, '-', at('out.qcow2'))).code).toBe(0);
	expect((await vconv('compare', at('disk.raw'), at('out.qcow2'))).code).toBe(0);
	expect(files()).toEqual(['disk.raw', 'out.qcow2']);
});

test.for([['raw'], ['vhd'], ['vhdx'], ['qcow2'], ['qcow2', '-c'], ['vmdk', '-o', 'subformat=streamOptimized']])(
	'a raw disk of known size is read from a pipe as it comes: -O %s',
	async ([format, ...options]) => {
		const { at, folder } = room();
		const stdin = fs.readFileSync(at('disk.raw'));
		const argv = ['-f', 'raw', '--size', `${stdin.length}`, '-O', format as string, ...options, '-'];
		expect(await vconvIn({ stdin }, ...argv, at('out'))).toEqual({ code: 0, stdout: '', stderr: '' });
		expect((await vconv('compare', '-F', format as string, at('disk.raw'), at('out'))).code).toBe(0);
		if (options[0] === '-c') return;
		fs.writeFileSync(at('piped'), (await vconvPiped({ stdin }, ...argv, '-')).image);
		expect((await vconv('compare', '-F', format as string, at('disk.raw'), at('piped'))).code).toBe(0);
		expect(fs.readdirSync(folder)).toHaveLength(3);
	},
);

test('a raw disk becomes a raw image whatever its size, also through two pipes', async () => {
	const { at, files } = room();
	const stdin = fs.readFileSync(at('disk.raw'));
	const { code, image } = await vconvPiped({ stdin }, '-f', 'raw', '-O', 'raw', '-', '-');
	expect(code).toBe(0);
	expect(image.equals(stdin)).toBe(true);
	expect(await vconvIn({ stdin: image }, '-f', 'raw', '-o', 'align=1M', '-', at('out.raw'))).toMatchObject({ code: 0 });
	expect(fs.statSync(at('out.raw')).size).toBe(10 * MiB);
	expect(fs.readFileSync(at('out.raw')).subarray(0, stdin.length).equals(stdin)).toBe(true);
	expect(files()).toEqual(['disk.raw', 'out.raw']);
});

describe('a streamOptimized VMDK from a pipe', () => {
	const streamed = async (at: (name: string) => string) =>
		(await vconvPiped({}, '-O', 'vmdk', '-o', 'subformat=streamOptimized', at('disk.raw'), '-')).image;

	test.for([
		['raw'],
		['qcow2'],
		['qcow2', '-c'],
		['vhd'],
		['vhdx'],
		['vdi'],
		['vmdk', '-o', 'subformat=streamOptimized'],
		['vmdk', '-o', 'subformat=twoGbMaxExtentFlat'],
	])('becomes a file as it comes: -O %s', async ([format, ...options]) => {
		const { at, folder } = room();
		const stdin = await streamed(at);
		const cut = await vconvIn({ stdin: stdin.subarray(0, stdin.length - 512) }, '-O', format as string, ...options, '-', at('out'));
		expect(cut).toMatchObject({ code: 4, stderr: expect.stringContaining('truncated') });
		expect(fs.readdirSync(folder)).toEqual(['disk.raw']);
		expect(await vconvIn({ stdin }, '-O', format as string, ...options, '-', at('out'))).toEqual({ code: 0, stdout: '', stderr: '' });
		expect((await vconv('compare', '-F', format as string, at('disk.raw'), at('out'))).code).toBe(0);
	});

	test.for([
		['raw'],
		['vhd', '-o', 'subformat=fixed'],
		['vdi', '-o', 'static=on'],
		['vhdx', '-o', 'subformat=fixed'],
		['qcow2', '-o', 'preallocation=metadata'],
		['vmdk', '-o', 'subformat=streamOptimized'],
	])('goes on into another pipe: -O %s', async ([format, ...options]) => {
		const { at } = room();
		const { code, image, stderr } = await vconvPiped({ stdin: await streamed(at) }, '-O', format as string, ...options, '-', '-');
		expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
		fs.writeFileSync(at('piped'), image);
		expect((await vconv('compare', '-F', format as string, at('disk.raw'), at('piped'))).code).toBe(0);
	});

	test.for([['vhd'], ['vhdx'], ['vdi'], ['qcow2']])('needs a spool into a pipe where tables come first: -O %s', async ([format]) => {
		const { at } = room();
		const { code, image, stderr } = await vconvPiped({ stdin: await streamed(at) }, '-O', format as string, '-', '-');
		expect({ code, length: image.length }).toEqual({ code: 3, length: 0 });
		expect(stderr).toMatch(/come first.*--spool DIR/s);
	});
});

test('a pipe that holds less or more than was said is refused, and nothing appears', async () => {
	const { at, files } = room();
	const stdin = fs.readFileSync(at('disk.raw'));
	for (const [size, message] of [
		['10M', /ends at 0x900200/],
		['9M', /goes on after 9437184 bytes/],
	] as const) {
		const { code, stderr } = await vconvIn({ stdin }, '-f', 'raw', '--size', size, '-', at('out.qcow2'));
		expect(stderr).toMatch(message);
		expect({ code, files: files() }).toEqual({ code: 4, files: ['disk.raw'] });
	}
	expect((await vconv('-f', 'raw', '--size', '4M', at('fifo'), at('out.qcow2'))).stderr).toMatch(/try - for IN, and < .*fifo/);
	expect((await vconvIn({ stdin }, '--size', '9M', '-', at('out.qcow2'))).stderr).toContain('try -f raw');
});

test.for([
	[['-c', '-O', 'qcow2', 'IN', '-'], 3, /compressed QCOW2 image cannot be written front to back\n.*--spool DIR/s],
	[['-O', 'vmdk', '-o', 'subformat=monolithicFlat', 'IN', '-'], 3, /is 2 files, and a pipe takes one\n.*try the name of a file/s],
	[['--spool', 'DIR', '-O', 'vmdk', '-o', 'subformat=monolithicFlat', 'IN', '-'], 3, /is 2 files, and a pipe takes one/],
	[['IN', '-'], 2, /'-' does not say a format to write\n.*-O and one of/s],
	[['-', 'OUT.qcow2'], 3, /it is empty\n.*standard input/s],
	[['-f', 'qcow2', '-', 'OUT.qcow2'], 2, /a pipe only once\n.*--spool DIR/s],
	[['-f', 'raw', '-', 'OUT.qcow2'], 2, /shows its size only at its end.*--size.*--spool DIR/s],
	[['-f', 'raw', '-', 'OUT.raw'], 3, /it is empty/],
	[['-f', 'raw', '--spool', 'DIR', '-', 'OUT.raw'], 3, /it is empty/],
	[['--spool', 'NOWHERE', '-', 'OUT.qcow2'], 5, /cannot be used as a spool/],
] as const)('what a pipe cannot do is refused with what to do instead: %j', async ([argv, exit, message]) => {
	const { at, folder, files } = room();
	const names: Record<string, string> = {
		IN: at('disk.raw'),
		DIR: folder,
		'OUT.qcow2': at('out.qcow2'),
		'OUT.raw': at('out.raw'),
		NOWHERE: at('nowhere'),
	};
	const { code, stderr, image } = await vconvPiped({}, ...argv.map((word) => names[word] ?? word));
	expect({ code, length: image.length, files: files() }).toEqual({ code: exit, length: 0, files: ['disk.raw'] });
	expect(stderr).toMatch(message);
});

test('an image is not written to a terminal', async () => {
	const { at } = room();
	const { code, stderr } = await vconvIn({ terminal: true }, '-O', 'raw', at('disk.raw'), '-');
	expect(code).toBe(2);
	expect(stderr).toContain('not for a terminal');
});

test('the result in JSON does not mix with the image', async () => {
	const { at } = room();
	const { stdout, stderr, image } = await vconvPiped({}, '--json', '-O', 'raw', at('disk.raw'), '-');
	expect(stdout).toBe('');
	expect(stderr).toMatch(/^.*\n$/);
	expect(JSON.parse(stderr)).toMatchObject({ filename: '-', format: 'raw' });
	expect(image.length).toBe(9 * MiB + 512);
});

test('an interruption leaves no spool', async () => {
	const { at, folder, files } = room();
	const controller = new AbortController();
	controller.abort(new Interrupted('SIGINT'));
	const { code } = await vconvIn({ signal: controller.signal, stdin: new Uint8Array(MiB) }, '--spool', folder, '-', at('out.raw'));
	expect({ code, files: files() }).toEqual({ code: 130, files: ['disk.raw'] });
});
