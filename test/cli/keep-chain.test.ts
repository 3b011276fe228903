import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { vconv } from '../helpers/cli.ts';
import { temporaryFolder } from '../helpers/programs.ts';
import { rawFile } from '../helpers/raw.ts';

const KiB = 2 ** 10;
const MiB = 2 ** 20;

/** `base`, `middle` and `top` in one format, each over the one before, and a raw disk of what each of them shows. */
const chain = async (extension = 'qcow2') => {
	const folder = temporaryFolder();
	const at = (name: string) => path.join(folder, name);
	const size = 8 * MiB;
	rawFile(at('base.raw'), size, [[MiB, 3 * MiB]]);
	rawFile(at('middle.raw'), size, [
		[MiB, 64 * KiB],
		[3 * MiB, MiB],
		[6 * MiB + 512, 100 * KiB],
	]);
	rawFile(at('top.raw'), size, [
		[0, 512],
		[3 * MiB, MiB],
		[6 * MiB + 512, 512],
	]);
	let backing: string[] = [];
	for (const name of ['base', 'middle', 'top']) {
		const image = at(`${name}.${extension}`);
		const { code, stderr } = await vconv(...backing, at(`${name}.raw`), image);
		expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
		backing = ['-B', path.relative('.', image)];
	}
	return { folder, at };
};

const same = async (a: string, b: string): Promise<void> => expect((await vconv('compare', a, b)).stdout).toBe('Images are identical.\n');

test.for([
	['qcow2', 'vmdk'],
	['qcow2', 'vhd'],
	['qcow2', 'vhdx'],
	['qcow2', 'vdi'],
	['vmdk', 'qcow2'],
	['vhd', 'qcow2'],
	['vhdx', 'qcow2'],
	['vdi', 'vmdk'],
	['vmdk', 'vmdk'],
] as const)('a chain of %s becomes a chain of %s, and every image of it shows the same disk', async ([from, to]) => {
	const { at } = await chain(from);
	fs.mkdirSync(at('kept'));
	const { code, stdout, stderr } = await vconv('--json', '--keep-chain', at(`top.${from}`), at(`kept/last.${to}`));
	expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
	const made = JSON.parse(stdout);
	expect(made).toMatchObject({ filename: at(`kept/last.${to}`), 'backing-chain': [{ filename: at(`kept/middle.${to}`) }, {}] });
	expect(fs.readdirSync(at('kept')).sort()).toEqual([`base.${to}`, `last.${to}`, `middle.${to}`]);
	await same(at('top.raw'), at(`kept/last.${to}`));
	await same(at('middle.raw'), at(`kept/middle.${to}`));
	await same(at('base.raw'), at(`kept/base.${to}`));
	const infos = JSON.parse((await vconv('info', '--json', '--backing-chain', at(`kept/last.${to}`))).stdout) as { filename: string }[];
	expect(infos.map(({ filename }) => path.basename(filename))).toEqual([`last.${to}`, `middle.${to}`, `base.${to}`]);
	// What did not change is not in the delta.
	expect(made['backing-chain'][0]['data-size']).toBeLessThan(2.5 * MiB);
});

test('there and back again', async () => {
	const { at } = await chain('qcow2');
	fs.mkdirSync(at('vmdk'));
	fs.mkdirSync(at('back'));
	await vconv('--keep-chain', at('top.qcow2'), at('vmdk/top.vmdk'));
	expect((await vconv('--keep-chain', at('vmdk/top.vmdk'), at('back/top.qcow2'))).code).toBe(0);
	for (const name of ['base', 'middle', 'top']) await same(at(`${name}.raw`), at(`back/${name}.qcow2`));
});

test('a chain may stay in its folder, for its names have another extension then', async () => {
	const { at } = await chain('qcow2');
	expect(await vconv('--keep-chain', at('top.qcow2'), at('top.vhdx'))).toEqual({ code: 0, stdout: '', stderr: '' });
	await same(at('middle.raw'), at('middle.vhdx'));
});

test('an image without a parent is a chain of one', async () => {
	const { at } = await chain('qcow2');
	expect((await vconv('--keep-chain', at('base.qcow2'), at('base.vhd'))).code).toBe(0);
	await same(at('base.raw'), at('base.vhd'));
});

test.for([
	['the parents would have names that are taken', ['top.qcow2', 'other.raw'], /it exists already\n {2}at .*\.raw\n/, 5],
	['OUT has the name of a parent', ['top.qcow2', 'middle.vmdk'], /two images of the chain would be called middle\.vmdk/, 2],
	['a parent would replace one that is read', ['--force', 'top.qcow2', 'other.qcow2'], /it is a file that the conversion reads/, 5],
	['the format has no deltas', ['-O', 'raw', 'top.qcow2', 'new/top.img'], /a raw disk cannot be a delta/, 3],
	[
		'the options fit no delta',
		['-o', 'subformat=streamOptimized', 'top.qcow2', 'new/top.vmdk'],
		/over a parent cannot be streamOptimized/,
		2,
	],
	['OUT is a pipe', ['-O', 'vmdk', 'top.qcow2', '-'], /a chain is several files/, 2],
] as const)('nothing is written where %s', async ([, argv, message, exit]) => {
	const { at, folder } = await chain('qcow2');
	fs.mkdirSync(at('new'));
	const before = fs.readdirSync(folder, { recursive: true });
	const words = argv.map((word) => (/\.|\//.test(word) ? at(word) : word));
	const { code, stderr } = await vconv('--keep-chain', ...words);
	expect(stderr).toMatch(message);
	expect({ code, files: fs.readdirSync(folder, { recursive: true }) }).toEqual({ code: exit, files: before });
});

test('the images before are taken back where a later one fails', async () => {
	const { at } = await chain('qcow2');
	fs.mkdirSync(at('new'));
	const bytes = fs.readFileSync(at('top.qcow2'));
	// The L2 entry of its first data points past the end of the file: that shows when it is read.
	const l1 = Number(bytes.readBigUInt64BE(40));
	const l2 = Number(bytes.readBigUInt64BE(l1) & 0x00fffffffffffe00n);
	bytes.writeBigUInt64BE((1n << 63n) | 0x7f0000000000n, l2);
	fs.writeFileSync(at('top.qcow2'), bytes);
	const { code, stderr } = await vconv('--keep-chain', at('top.qcow2'), at('new/top.vmdk'));
	expect(code, stderr).toBe(4);
	expect(fs.readdirSync(at('new'))).toEqual([]);
});

test('a grown disk is kept by the formats that can, and refused by the others before anything is written', async () => {
	const { at, folder } = await chain('qcow2');
	rawFile(at('grown.raw'), 9 * MiB, [[8 * MiB + 512, 4096]]);
	await vconv('-B', at('base.qcow2'), at('grown.raw'), at('grown.qcow2'));
	fs.mkdirSync(at('new'));
	const before = fs.readdirSync(folder, { recursive: true });
	const refused = await vconv('--keep-chain', at('grown.qcow2'), at('new/grown.vmdk'));
	expect(refused.stderr).toContain('a VMDK has the size of its parent');
	expect({ code: refused.code, files: fs.readdirSync(folder, { recursive: true }) }).toEqual({ code: 3, files: before });
	expect((await vconv('--keep-chain', at('grown.qcow2'), at('new/grown.qcow2'))).code).toBe(0);
	await same(at('grown.raw'), at('new/grown.qcow2'));
});

test('--layer takes what an image holds itself, and says what it leaves out', async () => {
	const { at } = await chain('qcow2');
	const { code, stderr } = await vconv('--layer', at('top.qcow2'), at('layer.raw'));
	expect(code).toBe(0);
	expect(stderr).toMatch(/note: .*top\.qcow2: the parent, .*middle\.qcow2; what this layer does not hold itself is zeros/);
	const layer = fs.readFileSync(at('layer.raw'));
	expect(layer.subarray(0, 512).equals(fs.readFileSync(at('top.raw')).subarray(0, 512))).toBe(true);
	expect(layer.subarray(3 * MiB, 4 * MiB).every((byte) => byte === 0)).toBe(true);
	expect((await vconv('--layer', '--keep-chain', at('top.qcow2'), at('layer.vmdk'))).code).toBe(2);
});
