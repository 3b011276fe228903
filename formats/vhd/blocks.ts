import type { Extent } from '../../src/core/disk.ts';
import type { Source } from '../../src/core/source.ts';
import { joined } from '../../src/disk/clip.ts';
import { CorruptError } from '../../src/errors.ts';
import { cached } from '../../src/io/cached.ts';
import type { Image, Sparse } from './image.ts';
import { SECTOR, UNUSED } from './layout.ts';

/** Entries of the block allocation table that are read at a time. */
const BATCH = 8192;

/** A piece of the block allocation table. */
export type Entries = { readonly first: number; readonly view: DataView; readonly count: number };

/** The table from entry `first` up to entry `end`, piece by piece. */
export async function* tableEntries(
	source: Source,
	{ header }: Sparse,
	first: number,
	end: number,
	signal?: AbortSignal,
): AsyncGenerator<Entries> {
	for (let at = first; at < end; at += BATCH) {
		const count = Math.min(BATCH, end - at);
		const raw = await source.read(header.tableOffset + 4 * at, 4 * count, signal);
		yield { first: at, view: new DataView(raw.buffer, raw.byteOffset, raw.byteLength), count };
	}
}

/** What is wrong with a BAT entry in use; undefined if nothing is. The guest's last block may be cut off behind the disk's end. */
export const misplaced = (image: Image, sparse: Sparse, index: number, entry: number): string | undefined => {
	const start = entry * SECTOR;
	const { blockSize } = sparse.header;
	const used = Math.max(0, Math.min(blockSize, image.size - index * blockSize));
	const end = start + sparse.bitmapSize + used;
	if (end > image.dataEnd) return `block ${index} is at 0x${start.toString(16)}, and the data ends at 0x${image.dataEnd.toString(16)}`;
	if (sparse.metadata.some(([from, to]) => start < to && end > from))
		return `block ${index} is at 0x${start.toString(16)}, over the tables`;
	return undefined;
};

/** The map of a dynamic or differencing image. */
export const blockMap = (source: Source, image: Image, sparse: Sparse) => {
	const tables = cached(source);
	const { blockSize, tableOffset } = sparse.header;
	const delta = image.type === 'differencing';
	const nothing = delta ? ('absent' as const) : ('zero' as const);

	/** Blocks one after the other, with those that are not there taken together. */
	async function* blocks(start: number, end: number, signal?: AbortSignal): AsyncGenerator<Extent> {
		const first = Math.floor(start / blockSize);
		for await (const { first: base, view, count } of tableEntries(tables, sparse, first, Math.ceil(end / blockSize), signal)) {
			for (let i = 0; i < count; ) {
				const from = Math.max(start, (base + i) * blockSize);
				const entry = view.getUint32(4 * i);
				let next = i + 1;
				if (entry === UNUSED) while (next < count && view.getUint32(4 * next) === UNUSED) next++;
				const to = Math.min(end, (base + next) * blockSize);
				if (entry === UNUSED) yield { kind: nothing, offset: from, length: to - from };
				else yield* block(base + i, entry, from, to, signal);
				i = next;
			}
		}
	}

	/**
	 * The part `[from, to)` of a block that is there. The bitmap of a differencing image says which of its sectors are. That of a dynamic
	 * image decides nothing: those written by Windows are all ones, and where others leave a sector out, it holds the zeros it began with.
	 */
	async function* block(index: number, entry: number, from: number, to: number, signal?: AbortSignal): AsyncGenerator<Extent> {
		const wrong = misplaced(image, sparse, index, entry);
		if (wrong) {
			const hint = `vconv check ${source.name}`;
			throw new CorruptError(wrong, { path: source.name, offset: tableOffset + 4 * index, field: 'BAT', hint });
		}
		const guest = index * blockSize;
		const host = entry * SECTOR + sparse.bitmapSize;
		const data = (start: number, end: number): Extent => ({
			kind: 'data',
			offset: start,
			length: end - start,
			source,
			at: host + start - guest,
		});
		if (!delta) {
			yield data(from, to);
			return;
		}
		const bitmap = await tables.read(entry * SECTOR, sparse.bitmapSize, signal);
		for (const run of sectorRuns(bitmap, from - guest, to - guest)) {
			const start = guest + run.start;
			const end = guest + run.end;
			yield run.own ? data(start, end) : { kind: 'absent', offset: start, length: end - start };
		}
	}

	return (guestOffset: number, length: number, signal?: AbortSignal): AsyncIterable<Extent> =>
		joined(blocks(guestOffset, guestOffset + length, signal));
};

/** The range `[start, end)` of a block, cut where sectors that are in the image and those that are not meet. */
export function* sectorRuns(
	bitmap: Uint8Array,
	start: number,
	end: number,
): Generator<{ readonly own: boolean; readonly start: number; readonly end: number }> {
	for (let at = start; at < end; ) {
		const own = hasSector(bitmap, at);
		let next = at;
		while (next < end && hasSector(bitmap, next) === own) next = sameUntil(bitmap, next);
		yield { own, start: at, end: Math.min(next, end) };
		at = next;
	}
}

/** The first sector is the highest bit of the first byte. */
const hasSector = (bitmap: Uint8Array, offset: number): boolean => {
	const sector = Math.floor(offset / SECTOR);
	return (((bitmap[sector >> 3] ?? 0) >> (7 - (sector & 7))) & 1) === 1;
};

/** How far it is the same from `offset` on: to the end of the sector, or of its byte of the bitmap if that is all ones or zeros. */
const sameUntil = (bitmap: Uint8Array, offset: number): number => {
	const byte = bitmap[Math.floor(offset / SECTOR / 8)];
	const step = byte === 0 || byte === 0xff ? 8 * SECTOR : SECTOR;
	return (Math.floor(offset / step) + 1) * step;
};
