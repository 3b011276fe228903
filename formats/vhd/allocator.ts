import { alignUp } from '../../src/bytes/align.ts';
import type { Sink } from '../../src/core/sink.ts';
import { bitmapSize, SECTOR, UNUSED } from './layout.ts';

/** The data of each block begins on a multiple of this, as Windows has it: its sector bitmap ends there. */
const ALIGN = 4096;

/** Table entries that are written at a time. */
const PIECE = 1 << 16;

/** Gives blocks their places in an image being written, in the order they are asked for. */
export type BlockAllocator = {
	/** The host offset of a guest offset: of a new block behind all others where it has none yet. */
	place(guestOffset: number): number;
	/** Sectors of a differencing image that are its own, by guest offset. Their blocks get places. */
	own(guestOffset: number, length: number): void;
	/** The first host byte behind the last block. */
	end(): number;
	/** In a dynamic image all sectors of a block are its own. */
	writeBitmaps(sink: Sink): Promise<void>;
	writeTable(sink: Sink, hostOffset: number): Promise<void>;
};

/** Where so many blocks end, when the first may start at `from`. */
export const endOf = (blocks: number, blockSize: number, from: number): number =>
	blocks === 0
		? from
		: alignUp(from + bitmapSize(blockSize), ALIGN) + blockSize + (blocks - 1) * (alignUp(bitmapSize(blockSize), ALIGN) + blockSize);

/** @param from where the first block may start. @param delta whether sectors are told apart, by `own`. */
export const blockAllocator = (blocks: number, blockSize: number, from: number, delta: boolean): BlockAllocator => {
	const table = new Uint32Array(blocks).fill(UNUSED);
	const bitmapBytes = bitmapSize(blockSize);
	const all = new Uint8Array(bitmapBytes).fill(0xff);
	const partial = new Map<number, Uint8Array>();
	let end = from;

	const blockAt = (index: number): number => {
		if (table[index] === UNUSED) {
			const start = alignUp(end + bitmapBytes, ALIGN) - bitmapBytes;
			table[index] = start / SECTOR;
			end = start + bitmapBytes + blockSize;
		}
		return (table[index] as number) * SECTOR + bitmapBytes;
	};

	return {
		place: (guestOffset) => blockAt(Math.floor(guestOffset / blockSize)) + (guestOffset % blockSize),
		own(guestOffset, length) {
			for (let at = guestOffset; at < guestOffset + length; ) {
				const index = Math.floor(at / blockSize);
				const start = index * blockSize;
				const stop = Math.min(guestOffset + length, start + blockSize);
				blockAt(index);
				if (stop - at === blockSize) {
					partial.set(index, all);
				} else {
					const bitmap = partial.get(index) ?? new Uint8Array(bitmapBytes);
					partial.set(index, bitmap);
					setBits(bitmap, (at - start) / SECTOR, Math.ceil((stop - start) / SECTOR));
				}
				at = stop;
			}
		},
		end: () => end,
		async writeBitmaps(sink) {
			for (const [index, entry] of table.entries()) {
				if (entry === UNUSED) continue;
				await sink.write(entry * SECTOR, delta ? (partial.get(index) ?? new Uint8Array(bitmapBytes)) : all);
			}
		},
		async writeTable(sink, hostOffset) {
			for (let first = 0; first < blocks; first += PIECE) {
				const piece = table.subarray(first, first + PIECE);
				const bytes = new Uint8Array(alignUp(4 * piece.length, SECTOR)).fill(0xff);
				const view = new DataView(bytes.buffer);
				for (const [i, entry] of piece.entries()) view.setUint32(4 * i, entry);
				await sink.write(hostOffset + 4 * first, bytes);
			}
		},
	};
};

/** Bits `[from, to)`, the highest of each byte first. */
const setBits = (bitmap: Uint8Array, from: number, to: number): void => {
	for (let bit = from; bit < to; bit++) {
		const at = bit >> 3;
		bitmap[at] = (bitmap[at] ?? 0) | (0x80 >> (bit & 7));
	}
};
