import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { diskFormats } from '../../formats/index.ts';
import { openChain } from '../../src/convert/open.ts';
import { openFile } from '../../src/node/file.ts';
import { gate } from '../../src/node/gate.ts';
import { canSeekHoles } from '../../src/node/holes.ts';
import { vconv, vconvIn } from '../helpers/cli.ts';
import { temporaryFolder } from '../helpers/programs.ts';
import { rawFile } from '../helpers/raw.ts';

const MiB = 1 << 20;

/** The pattern at 2 MiB holds 0x200000, the low byte first: its first byte that is not zero is the third. */
const FIRST_BYTE = 2 * MiB + 2;

/** `base.raw`, `base.qcow2` of it, and `delta.qcow2` over that with another 4 KiB at 2 MiB. */
const chain = async () => {
	const folder = temporaryFolder();
	const at = (name: string) => path.join(folder, name);
	rawFile(at('base.raw'), 4 * MiB, [[MiB, 65536]]);
	rawFile(at('changed.raw'), 4 * MiB, [
		[MiB, 65536],
		[2 * MiB, 4096],
	]);
	await vconv(at('base.raw'), at('base.qcow2'));
	await vconv('-B', at('base.qcow2'), at('changed.raw'), at('delta.qcow2'));
	return { folder, at };
};

test('info tells of one image, and names its parent without opening it', async () => {
	const { at } = await chain();
	fs.rmSync(at('base.qcow2'));
	const { code, stdout } = await vconv('info', '--json', at('delta.qcow2'));
	expect(code).toBe(0);
	expect(JSON.parse(stdout)).toMatchObject({
		filename: at('delta.qcow2'),
		format: 'qcow2',
		'virtual-size': 4 * MiB,
		'cluster-size': 65536,
		'dirty-flag': false,
		'backing-filename': at('base.qcow2'),
		'backing-filename-format': 'qcow2',
		'full-backing-filename': at('base.qcow2'),
		'format-specific': { type: 'qcow2' },
	});
	expect((await vconv('info', '--backing-chain', at('delta.qcow2'))).code).toBe(5);
});

test('info --backing-chain tells of the parents too', async () => {
	const { at } = await chain();
	const { stdout } = await vconv('info', '--backing-chain', '--output=json', at('delta.qcow2'));
	const infos = JSON.parse(stdout) as { filename: string }[];
	expect(infos.map(({ filename }) => path.basename(filename))).toEqual(['delta.qcow2', 'base.qcow2']);
	const text = (await vconv('info', '--backing-chain', at('delta.qcow2'))).stdout;
	expect(text.match(/^image: /gm)).toHaveLength(2);
	expect(text).toContain('Format specific information:\n    compat: 1.1\n');
});

test('what an image says of itself cannot steer a terminal', async () => {
	const { at } = await chain();
	const image = fs.readFileSync(at('delta.qcow2'));
	const name = Buffer.from(at('base.qcow2'));
	const found = image.indexOf(name);
	image.set(Buffer.from('\u001b]0;owned\u0007\n\u202e'), found);
	fs.writeFileSync(at('delta.qcow2'), image);
	for (const argv of [['info'], ['info', '--json'], ['map'], ['map', '--json']]) {
		const { stdout, stderr } = await vconv(...argv, at('delta.qcow2'));
		expect((stdout + stderr).replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u);
		expect(stdout + stderr).toMatch(/owned/);
	}
});

test('map tells where each range is, over the chain', async () => {
	const { at } = await chain();
	const { stdout } = await vconv('map', '--output=json', at('delta.qcow2'));
	const entries = JSON.parse(stdout) as Record<string, unknown>[];
	expect(entries.map(({ start, length, depth, present, zero, data }) => [start, length, depth, present, zero, data])).toEqual([
		[0, MiB, 1, false, true, false],
		[MiB, 65536, 1, true, false, true],
		[MiB + 65536, MiB - 65536, 1, false, true, false],
		[2 * MiB, 65536, 0, true, false, true],
		[2 * MiB + 65536, 2 * MiB - 65536, 1, false, true, false],
	]);
	const table = (await vconv('map', at('delta.qcow2'))).stdout.trim().split('\n');
	expect(table[0]).toMatch(/^Offset +Length +Mapped to +File$/);
	expect(table[1]).toMatch(/^0x100000 +0x10000 +0x\w+ +.*base\.qcow2$/);
	expect(table).toHaveLength(3);
});

test('the map of an empty disk is empty JSON', async () => {
	const { at } = await chain();
	expect((await vconv('map', '--json', rawFile(at('nothing.raw'), 0))).stdout).toBe('[]\n');
});

test('compare says where two disks differ first', async () => {
	const { at } = await chain();
	expect(await vconv('compare', at('changed.raw'), at('delta.qcow2'))).toEqual({ code: 0, stdout: 'Images are identical.\n', stderr: '' });
	expect(await vconv('compare', at('base.raw'), at('delta.qcow2'))).toEqual({
		code: 1,
		stdout: `Content mismatch at offset ${FIRST_BYTE}!\n`,
		stderr: '',
	});
	expect(JSON.parse((await vconv('compare', '--json', at('base.raw'), at('delta.qcow2'))).stdout)).toEqual({
		identical: false,
		'size-mismatch': false,
		difference: 'content',
		offset: FIRST_BYTE,
	});
});

test('compare forgives zeros at the end, unless it is strict', async () => {
	const { at } = await chain();
	fs.copyFileSync(at('base.raw'), at('longer.raw'));
	fs.truncateSync(at('longer.raw'), 8 * MiB);
	const pair = [at('base.raw'), at('longer.raw')];
	expect(await vconv('compare', ...pair)).toEqual({
		code: 0,
		stdout: 'Warning: Image size mismatch!\nImages are identical.\n',
		stderr: '',
	});
	expect(await vconv('compare', '-s', ...pair)).toEqual({ code: 1, stdout: 'Strict mode: Image size mismatch!\n', stderr: '' });
	expect((await vconv('compare', '-q', ...pair)).stdout).toBe('');
});

test('compare exits 2 for an image that it cannot open, 3 for tables and 4 for data that it cannot read', async () => {
	const { at } = await chain();
	expect((await vconv('compare', at('base.raw'), at('missing.raw'))).code).toBe(2);

	await vconv('-c', at('base.raw'), at('packed.qcow2'));
	const image = fs.readFileSync(at('packed.qcow2'));
	const [layer] = await openChain(await openFile(at('packed.qcow2')), { formats: diskFormats, gate: gate() });
	for await (const extent of layer?.disk.extents(0, 4 * MiB) ?? []) {
		if (extent.kind === 'packed') fs.writeFileSync(at('packed.qcow2'), Buffer.from(image).fill(0xff, extent.at, extent.at + 16));
	}
	await layer?.disk.close();
	expect((await vconv('compare', at('base.raw'), at('packed.qcow2'))).code).toBe(4);

	const l1Table = Number(image.readBigUint64BE(40));
	image.writeBigUint64BE(0x7fff0000n, l1Table);
	fs.writeFileSync(at('torn.qcow2'), image);
	expect((await vconv('compare', at('base.raw'), at('torn.qcow2'))).code).toBe(3);
});

test("check has qemu-img's exit codes, and never repairs", async () => {
	const { at } = await chain();
	expect((await vconv('check', at('base.raw'))).code).toBe(63);
	expect((await vconv('check', at('missing.raw'))).code).toBe(1);
	expect((await vconv('check', '-r', 'all', at('base.qcow2'))).stderr).toContain('an image is never changed');
});

test('check says how much it does not list, and counts it', async () => {
	const { at } = await chain();
	rawFile(at('many.raw'), 1100 * 512, [[0, 1100 * 512]]);
	await vconv('-o', 'cluster_size=512', at('many.raw'), at('many.qcow2'));
	const image = fs.readFileSync(at('many.qcow2'));
	image.fill(0, Number(image.readBigUint64BE(48)), Number(image.readBigUint64BE(48)) + 512); // the refcount table
	fs.writeFileSync(at('many.qcow2'), image);
	const { code, stdout } = await vconv('check', '--json', at('many.qcow2'));
	const { corruptions, findings, 'more-findings': more } = JSON.parse(stdout);
	expect([code, findings.length]).toEqual([2, 1000]);
	expect(findings.reduce((sum: number, { count = 1 }) => sum + count, 0)).toBeLessThan(corruptions);
	expect((await vconv('check', at('many.qcow2'))).stdout).toContain(
		`\n${more} more findings are not listed.\n\n${corruptions} errors were`,
	);
});

// Without holes a sparse disk is full of data.
test.skipIf(!canSeekHoles())('measure is how long a conversion then becomes', async () => {
	const { at } = await chain();
	await vconv(at('base.raw'), at('base.qcow2'));
	const { stdout } = await vconv('measure', '--json', '-O', 'qcow2', at('base.raw'));
	expect(JSON.parse(stdout)).toEqual({ required: fs.statSync(at('base.qcow2')).size, 'fully-allocated': 4 * MiB + 5 * 65536 });
	expect((await vconv('measure', '--size', '1G')).stdout).toBe(`required size: ${1024 * MiB}\nfully allocated size: ${1024 * MiB}\n`);
	expect((await vconv('measure', '--size', '16T', '-O', 'vmdk')).stdout).toContain('fully allocated size: none: ');
	expect(JSON.parse((await vconv('measure', '--json', '--size', '1M', '-c', '-O', 'qcow2')).stdout)).toMatchObject({ 'at-most': true });
	expect((await vconv('measure', '--size', 'much')).code).toBe(2);
	const both = await vconv('measure', '--size', '1G', 'other.vmdk');
	expect(both).toMatchObject({ code: 2, stderr: expect.stringContaining('other.vmdk is given too') });
	expect(await vconv('measure', '--size', '65T')).toMatchObject({ code: 3, stderr: expect.stringContaining('--limit virtual-size') });
	expect(await vconv('measure', '--size', '65T', '--limit', 'virtual-size=65T')).toMatchObject({ code: 0 });
});

test.for([
	['changed.raw', 'changed.raw'],
	['base.raw', 'base.raw'],
	['changed.raw', 'base.qcow2'],
] as const)('compare says nothing of %s and a delta while %s is written to', async ([compared, written]) => {
	const { at } = await chain();
	let time = 0;
	// Asked before each read.
	const throwIfAborted = () => fs.utimesSync(at(written), 0, time++);
	const signal = Object.assign(new AbortController().signal, { throwIfAborted });
	const ran = await vconvIn({ signal }, 'compare', at(compared), at('delta.qcow2'));
	expect(ran).toMatchObject({ code: 4, stdout: '' });
	expect(ran.stderr).toContain(`it was written to while it was read\n  at ${at(written)}`);
});

test("an error in JSON has the command's own exit code", async () => {
	const folder = temporaryFolder();
	const at = (name: string) => path.join(folder, name);
	rawFile(at('base.raw'), MiB);
	for (const argv of [
		['check', at('none')],
		['check', '-r', 'all', at('base.raw')],
		['compare', at('base.raw'), at('none')],
		['info', at('none')],
	]) {
		const { code, stderr } = await vconv('--json', ...argv);
		expect(JSON.parse(stderr).error.exitCode).toBe(code);
	}
});
