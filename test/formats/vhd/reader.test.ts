import { beforeAll, describe, expect, test } from 'vitest';
import { vhd } from '../../../formats/vhd/index.ts';
import { footerStruct, headerStruct, SECTOR } from '../../../formats/vhd/layout.ts';
import type { Disk } from '../../../src/core/disk.ts';
import type { Note } from '../../../src/core/note.ts';
import { CorruptError, UnsupportedError } from '../../../src/errors.ts';
import { memorySource } from '../../../src/io/memory.ts';
import { firstDifference } from '../../helpers/image.ts';
import { patternDisk } from '../../helpers/pattern.ts';
import { contextOf, openBytes, vhdBytes, withFooter, withHeader } from './helpers.ts';

const MiB = 2 ** 20;
const SIZE = 5 * MiB + 512;
const disk = patternDisk({ size: SIZE, data: [[MiB, 3 * MiB]] });

let dynamic: Uint8Array;
let fixed: Uint8Array;
beforeAll(async () => {
	dynamic = await vhdBytes(disk);
	fixed = await vhdBytes(disk, { options: { subformat: 'fixed' } });
});

test('the structures have the sizes of the specification', () => {
	expect([footerStruct.size, headerStruct.size]).toEqual([512, 1024]);
	expect(headerStruct.offsets.parentLocators).toBe(576);
});

const wipe = (bytes: Uint8Array, at: number, length = SECTOR): Uint8Array => bytes.slice().fill(0, at, at + length);

const opened = async (bytes: Uint8Array): Promise<{ image: Disk; notes: Note[] }> => {
	const notes: Note[] = [];
	return { image: await openBytes(bytes, notes), notes };
};

describe('a damaged footer is read from its copy, and it is said', () => {
	const last = () => dynamic.length - SECTOR;
	test.each<[string, () => Uint8Array, RegExp]>([
		['the last one destroyed', () => wipe(dynamic, last()), /at the end is destroyed/],
		['the last one cut off', () => dynamic.slice(0, -SECTOR), /at the end is destroyed/],
		['the first one destroyed', () => wipe(dynamic, 0), /copy of the footer is destroyed/],
		['the last one wrong', () => wipe(dynamic, last() + footerStruct.offsets.currentSize, 8), /checksum/],
		['the first one wrong', () => wipe(dynamic, footerStruct.offsets.currentSize, 8), /checksum/],
	])('%s', async (_, damage, said) => {
		const { image, notes } = await opened(damage());
		expect(await firstDifference(disk, image)).toBeUndefined();
		expect(notes).toHaveLength(1);
		expect(notes[0]?.what).toMatch(said);
	});
});

test('checksums of both footers that are wrong stop nothing where everything fits, and are told', async () => {
	const wrong = dynamic.slice();
	for (const at of [0, wrong.length - SECTOR]) wrong.set([1, 2, 3, 4], at + footerStruct.offsets.checksum);
	const { image, notes } = await opened(wrong);
	expect(await firstDifference(disk, image)).toBeUndefined();
	expect(notes).toHaveLength(1);

	const alone = fixed.slice();
	alone.set([1, 2, 3, 4], alone.length - SECTOR + footerStruct.offsets.checksum);
	expect(await firstDifference(disk, (await opened(alone)).image)).toBeUndefined();
});

test('a dynamic header that was changed is refused, for it may lead to other bytes', async () => {
	// One byte of the table's offset: what is there then says that no block is allocated.
	const changed = dynamic.slice();
	changed[SECTOR + headerStruct.offsets.tableOffset + 7] = 0xff;
	await expect(openBytes(changed)).rejects.toThrow(/checksum of the dynamic header is wrong/);
});

test('two sound footers that disagree are refused', async () => {
	await expect(openBytes(withFooter(dynamic, { currentSize: BigInt(4 * MiB) }, 'first'))).rejects.toThrow(/disagree on currentSize/);
});

test('the footer of 511 bytes that early Virtual PC wrote is one', async () => {
	for (const bytes of [fixed, dynamic]) {
		const { image, notes } = await opened(bytes.slice(0, -1));
		expect(await firstDifference(disk, image)).toBeUndefined();
		expect(notes).toEqual([]);
	}
});

test('a fixed image that holds a dynamic one is the fixed one', async () => {
	const outer = patternDisk({ size: dynamic.length, data: [] });
	const nested = await vhdBytes(
		{
			...outer,
			async *extents(offset, length) {
				yield { kind: 'computed', offset, length, read: async (at, count) => dynamic.slice(at, at + count) };
			},
		},
		{ options: { subformat: 'fixed' } },
	);
	expect((await openBytes(nested)).size).toBe(dynamic.length);
});

describe('the virtual size goes by the program that made the image', () => {
	const app = (name: string) => Buffer.from(name.padEnd(4, '\0')).readUInt32BE();
	/** Of 4 heads and 17 sectors a track: 150 cylinders are the most that the disk has room for. */
	const geometry = (cylinders: number) => (cylinders << 16) | (4 << 8) | 17;

	test.each(['win ', 'vbox', 'wa', 'd2v', 'qem2', 'tap', 'CTXS', 'xo  ', 'new '])("'%s' means the current size", async (creator) => {
		const bytes = withFooter(dynamic, { creatorApplication: app(creator), cylinders: geometry(150) }, 'both');
		expect((await openBytes(bytes)).size).toBe(SIZE);
	});

	test.each(['vpc ', 'qemu'])("'%s' means the geometry, and it is said", async (creator) => {
		const { image, notes } = await opened(withFooter(dynamic, { creatorApplication: app(creator), cylinders: geometry(150) }, 'both'));
		expect(image.size).toBe(150 * 4 * 17 * 512);
		expect(notes[0]?.what).toMatch(/as its geometry says/);
		expect((await openBytes(withFooter(fixed, { creatorApplication: app(creator), cylinders: geometry(150) }, 'last'))).size).toBe(
			150 * 4 * 17 * 512,
		);
	});

	test.each([0, 1, 140, 152, 65535])('%i cylinders are not believed of this size', async (cylinders) => {
		const bytes = withFooter(dynamic, { creatorApplication: app('vpc '), cylinders: geometry(cylinders) }, 'both');
		expect((await openBytes(bytes)).size).toBe(SIZE);
	});
});

test('the saved state of a machine is said to be lost', async () => {
	const { notes } = await opened(withFooter(dynamic, { savedState: 0x01000000 }, 'both'));
	expect(notes[0]).toMatchObject({ kind: 'dropped', what: expect.stringMatching(/saved state/) });
});

test('sectors that the bitmap of a dynamic image leaves out are read all the same', async () => {
	const bitmap = new DataView(dynamic.buffer).getUint32(1536) * SECTOR;
	expect(await firstDifference(disk, await openBytes(wipe(dynamic, bitmap)))).toBeUndefined();
});

describe('what contradicts the format is refused', () => {
	const bat = (entry: number) => () => {
		const bytes = dynamic.slice();
		new DataView(bytes.buffer).setUint32(1536, entry);
		return bytes;
	};
	test.each<[string, () => Uint8Array, RegExp]>([
		['both footers destroyed', () => wipe(wipe(dynamic, 0), dynamic.length - SECTOR), /no VHD footer/],
		['the one footer left wrong', () => wipe(wipe(dynamic, 64, 4), dynamic.length - SECTOR), /only footer is wrong/],
		['no bytes at all', () => new Uint8Array(0), /no VHD footer/],
		['a fixed image cut off before its footer', () => fixed.slice(SECTOR), /truncated or resized/],
		['a size of 2^53 and more', () => withFooter(dynamic, { currentSize: 1n << 60n }, 'both'), /over 2\^53/],
		['a size of 2041 GiB', () => withFooter(dynamic, { currentSize: 2041n << 30n }, 'both'), /limit of 1.99 TiB|limit/],
		['a size of zero', () => withFooter(dynamic, { currentSize: 0n }, 'both'), /no bytes/],
		['a header outside the file', () => withFooter(dynamic, { dataOffset: 1n << 40n }, 'both'), /outside the file/],
		['a header over the footer', () => withFooter(dynamic, { dataOffset: 0n }, 'both'), /outside the file/],
		['no header where it should be', () => wipe(dynamic, SECTOR, 8), /no dynamic header/],
		['a table past the end', () => withHeader(dynamic, { tableOffset: 1n << 40n }), /not within the file/],
		['a table over the header', () => withHeader(dynamic, { tableOffset: 1024n }), /over the header/],
		['a table too long', () => withHeader(dynamic, { maxTableEntries: 0xffffffff }), /not within the file/],
		['a table too short', () => withHeader(dynamic, { maxTableEntries: 2 }), /too short/],
		['a block of 0 bytes', () => withHeader(dynamic, { blockSize: 0 }), /power of two/],
		['a block of 3 MiB', () => withHeader(dynamic, { blockSize: 3 * MiB }), /power of two/],
		['a block of 2 GiB', () => withHeader(dynamic, { blockSize: 2 ** 31 }), /power of two/],
		['a block past the end', bat(0x7fffffff), /the data ends/],
		['a block over the footer', bat(0), /over the tables/],
		['a block over the table', bat(3), /over the tables/],
		['a delta without a parent', () => withFooter(dynamic, { diskType: 4 }, 'both'), /names no parent/],
	])('%s', async (_, make, why) => {
		const read = async () => {
			for await (const _ of (await openBytes(make())).extents(0, SIZE));
		};
		const error = await read().then(
			() => undefined,
			(e: unknown) => e,
		);
		expect(error).toBeInstanceOf(CorruptError);
		expect(String(error)).toMatch(why);
		const { path, hint } = error as CorruptError;
		expect(path).toBe('disk.vhd');
		if (!hint?.startsWith('vconv check')) return;
		expect(hint).toBe('vconv check disk.vhd');
		// And it gets further.
		expect((await vhd.check?.(memorySource(make(), 'disk.vhd'), contextOf()))?.counts.error).toBeGreaterThan(0);
	});

	test.each([
		['disk type 99', { diskType: 99 }],
		['version 2', { fileFormatVersion: 0x20000 }],
		['a feature that nobody knows', { features: 6 }],
	])('%s', async (_, changes) => {
		await expect(openBytes(withFooter(dynamic, changes, 'both'))).rejects.toThrow(UnsupportedError);
	});
});

test('it is recognised by either footer, or by its header alone', () => {
	const probe = (bytes: Uint8Array) => vhd.probe(bytes.subarray(0, 4096), bytes.subarray(-4096), bytes.length);
	const last = dynamic.length - SECTOR;
	expect([fixed, fixed.slice(0, -1), dynamic, wipe(dynamic, 0), wipe(dynamic, last), wipe(wipe(dynamic, 0), last)].map(probe)).toEqual(
		Array(6).fill(true),
	);
	expect([new Uint8Array(0), new Uint8Array(100), fixed.slice(0, -SECTOR)].map(probe)).toEqual([false, false, false]);
});
