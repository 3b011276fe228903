import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { vdi } from '../../../formats/vdi/index.ts';
import { ENTRY, header, IMAGE_TYPE } from '../../../formats/vdi/layout.ts';
import type { Disk } from '../../../src/core/disk.ts';
import { difference } from '../../../src/disk/difference.ts';
import { pakoCodec } from '../../../src/engine/pako.ts';
import { AccessError, ChangedError, CorruptError, UnsupportedError, UsageError } from '../../../src/errors.ts';
import { type MemorySink, memorySource } from '../../../src/io/memory.ts';
import { firstDifference, openImage, type WriteOptions, writeImage } from '../../helpers/image.ts';
import { alone, survives } from '../../helpers/mutate.ts';
import { patternDisk, type Runs } from '../../helpers/pattern.ts';

const MiB = 2 ** 20;
const TiB = 2 ** 40;

const scattered = patternDisk({
	size: 9 * MiB + 512,
	data: [
		[0, 512],
		[2 * MiB - 512, 1024],
		[5 * MiB + 4096, 2 * MiB],
		[9 * MiB, 512],
	],
});

const bytesOf = async (files: ReadonlyMap<string, MemorySink>): Promise<Uint8Array> => {
	const [sink] = files.values();
	return sink ? sink.source().read(0, sink.size) : new Uint8Array(0);
};

const written = async (disk: Disk = scattered, options: WriteOptions = {}): Promise<Uint8Array> =>
	bytesOf(await writeImage(vdi, disk, options));

/** A copy with one field of the header, or one 32-bit place, changed. */
const changed = (bytes: Uint8Array, at: keyof typeof header.offsets | number, value: number): Uint8Array => {
	const copy = bytes.slice();
	new DataView(copy.buffer).setUint32(typeof at === 'number' ? at : header.offsets[at], value, true);
	return copy;
};

const open = (bytes: Uint8Array): Promise<Disk> => vdi.open(memorySource(bytes, 'disk.vdi'), alone);

const kinds = async (disk: Disk): Promise<string[]> => {
	const found: string[] = [];
	for await (const extent of disk.extents(0, disk.size)) found.push(`${extent.kind} ${extent.offset / MiB}+${extent.length / MiB}`);
	return found;
};

const runs: fc.Arbitrary<Runs> = fc
	.array(fc.tuple(fc.integer({ min: 0, max: 700_000 }), fc.integer({ min: 1, max: 700_000 })), { maxLength: 8 })
	.map((gaps) => {
		let at = 0;
		return gaps.map(([gap, length]) => {
			const run = [at + gap, length] as const;
			at += gap + length;
			return run;
		});
	});

describe('a VDI', () => {
	test.for(['dynamic', 'fixed'])('that is %s keeps every byte of any disk', async (subformat) => {
		await fc.assert(
			fc.asyncProperty(runs, fc.integer({ min: 0, max: 3 * MiB }), async (data, tail) => {
				const [last] = data.slice(-1);
				const disk = patternDisk({ size: Math.ceil(((last ? last[0] + last[1] : 0) + tail) / 512) * 512, data });
				const files = await writeImage(vdi, disk, { options: { subformat } });
				expect(await firstDifference(disk, await openImage(files, 'disk.vdi'))).toBeUndefined();
				const report = await vdi.check?.(memorySource(await bytesOf(files)), alone);
				expect(report?.findings).toEqual([]);
			}),
			{ numRuns: 10 },
		);
	});

	test('of an odd size has whole sectors, the rest of the last one zeros', async () => {
		const disk = await open(await written(patternDisk({ size: 1000, data: [[0, 1000]] })));
		expect(disk.size).toBe(1024);
	});

	test('stores only blocks that hold data, in the order of the disk', async () => {
		const bytes = await written();
		const h = header.decode(bytes, { path: '', offset: 0 });
		expect(h).toMatchObject({ imageType: IMAGE_TYPE.dynamic, blocks: 10, blocksAllocated: 7, dataOffset: 2 * MiB });
		const map = new DataView(bytes.buffer, h.blocksOffset);
		const entries = Array.from({ length: 10 }, (_, i) => map.getUint32(i * 4, true));
		expect(entries).toEqual([0, 1, 2, ENTRY.free, ENTRY.free, 3, 4, 5, ENTRY.free, 6]);
		expect(bytes.length).toBe(9 * MiB);
	});

	test('is the same bytes for the same input', async () => {
		expect(Buffer.compare(await written(), await written())).toBe(0);
	});

	test('of 16 TiB is planned and mapped in no time', async () => {
		const disk = patternDisk({ size: 16 * TiB, data: [[15 * TiB, 512]] });
		const [sink] = (await writeImage(vdi, disk)).values();
		const opened = await vdi.open(sink?.source() ?? memorySource(new Uint8Array(0)), alone);
		const found: string[] = [];
		for await (const extent of opened.extents(15 * TiB - MiB, 3 * MiB)) found.push(extent.kind);
		expect(found).toEqual(['zero', 'data', 'zero']);
	});

	test.for([{ subformat: 'fixed' }, { static: 'on' }])('is fixed with %o', async (options) => {
		const h = header.decode(await written(scattered, { options }), { path: '', offset: 0 });
		expect(h).toMatchObject({ imageType: IMAGE_TYPE.fixed, blocks: 10, blocksAllocated: 10 });
	});
});

describe('a damaged VDI is refused with the place', () => {
	test.for([
		['version', 0x0000_0001, UnsupportedError, /VDI version 0\.1/],
		['version', 0x0009_0009, UnsupportedError, /VDI version 9\.9/],
		['imageType', IMAGE_TYPE.undo, UnsupportedError, /undo/],
		['imageType', 99, CorruptError, /no image type 99/],
		['uuidLink', 7, CorruptError, /names a parent/],
		['flags', 0x8000_0000, UnsupportedError, /flags/],
		['headerSize', 100, CorruptError, /header/],
		['sectorSize', 4096, UnsupportedError, /4096/],
		['blockSize', 0, CorruptError, /power of two/],
		['blockSize', 3, CorruptError, /power of two/],
		['blockExtra', 0x7fff_ffff, CorruptError, /extra/],
		['diskSize', 0, CorruptError, /block 0 is allocated, and is behind the end of a disk of 0 bytes/],
		['diskSize', 9 * MiB, CorruptError, /block 9 is allocated, and is behind the end/],
		['blocks', 9, CorruptError, /cannot hold/],
		['blocks', 0xffff_ffff, CorruptError, /past the end/],
		['blocksOffset', 8, CorruptError, /inside the header/],
		['dataOffset', MiB, CorruptError, /inside the block map/],
	] as const)('%s = %i', async ([field, value, kind, message]) => {
		const opening = open(changed(await written(), field, value));
		await expect(opening).rejects.toThrow(kind);
		await expect(opening).rejects.toThrow(message);
		await expect(opening).rejects.toMatchObject({ path: 'disk.vdi', field, offset: header.offsets[field] });
	});

	test('a differencing image that names no parent', async () => {
		await expect(open(changed(await written(), 'imageType', IMAGE_TYPE.differencing))).rejects.toMatchObject({ field: 'uuidLink' });
	});

	test('an entry past the end of the file, where it is used', async () => {
		const disk = await open(changed(await written(), MiB + 5 * 4, 1000));
		expect(
			(
				await disk
					.extents(0, 5 * MiB)
					[Symbol.asyncIterator]()
					.next()
			).value,
		).toMatchObject({ kind: 'data' });
		await expect(kinds(disk)).rejects.toThrow(/block 5 is at .* past the end/);
	});

	test('whatever was flipped, enlarged or cut', async () => {
		const bytes = await written(patternDisk({ size: 3 * MiB, data: [[MiB, 512]] }));
		await survives(
			vdi,
			bytes,
			[
				[0, header.size],
				[MiB, MiB + 12],
			],
			200,
		);
	});
});

test('check finds blocks outside the file, shared and unused', async () => {
	const bytes = changed(changed(await written(), MiB, 1), MiB + 20, 5000);
	const report = await vdi.check?.(memorySource(bytes), alone);
	expect(report?.findings.map((finding) => `${finding.severity} ${finding.code} ${finding.count ?? 1}`)).toEqual([
		'error block-shared 1',
		'error block-past-end 1',
		'leak block-unused 2',
	]);
});

test('check finds blocks behind the end of the disk', async () => {
	const report = await vdi.check?.(memorySource(changed(await written(), 'diskSize', 5 * MiB)), alone);
	expect(report?.findings.map(({ severity, code }) => `${severity} ${code}`)).toEqual(Array(4).fill('error block-behind-end'));
});

test('extra data before each block is passed over', async () => {
	const bytes = await written(patternDisk({ size: 512, data: [[0, 512]] }));
	const shifted = new Uint8Array(bytes.length + 512);
	shifted.set(bytes.subarray(0, 2 * MiB));
	shifted.set(bytes.subarray(2 * MiB), 2 * MiB + 512);
	const disk = await open(changed(shifted, 'blockExtra', 512));
	expect(await firstDifference(disk, patternDisk({ size: 512, data: [[0, 512]] }))).toBeUndefined();
});

describe('a differencing VDI', () => {
	const base = patternDisk({ size: 6 * MiB, data: [[0, 4 * MiB]] });
	const top = patternDisk({
		size: 6 * MiB,
		data: [
			[0, MiB],
			[2 * MiB, 2 * MiB],
			[5 * MiB, 100],
		],
	});

	const chain = async (name = 'base.vdi') => {
		const files = new Map(await writeImage(vdi, base, { name }));
		const parent = await openImage(files, name);
		const backing = { name, format: 'vdi', size: parent.size, id: parent.id };
		// Other ids than the parent's: the test's stamp gives every image the same.
		const delta = await bytesOf(await writeImage(vdi, difference(top, base, pakoCodec, MiB), { backing }));
		delta.set(new Uint8Array(16).fill(0x77), header.offsets.uuidCreate);
		const child = { source: () => memorySource(delta, 'child.vdi') };
		return { files, delta, all: new Map<string, Pick<MemorySink, 'source'>>([['child.vdi', child], ...files]) };
	};

	test('says what is zero over its parent, and leaves out what is the same', async () => {
		const { delta } = await chain();
		expect(await kinds(await open(delta))).toEqual(['absent 0+1', 'zero 1+1', 'absent 2+3', 'data 5+1']);
	});

	test('finds its parent by its UUIDs, whatever that is called', async () => {
		const { all } = await chain('{some other name}.vdi');
		const disk = await openImage(all, 'child.vdi');
		expect(await firstDifference(disk, top)).toBeUndefined();
	});

	test('is refused without its parent', async () => {
		const { all } = await chain();
		all.delete('base.vdi');
		await expect(openImage(all, 'child.vdi')).rejects.toThrow(AccessError);
	});

	test('is refused when its parent was written to since', async () => {
		const { all, files } = await chain();
		const parent = changed(await bytesOf(files), 'uuidModify', 1);
		all.set('base.vdi', { source: () => memorySource(parent, 'base.vdi') });
		await expect(openImage(all, 'child.vdi')).rejects.toThrow(/no image in its folder/);
	});

	test('is refused when two images could be its parent', async () => {
		const { all, files } = await chain();
		const copy = await bytesOf(files);
		all.set('copy.vdi', { source: () => memorySource(copy, 'copy.vdi') });
		await expect(openImage(all, 'child.vdi')).rejects.toThrow(ChangedError);
	});

	test('cannot be fixed, nor lie over an image without UUIDs', async () => {
		const backing = { name: 'b', format: 'qcow2', size: 6 * MiB };
		await expect(writeImage(vdi, top, { backing })).rejects.toThrow(UnsupportedError);
		await expect(writeImage(vdi, top, { backing, options: { subformat: 'fixed' } })).rejects.toThrow(UsageError);
	});
});
