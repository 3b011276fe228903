import { beforeAll, expect, test } from 'vitest';
import type { Disk } from '../../../src/core/disk.ts';
import type { Note } from '../../../src/core/note.ts';
import { readDisk } from '../../../src/disk/read.ts';
import { pakoCodec } from '../../../src/engine/pako.ts';
import { patternDisk } from '../../helpers/pattern.ts';
import { BAT_AT, changed, DATA_AT, LOG_AT, METADATA_AT, MiB, openVhdx, vhdxBytes } from './images.ts';
import { makeEntry, type Update, withLog } from './log-maker.ts';

const KiB4 = 4096;

let image: Uint8Array;
beforeAll(async () => {
	image = await vhdxBytes(patternDisk({ size: 8 * MiB, data: [[0, MiB]] }));
});

const filled = (value: number): Uint8Array => new Uint8Array(KiB4).fill(value);

/** An update of the payload, by which the result is seen: the 4 KiB at `sector` of the first block become `value`. */
const mark = (sector: number, value: number): Update => ({ at: DATA_AT + sector * KiB4, bytes: filled(value) });

const byteAt = async (disk: Disk, guestOffset: number): Promise<number | undefined> => (await readDisk(disk, pakoCodec, guestOffset, 1))[0];

const open = (bytes: Uint8Array, notes?: Note[]) => openVhdx({ 'disk.vhdx': bytes }, notes);

test('an update is seen, said, and not made to the file', async () => {
	const bytes = withLog(image, [[0, makeEntry({ sequence: 1, tail: 0, updates: [mark(3, 7)] })]]);
	const before = bytes.slice();
	const notes: Note[] = [];
	const disk = await open(bytes, notes);
	expect(await readDisk(disk, pakoCodec, 3 * KiB4, KiB4)).toEqual(filled(7));
	expect(await readDisk(disk, pakoCodec, 4 * KiB4, KiB4)).toEqual(await readDisk(await open(image), pakoCodec, 4 * KiB4, KiB4));
	expect(notes.map(({ what }) => what)).toEqual(['1 log entries, replayed in memory']);
	expect(disk.info.dirty).toBe(true);
	expect(Buffer.compare(bytes, before)).toBe(0);
});

test('the BAT, the metadata and the region tables are read as the log has them', async () => {
	const bat = image.slice(BAT_AT, BAT_AT + KiB4);
	new DataView(bat.buffer).setBigUint64(5 * 8, (BigInt(DATA_AT / MiB + 1) << 20n) | 6n, true);
	const grown = DATA_AT + 2 * MiB;
	const updates = [
		{ at: BAT_AT, bytes: bat },
		{ at: METADATA_AT, bytes: image.slice(METADATA_AT, METADATA_AT + KiB4) },
		{ at: 192 * 1024, bytes: image.slice(192 * 1024, 192 * 1024 + KiB4) },
	];
	const lost = changed(image, (_, bytes) => bytes.fill(0, METADATA_AT, METADATA_AT + KiB4));
	const blanked = lost.fill(0, 192 * 1024, 320 * 1024);
	const disk = await open(
		withLog(blanked, [[0, makeEntry({ sequence: 9, tail: 0, updates, last: grown })]]).fill(0, 256 * 1024, 320 * 1024),
	);
	// Block 5 now lies behind what the file has: zeros until something is written there.
	const kinds = [];
	for await (const { kind, offset } of disk.extents(0, disk.size)) kinds.push([kind, offset / MiB]);
	expect(kinds).toEqual([
		['data', 0],
		['zero', 1],
		['data', 5],
		['zero', 6],
	]);
	expect(await byteAt(disk, 5 * MiB)).toBe(0);
	expect(await byteAt(disk, 8)).toBe(8);
});

test('entries are applied in order, the later over the earlier', async () => {
	const first = makeEntry({ sequence: 1, tail: 0, updates: [mark(0, 1), mark(1, 1), { at: DATA_AT + 2 * KiB4, zeros: 4 * KiB4 }] });
	const second = makeEntry({ sequence: 2, tail: 0, updates: [mark(1, 2), mark(3, 2), { at: DATA_AT, zeros: KiB4 }] });
	const disk = await open(
		withLog(image, [
			[0, first],
			[first.length, second],
		]),
	);
	const seen = [];
	for (let sector = 0; sector < 7; sector++) seen.push(await byteAt(disk, sector * KiB4 + 7));
	expect(seen).toEqual([0, 2, 0, 2, 0, 0, 0xa5]);
});

test('entries before the tail were applied long ago', async () => {
	const first = makeEntry({ sequence: 1, tail: 0, updates: [mark(0, 1)] });
	const second = makeEntry({ sequence: 2, tail: first.length, updates: [mark(1, 2)] });
	const disk = await open(
		withLog(image, [
			[0, first],
			[first.length, second],
		]),
	);
	expect([await byteAt(disk, 7), await byteAt(disk, KiB4 + 7)]).toEqual([0xa5, 2]);
});

test('a sequence, and an entry, go on past the end of the ring', async () => {
	const at = MiB - 3 * KiB4;
	const first = makeEntry({ sequence: 7, tail: at, updates: [mark(0, 1)] });
	const second = makeEntry({ sequence: 8, tail: at, updates: [mark(1, 2), mark(2, 3)] });
	const third = makeEntry({ sequence: 9, tail: at, updates: [mark(1, 4)] });
	const disk = await open(
		withLog(image, [
			[at, first],
			[at + first.length, second],
			[at + first.length + second.length, third],
		]),
	);
	expect([await byteAt(disk, 0), await byteAt(disk, KiB4), await byteAt(disk, 2 * KiB4)]).toEqual([1, 4, 3]);
});

test.for([
	['its end is not written', (entry: Uint8Array) => entry.fill(0, KiB4)],
	['a sector is of another entry', (entry: Uint8Array) => entry.fill(3, 2 * KiB4 - 4, 2 * KiB4)],
	['a bit is wrong', (entry: Uint8Array) => entry.fill(9, KiB4 + 100, KiB4 + 101)],
	['its descriptor is of another entry', (entry: Uint8Array) => entry.fill(9, 64 + 24, 64 + 25)],
	['its length is not one', (entry: Uint8Array) => entry.fill(255, 8, 12)],
	['its count of descriptors is too large', (entry: Uint8Array) => entry.fill(255, 24, 28)],
] as const)('a torn last entry is left out: %s', async ([, tear]) => {
	const first = makeEntry({ sequence: 1, tail: 0, updates: [mark(0, 1)] });
	const torn = tear(makeEntry({ sequence: 2, tail: 0, updates: [mark(0, 2)] }));
	const disk = await open(
		withLog(image, [
			[0, first],
			[first.length, torn],
		]),
	);
	expect(await byteAt(disk, 0)).toBe(1);
});

test('of two sequences the newer is the one, wherever it is', async () => {
	const older = makeEntry({ sequence: 5, tail: 8 * KiB4, updates: [mark(0, 5)] });
	const newer = makeEntry({ sequence: 9, tail: 0, updates: [mark(1, 9)] });
	const other = makeEntry({ sequence: 99, tail: 16 * KiB4, updates: [mark(2, 1)], guid: new Uint8Array(16).fill(1) });
	const disk = await open(
		withLog(image, [
			[0, newer],
			[8 * KiB4, older],
			[16 * KiB4, other],
		]),
	);
	expect([await byteAt(disk, 7), await byteAt(disk, KiB4), await byteAt(disk, 2 * KiB4 + 7)]).toEqual([0xa5, 9, 0xa5]);
});

test('a log without a complete sequence is refused', async () => {
	const tailLost = makeEntry({ sequence: 2, tail: 64 * KiB4, updates: [mark(0, 1)] });
	await expect(open(withLog(image, [[0, tailLost]]))).rejects.toThrow('no complete sequence');
	await expect(open(withLog(image, []))).rejects.toThrow('no complete sequence');
	const garbage = withLog(image, []);
	for (let at = 0; at < MiB; at++) garbage[LOG_AT + at] = (at * 31) >>> 3;
	await expect(open(garbage)).rejects.toThrow('no complete sequence');
});

test('a file that is shorter than when its log was written is refused', async () => {
	const entry = makeEntry({ sequence: 1, tail: 0, updates: [], flushed: image.length + MiB });
	await expect(open(withLog(image, [[0, entry]]))).rejects.toThrow('when its log was written');
});

test('updates of the headers or the log itself are refused, and so is a file without end', async () => {
	for (const at of [0, LOG_AT, 128 * 1024]) {
		const entry = makeEntry({ sequence: 1, tail: 0, updates: [{ at, zeros: KiB4 }] });
		await expect(open(withLog(image, [[0, entry]]))).rejects.toThrow('in the headers or the log itself');
	}
	const endless = makeEntry({ sequence: 1, tail: 0, updates: [{ at: DATA_AT, zeros: 2 ** 52 }] });
	await expect(open(withLog(image, [[0, endless]]))).rejects.toThrow('over 128 TiB');
});

test('a log of nothing but descriptors is read in time', async () => {
	const updates = Array.from({ length: 30_000 }, (_, i) => ({ at: DATA_AT + (i % 200) * KiB4, zeros: (1 + (i % 50)) * KiB4 }));
	const disk = await open(withLog(image, [[0, makeEntry({ sequence: 1, tail: 0, updates })]]));
	expect(await byteAt(disk, 7)).toBe(0);
});
