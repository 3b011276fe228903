import type { Sink } from '../../src/core/sink.ts';
import type { Geometry } from './geometry.ts';
import { MiB, STATE } from './layout.ts';
import type { Table } from './table.ts';

/** Gives payload blocks their places, one behind the other, in guest order. */
export type Allocator = {
	/** The host offset for guest bytes of one block, which are stored. */
	place(guestOffset: number, length: number): number;
	/** Guest bytes that read as zeros whatever the parent has. A delta alone is told of them. */
	zero(guestOffset: number, length: number): void;
	/** Nothing more comes: write the sector bitmaps, and give the host offset behind the last block. */
	finish(sink: Sink): Promise<number>;
};

/** For a disk without a parent: a block with any data in it is stored, and zeros need no place. */
export const wholeAllocator = ({ blockSize }: Geometry, table: Table, from: number): Allocator => {
	let end = from;
	let current = -1;
	let at = 0;
	return {
		place(guestOffset) {
			const block = Math.floor(guestOffset / blockSize);
			if (block !== current) {
				current = block;
				at = end;
				end += blockSize;
				table.setPayload(block, { state: STATE.fullyPresent, offset: at });
			}
			return at + (guestOffset % blockSize);
		},
		zero() {},
		finish: async () => end,
	};
};

/** The block that is being told of. */
type Current = {
	readonly block: number;
	/** A bit for each sector that is this image's own. */
	readonly bits: Uint8Array;
	/** How many of them are set. */
	present: number;
	/** Where it is stored, once it has to be. */
	offset?: number;
};

/**
 * For a delta. Sector by sector it keeps which are its own; a block of which all are is fully present, or zero without a place if
 * nothing was stored in it, and one of which some are is partially present and has a bitmap. Zeros in a block with a place are
 * sectors that were never written.
 */
export const deltaAllocator = (shape: Geometry, size: number, table: Table, from: number): Allocator => {
	const { blockSize, sectorSize, bitmapSize, ratio } = shape;
	/** The bits of partially present blocks. */
	const bitmaps = new Map<number, Uint8Array>();
	let end = from;
	let current: Current | undefined;

	const sectorsOf = (block: number): number => Math.min(blockSize, size - block * blockSize) / sectorSize;

	const allocate = (): number => {
		end += blockSize;
		return end - blockSize;
	};

	const close = (): void => {
		if (!current) return;
		const { block, present, bits } = current;
		const whole = present === sectorsOf(block);
		if (whole && current.offset === undefined) table.setPayload(block, { state: STATE.zero, offset: 0 });
		else {
			const offset = current.offset ?? allocate();
			table.setPayload(block, { state: whole ? STATE.fullyPresent : STATE.partiallyPresent, offset });
			if (!whole) bitmaps.set(block, bits);
		}
		current = undefined;
	};

	/** Note that sectors of one block are this image's own. */
	const own = (guestOffset: number, length: number): Current => {
		const block = Math.floor(guestOffset / blockSize);
		if (current?.block !== block) {
			close();
			current = { block, bits: new Uint8Array(bitmapSize), present: 0 };
		}
		const first = (guestOffset % blockSize) / sectorSize;
		const count = Math.ceil(length / sectorSize);
		for (let sector = first; sector < first + count; sector++) {
			current.bits[sector >>> 3] = (current.bits[sector >>> 3] as number) | (1 << (sector & 7));
		}
		current.present += count;
		return current;
	};

	return {
		place(guestOffset, length) {
			const stored = own(guestOffset, length);
			stored.offset ??= allocate();
			return stored.offset + (guestOffset % blockSize);
		},
		zero(guestOffset, length) {
			for (let at = guestOffset; at < guestOffset + length; ) {
				const stop = Math.min(guestOffset + length, (Math.floor(at / blockSize) + 1) * blockSize);
				const block = at / blockSize;
				if (Number.isInteger(block) && Math.ceil((stop - at) / sectorSize) === sectorsOf(block)) {
					close();
					table.setPayload(block, { state: STATE.zero, offset: 0 });
				} else own(at, stop - at);
				at = stop;
			}
		},
		async finish(sink) {
			close();
			let chunk = -1;
			let at = 0;
			for (const [block, bits] of bitmaps) {
				if (Math.floor(block / ratio) !== chunk) {
					chunk = Math.floor(block / ratio);
					at = end;
					end += MiB;
					table.setBitmap(chunk, at);
				}
				await sink.write(at + (block % ratio) * bitmapSize, bits);
			}
			return end;
		},
	};
};
