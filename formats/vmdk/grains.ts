import { alignUp } from '../../src/bytes/align.ts';
import { UnsupportedError } from '../../src/errors.ts';
import { GTE_ZEROED, SECTOR } from './layout.ts';

/** Sectors of a grain: what VMware and qemu-img use, and the only size that all readers take. */
export const GRAIN_SECTORS = 128;
/** The same in bytes. */
export const GRAIN = GRAIN_SECTORS * SECTOR;
/** Entries of a grain table, which is 4 sectors of 32-bit sector numbers. */
export const GTES_PER_GT = 512;
export const GT_SECTORS = 4;

/** How many grain tables a disk of so many sectors has. */
export const grainTables = (sectors: number): number => Math.ceil(sectors / (GRAIN_SECTORS * GTES_PER_GT));

/** The grains of one extent file: places given out one behind the other, and the tables that come of it. */
export type Grains = {
	/** The first sector that is not given out. */
	readonly end: number;
	/** The sector for a grain that takes `sectors`, fewer than 255. Grains come in ascending order. */
	place(grain: number, sectors: number): number;
	/** Mark grains as zeros in the table. */
	zero(first: number, count: number): void;
	/** The tables with anything in them, ascending. */
	tables(): Iterable<readonly [index: number, bytes: Uint8Array]>;
};

/**
 * A table in a quarter of its size: its grains lie one behind the other, so that the sectors of each tell where all are. A full
 * extent file of 2 TiB takes 40 MB so.
 */
type Table = { readonly first: number; readonly sectors: Uint8Array };

/** Instead of a number of sectors. */
const ZEROED = 255;
/** One for all: terabytes of zeros take no memory. */
const ALL_ZEROED: Table = { first: 0, sectors: new Uint8Array(GTES_PER_GT).fill(ZEROED) };

/** Grains of the file called `path`, from the sector `first` on. */
export const allocateGrains = (first: number, path: string): Grains => {
	const tables = new Map<number, Table>();
	let end = first;

	const tableOf = (grain: number): Table => {
		const index = Math.floor(grain / GTES_PER_GT);
		const table = tables.get(index) ?? { first: end, sectors: new Uint8Array(GTES_PER_GT) };
		tables.set(index, table);
		return table;
	};

	return {
		get end() {
			return end;
		},
		place(grain, sectors) {
			const sector = end;
			checkEnd(sector + sectors, path);
			tableOf(grain).sectors[grain % GTES_PER_GT] = sectors;
			end += sectors;
			return sector;
		},
		zero(from, count) {
			for (let grain = from; grain < from + count; ) {
				const within = grain % GTES_PER_GT;
				const stop = Math.min(GTES_PER_GT, within + from + count - grain);
				if (stop - within === GTES_PER_GT) tables.set(grain / GTES_PER_GT, ALL_ZEROED);
				else tableOf(grain).sectors.fill(ZEROED, within, stop);
				grain += stop - within;
			}
		},
		*tables() {
			for (const [index, table] of tables) yield [index, expanded(table)];
		},
	};
};

/** @throws UnsupportedError for grains that end behind what their tables can say. */
export const checkEnd = (sectors: number, path: string): void => {
	if (sectors <= 2 ** 32) return;
	throw new UnsupportedError('the file would be larger than 2 TiB, and its tables count sectors in 32 bits', {
		path,
		hint: '-o subformat=twoGbMaxExtentSparse, which is split, or monolithicFlat; over a parent -o zeroed_grain=on, which stores no zeros',
	});
};

const expanded = ({ first, sectors }: Table): Uint8Array => {
	const bytes = new Uint8Array(GTES_PER_GT * 4);
	const view = new DataView(bytes.buffer);
	let sector = first;
	for (const [entry, taken] of sectors.entries()) {
		if (taken === 0) continue;
		view.setUint32(entry * 4, taken === ZEROED ? GTE_ZEROED : sector, true);
		if (taken !== ZEROED) sector += taken;
	}
	return bytes;
};

/** A grain directory of whole sectors: the sector of each grain table. */
export const grainDirectory = (tables: number, sectorOf: (index: number) => number): Uint8Array => {
	const bytes = new Uint8Array(alignUp(tables * 4, SECTOR));
	const view = new DataView(bytes.buffer);
	for (let index = 0; index < tables; index++) view.setUint32(index * 4, sectorOf(index), true);
	return bytes;
};
