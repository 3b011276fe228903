import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkVhdx } from '../../../formats/vhdx/check.ts';
import { vhdx } from '../../../formats/vhdx/index.ts';
import { overlay } from '../../../src/disk/overlay.ts';
import { memorySource } from '../../../src/io/memory.ts';
import { firstDifference, writeImage } from '../../helpers/image.ts';
import { patternDisk, type Runs } from '../../helpers/pattern.ts';
import { context, DATA_AT, deltaDisk, MiB, openVhdx, vhdxBytes } from './images.ts';

const SECTOR = 512;

/** Ascending runs of whole sectors within so many sectors. */
const runs = (sectors: number, most: number): fc.Arbitrary<Runs> =>
	fc.uniqueArray(fc.integer({ min: 0, max: sectors }), { maxLength: most * 2 }).map((edges) => {
		const sorted = edges.toSorted((a, b) => a - b);
		return Array.from({ length: sorted.length >> 1 }, (_, i): readonly [number, number] => {
			const [from, to] = [sorted[2 * i] ?? 0, sorted[2 * i + 1] ?? 0];
			return [from * SECTOR, (to - from) * SECTOR];
		});
	});

const findings = async (bytes: Uint8Array) => (await checkVhdx(memorySource(bytes), context)).findings;

test('whatever is written is read back, and its check is clean', async () => {
	const options = fc.record({
		subformat: fc.constantFrom('dynamic', 'fixed'),
		block_size: fc.constantFrom('auto', '1M', '2M', '8M'),
		block_state_zero: fc.constantFrom('on', 'off'),
		log_size: fc.constantFrom('1M', '3M'),
	});
	const layout = fc.integer({ min: 1, max: 20_000 }).chain((sectors) => fc.tuple(fc.constant(sectors), runs(sectors, 5)));
	await fc.assert(
		fc.asyncProperty(layout, options, async ([sectors, data], options) => {
			const disk = patternDisk({ size: sectors * SECTOR, data });
			const bytes = await vhdxBytes(disk, { options });
			expect(bytes.length % MiB).toBe(0);
			expect(await findings(bytes)).toEqual([]);
			expect(await firstDifference(disk, await openVhdx({ 'disk.vhdx': bytes }))).toBeUndefined();
		}),
		{ numRuns: 40 },
	);
});

test('a delta holds what differs, sector by sector, zeros too', async () => {
	const size = 5 * MiB;
	const base = patternDisk({ size, data: [[0, size]] });
	const baseBytes = await vhdxBytes(base, { name: 'disk.vhdx' });
	const id = (await openVhdx({ 'disk.vhdx': baseBytes })).id ?? '';
	const backing = { name: 'base.vhdx', format: 'vhdx', size, id };
	const mixed = runs(size / SECTOR, 6).map((all) => ({
		size,
		data: all.filter((_, i) => i % 2 === 0),
		zero: all.filter((_, i) => i % 2 === 1),
	}));
	await fc.assert(
		fc.asyncProperty(mixed, fc.constantFrom('1M', '2M', '8M'), async (layout, block_size) => {
			const delta = deltaDisk(layout);
			const bytes = await vhdxBytes(delta, { backing, options: { block_size } });
			expect(await findings(bytes)).toEqual([]);
			const opened = await openVhdx({ 'child.vhdx': bytes, 'base.vhdx': baseBytes });
			expect(await firstDifference(overlay(delta, base), opened)).toBeUndefined();
		}),
		{ numRuns: 20 },
	);
});

test('in a delta a whole block of zeros takes no place, and one that is all data needs no bitmap', async () => {
	const id = '00112233-4455-6677-8899-aabbccddeeff';
	const delta = deltaDisk({ size: 8 * MiB, data: [[2 * MiB, MiB]], zero: [[0, 2 * MiB]] });
	const bytes = await vhdxBytes(delta, { backing: { name: 'vms/base.vhdx', format: 'vhdx', size: 8 * MiB, id } });
	expect(bytes.length).toBe(DATA_AT + MiB);
	const child = await vhdx.open(memorySource(bytes), context);
	expect(child.parent).toEqual({ names: ['.\\vms\\base.vhdx'], format: 'vhdx', ids: [id] });
	const kinds = [];
	for await (const { kind, length } of child.extents(0, child.size)) kinds.push([kind, length / MiB]);
	expect(kinds).toEqual([
		['zero', 2],
		['data', 1],
		['absent', 5],
	]);
});

test('sector bitmaps of several chunks are told apart', async () => {
	const GiB = 2 ** 30;
	const size = 9 * GiB;
	const data: Runs = [
		[4096, 4096],
		[4 * GiB - 512, 1024],
		[8 * GiB + 512, 512],
	];
	const delta = deltaDisk({ size, data, zero: [[5 * GiB, 4 * MiB + 512]] });
	const backing = { name: 'base.vhdx', format: 'vhdx', size, id: '00112233-4455-6677-8899-aabbccddeeff' };
	const image = (await writeImage(vhdx, delta, { name: 'a.vhdx', backing, options: { block_size: '2M' } })).get('a.vhdx')?.source();
	if (!image) throw new Error('nothing was written');
	const child = await vhdx.open(image, context);
	const own = [];
	for await (const { kind, offset, length } of child.extents(0, size)) if (kind !== 'absent') own.push([kind, offset, length]);
	expect(own).toEqual([
		['data', 4096, 4096],
		['data', 4 * GiB - 512, 1024],
		['zero', 5 * GiB, 4 * MiB],
		['data', 5 * GiB + 4 * MiB, 512],
		['data', 8 * GiB + 512, 512],
	]);
});

test('a disk of 4096-byte sectors keeps them', async () => {
	const disk = { ...patternDisk({ size: 9 * MiB + 8192, data: [[MiB - 4096, 3 * MiB]] }), sectorSize: 4096 as const };
	const opened = await openVhdx({ 'disk.vhdx': await vhdxBytes(disk) });
	expect(opened.sectorSize).toBe(4096);
	expect(await firstDifference(disk, opened)).toBeUndefined();
});

test('a size between sectors is rounded up with zeros', async () => {
	const opened = await openVhdx({ 'disk.vhdx': await vhdxBytes(patternDisk({ size: MiB + 100, data: [[MiB, 100]] })) });
	expect(opened.size).toBe(MiB + 512);
	const asked = { ...patternDisk({ size: MiB + 512, data: [[MiB, 512]] }), sectorSize: 4096 as const };
	const large = await openVhdx({ 'disk.vhdx': await vhdxBytes(asked) });
	expect([large.size, large.sectorSize]).toEqual([MiB + 4096, 4096]);
});

test('64 TiB without data are a few MiB', async () => {
	const size = 64 * 2 ** 40;
	const image = (await writeImage(vhdx, patternDisk({ size, data: [[size - 512, 512]] }))).get('disk.vhdx')?.source();
	const opened = await vhdx.open(image ?? memorySource(new Uint8Array()), {
		follow: () => Promise.reject(),
		note() {},
		unpack: (_, b) => b,
	});
	const kinds = [];
	for await (const { kind } of opened.extents(0, size)) kinds.push(kind);
	expect(kinds).toEqual(['zero', 'data']);
	expect(image?.size).toBeLessThan(64 * MiB);
});

test.for([
	[{ block_size: '3M' }, 'block_size=3M is not a power of two from 1M to 256M'],
	[{ block_size: '512M' }, 'block_size=512M is not a power of two from 1M to 256M'],
	[{ log_size: '100k' }, 'log_size=100k is not a multiple of 1M up to 64M'],
	[{ physical_sector_size: '512' }, 'physical sectors of 512 bytes cannot hold logical ones of 4096'],
] as const)('%o cannot be', async ([options, message]) => {
	const disk = { ...patternDisk({ size: MiB, data: [] }), sectorSize: 4096 as const };
	await expect(vhdxBytes(disk, { options })).rejects.toThrow(message);
});

test('what a VHDX cannot hold is refused', async () => {
	await expect(vhdxBytes(patternDisk({ size: 65 * 2 ** 40, data: [] }))).rejects.toThrow('at most 64 TiB');
	await expect(vhdxBytes(patternDisk({ size: 0, data: [] }))).rejects.toThrow('no sectors');
	const disk = patternDisk({ size: MiB, data: [] });
	const backing = { name: 'base.vhdx', format: 'vhdx', size: MiB, id: '00112233-4455-6677-8899-aabbccddeeff' };
	await expect(vhdxBytes(disk, { backing, options: { subformat: 'fixed' } })).rejects.toThrow('a fixed VHDX has no parent');
	await expect(vhdxBytes(disk, { backing: { ...backing, format: 'qcow2' } })).rejects.toThrow('this is qcow2');
	await expect(vhdxBytes(disk, { backing: { ...backing, id: undefined } })).rejects.toThrow('no data write GUID');
	await expect(vhdxBytes(disk, { backing: { ...backing, name: '/vms/base.vhdx' } })).rejects.toThrow('by a relative path');
});

test.for([
	[{ name: 'base.vhdx' }, ['.\\base.vhdx']],
	[{ name: '../vms/base.vhdx' }, ['..\\vms\\base.vhdx']],
	[{ name: '/vms/base.vhdx', relative: '../vms/base.vhdx' }, ['..\\vms\\base.vhdx']],
	[{ name: 'C:\\vms\\base.vhdx' }, ['C:\\vms\\base.vhdx']],
	[{ name: 'C:\\vms\\base.vhdx', relative: '..\\vms\\base.vhdx' }, ['..\\vms\\base.vhdx', 'C:\\vms\\base.vhdx']],
	[{ name: 'D:\\base.vhdx', relative: 'D:\\base.vhdx' }, ['D:\\base.vhdx']],
] as const)('the parent %o is named as %o', async ([parent, names]) => {
	const backing = { ...parent, format: 'vhdx', size: MiB, id: '00112233-4455-6677-8899-aabbccddeeff' };
	const bytes = await vhdxBytes(patternDisk({ size: MiB, data: [] }), { backing });
	const disk = await vhdx.open(memorySource(bytes), context);
	expect(disk.parent).toMatchObject({ names });
});
