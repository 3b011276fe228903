import type { Sink } from '../../src/core/sink.ts';

/** Entries that are held, and written, as one. */
const PAGE = 1 << 14;

/** The block map of an image being written. Only pages in which something was set take memory. */
export type BlockMap = {
	set(block: number, entry: number): void;
	/** The number of the block in the file: the next free one, unless it is the block that was asked for last. Asked in guest order. */
	allocate(block: number): number;
	/** How many blocks have a place in the file. */
	allocated(): number;
	write(sink: Sink, hostOffset: number): Promise<void>;
};

/** @param initial the entry of a block for which nothing is set. */
export const blockMap = (blocks: number, initial: (block: number) => number): BlockMap => {
	const pages = new Map<number, Uint32Array>();
	let next = 0;
	let last: { block: number; place: number } | undefined;

	const fresh = (page: number): Uint32Array =>
		Uint32Array.from({ length: Math.min(PAGE, blocks - page * PAGE) }, (_, i) => initial(page * PAGE + i));
	const set = (block: number, entry: number): void => {
		const index = Math.floor(block / PAGE);
		const page = pages.get(index) ?? fresh(index);
		pages.set(index, page);
		page[block % PAGE] = entry;
	};

	return {
		set,
		allocate(block) {
			if (last?.block === block) return last.place;
			last = { block, place: next++ };
			set(block, last.place);
			return last.place;
		},
		allocated: () => next,
		async write(sink, hostOffset) {
			for (let index = 0; index * PAGE < blocks; index++) {
				const page = pages.get(index) ?? fresh(index);
				const view = new DataView(new ArrayBuffer(page.length * 4));
				for (const [i, entry] of page.entries()) view.setUint32(i * 4, entry, true);
				await sink.write(hostOffset + index * PAGE * 4, new Uint8Array(view.buffer));
			}
		},
	};
};
