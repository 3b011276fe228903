type Words = Uint8Array | Uint16Array | Uint32Array;

/** Records a page. */
export const PAGE = 8192;

/** A small record for each of very many clusters: `width` numbers, 0 until they are set. */
export type Ledger = {
	readonly width: number;
	/** The pages that were touched, `PAGE` records each, by their number; in the order of the first touch. */
	readonly pages: ReadonlyMap<number, Words>;
	get(index: number, word?: number): number;
	set(index: number, value: number, word?: number): void;
	/** Give `count` clusters the same record. */
	fill(index: number, count: number, record: readonly number[]): void;
};

/**
 * A ledger that costs memory only where it is touched, and hardly any where whole pages are alike (a full disk, a long run of
 * zeros): those pages are one.
 */
export const ledger = (bytes: 1 | 2 | 4, width = 1): Ledger => {
	const Page = { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array }[bytes];
	const pages = new Map<number, Words>();
	const alike = new Map<string, Words>();
	const shared = new Set<Words>();
	let last = -1;

	const filled = (record: readonly number[]): Words => {
		const key = record.join();
		let page = alike.get(key);
		if (!page) {
			page = new Page(PAGE * width).map((_, i) => record[i % width] ?? 0);
			alike.set(key, page);
			shared.add(page);
		}
		return page;
	};
	/** Clusters come in ascending order, or nearly: when a page is begun, the one before is as good as done. */
	const settle = (): void => {
		const page = pages.get(last);
		if (page && !shared.has(page) && page.every((value: number, i: number) => value === page[i % width])) {
			pages.set(last, filled([...page.subarray(0, width)]));
		}
	};
	const writable = (number: number): Words => {
		let page = pages.get(number);
		if (page && !shared.has(page)) return page;
		if (!page) {
			settle();
			last = number;
		}
		page = page ? page.slice() : new Page(PAGE * width);
		pages.set(number, page);
		return page;
	};

	return {
		width,
		pages,
		get: (index, word = 0) => pages.get(Math.floor(index / PAGE))?.[(index % PAGE) * width + word] ?? 0,
		set(index, value, word = 0) {
			writable(Math.floor(index / PAGE))[(index % PAGE) * width + word] = value;
		},
		fill(index, count, record) {
			for (const end = index + count; index < end; ) {
				if (index % PAGE === 0 && end - index >= PAGE) {
					pages.set(index / PAGE, filled(record));
					index += PAGE;
				} else {
					writable(Math.floor(index / PAGE)).set(record, (index % PAGE) * width);
					index++;
				}
			}
		},
	};
};
