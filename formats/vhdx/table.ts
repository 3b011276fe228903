import type { Sink } from '../../src/core/sink.ts';
import { bitmapIndex, type Geometry, payloadIndex } from './geometry.ts';
import { MiB, STATE } from './layout.ts';

/** Bytes of the BAT that are held and written as one. */
const PAGE = 1 << 16;

/** What is said of a block. The host offset is 0 where it has no place. */
export type BlockState = { readonly state: number; readonly offset: number };

/** A BAT being made: it holds only the pages in which a block differs from what is said of all. */
export type Table = {
	setPayload(block: number, state: BlockState): void;
	/** Say where the sector bitmap block of a chunk is. */
	setBitmap(chunk: number, hostOffset: number): void;
	/** Write the whole table. */
	write(sink: Sink, hostOffset: number): Promise<void>;
};

/** @param initial what is said of a block that nothing else is said of. */
export const blockTable = (shape: Geometry, initial: (block: number) => BlockState): Table => {
	const pages = new Map<number, Uint8Array>();

	const fresh = (page: number): Uint8Array => {
		const first = (page * PAGE) / 8;
		const bytes = new Uint8Array(Math.min(PAGE, (shape.entries - first) * 8));
		const view = new DataView(bytes.buffer);
		for (let at = 0; at < bytes.length; at += 8) {
			const index = first + at / 8;
			const chunk = Math.floor(index / (shape.ratio + 1));
			const block = index - chunk;
			// The entries of sector bitmap blocks stay as they are, and so do those behind the last block.
			if (index !== bitmapIndex(shape, chunk) && block < shape.blocks) setEntry(view, at, initial(block));
		}
		return bytes;
	};

	const set = (index: number, state: BlockState): void => {
		const page = Math.floor((index * 8) / PAGE);
		const bytes = pages.get(page) ?? fresh(page);
		pages.set(page, bytes);
		setEntry(new DataView(bytes.buffer), (index * 8) % PAGE, state);
	};

	return {
		setPayload: (block, state) => set(payloadIndex(shape, block), state),
		setBitmap: (chunk, offset) => set(bitmapIndex(shape, chunk), { state: STATE.fullyPresent, offset }),
		async write(sink, hostOffset) {
			for (let page = 0; page * PAGE < shape.entries * 8; page++) {
				await sink.write(hostOffset + page * PAGE, pages.get(page) ?? fresh(page));
			}
		},
	};
};

/** §2.5.1: the state in the lowest 3 bits, the offset in MiB in the highest 44. */
const setEntry = (view: DataView, at: number, { state, offset }: BlockState): void => {
	const mebibytes = offset / MiB;
	view.setUint32(at, ((mebibytes % 4096) * MiB + state) >>> 0, true);
	view.setUint32(at + 4, Math.floor(mebibytes / 4096), true);
};
