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

/** @param initial what stands for blocks for which nothing is set: free, or each in its place as in a fixed image. */
export const blockMap = (blocks: number, initial: 'free' | 'in place'): BlockMap => {
	const pages = new Map<number, DataView<ArrayBuffer>>();
	let next = 0;
	let last: { block: number; place: number } | undefined;

	const fresh = (index: number): DataView<ArrayBuffer> => {
		const first = index * PAGE;
		const count = Math.min(PAGE, blocks - first);
		const page = new DataView(new Uint8Array(count * 4).fill(0xff).buffer);
		if (initial === 'in place') for (let i = 0; i < count; i++) page.setUint32(i * 4, first + i, true);
		return page;
	};
	const set = (block: number, entry: number): void => {
		const index = Math.floor(block / PAGE);
		const page = pages.get(index) ?? fresh(index);
		pages.set(index, page);
		page.setUint32((block % PAGE) * 4, entry, true);
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
				await sink.write(hostOffset + index * PAGE * 4, new Uint8Array(page.buffer));
			}
		},
	};
};
