import { ENTRY, type Geometry, SECTOR } from './layout.ts';

/** What an L2 entry says of its cluster. Host offsets are in bytes. */
export type Entry =
	| { readonly kind: 'absent' }
	/** Reads as zeros. `at` is the cluster that is kept for it, 0 where there is none. */
	| { readonly kind: 'zero'; readonly at: number }
	| { readonly kind: 'data'; readonly at: number }
	| { readonly kind: 'packed'; readonly at: number; readonly stored: number }
	/** Of its subclusters, those whose bit is set in `data` are stored, those in `zero` read as zeros, the others are absent. */
	| { readonly kind: 'split'; readonly at: number; readonly data: number; readonly zero: number }
	| { readonly kind: 'invalid'; readonly why: string };

/** What the meaning of an entry depends on. */
export type EntryRules = {
	readonly version: number;
	readonly geometry: Geometry;
	/** Data is in an external file. */
	readonly dataFile: boolean;
};

const ABSENT: Entry = { kind: 'absent' };
const ZERO: Entry = { kind: 'zero', at: 0 };
const RESERVED_HIGH = 0x3f000000;
const ALL = 0xffffffff;

const invalid = (why: string): Entry => ({ kind: 'invalid', why });

/** "L2 table entry", "Standard Cluster Descriptor", "Compressed Clusters Descriptor", "Extended L2 Entries". */
export const decodeEntry = (table: DataView, index: number, rules: EntryRules): Entry => {
	const { extendedL2, entrySize } = rules.geometry;
	const high = table.getUint32(index * entrySize);
	const low = table.getUint32(index * entrySize + 4);
	const zero = extendedL2 ? table.getUint32(index * entrySize + 8) : 0;
	const data = extendedL2 ? table.getUint32(index * entrySize + 12) : 0;
	if ((high | low | zero | data) === 0) return ABSENT;
	if ((high & ENTRY.packedHigh) !== 0) {
		if (rules.dataFile) return invalid('a compressed cluster in an image with an external data file');
		if ((zero | data) !== 0) return invalid('a compressed cluster with subclusters');
		return { kind: 'packed', ...packedPlace(high, low, rules.geometry) };
	}

	const reservedLow = extendedL2 ? 0x1ff : 0x1fe;
	if ((high & RESERVED_HIGH) !== 0 || (low & reservedLow) !== 0) return invalid('an L2 entry with reserved bits set');
	const at = hostOffset(high, low);
	// The low half tells: a remainder of the whole offset takes several times as long as all the rest here.
	if ((low & ENTRY.offsetLow & (rules.geometry.clusterSize - 1)) !== 0)
		return invalid(`a cluster at 0x${at.toString(16)}, which is no multiple of the cluster size`);
	// Offset 0 is the header's, and so means none; in an external file it is a cluster like others, and the flag tells.
	const placed = at !== 0 || (rules.dataFile && (high & ENTRY.copiedHigh) !== 0);
	if (extendedL2) return subclusters(at, placed, data, zero);
	if ((low & ENTRY.zeroLow) !== 0) {
		if (rules.version < 3) return invalid('a zero flag, which version 2 does not have');
		return at === 0 ? ZERO : { kind: 'zero', at };
	}
	return placed ? { kind: 'data', at } : ABSENT;
};

const subclusters = (at: number, placed: boolean, data: number, zero: number): Entry => {
	if ((data & zero) !== 0) return invalid('a subcluster that is both stored and zero');
	if (data !== 0 && !placed) return invalid('a subcluster that is stored nowhere');
	if (data === ALL) return { kind: 'data', at };
	if (zero === ALL) return { kind: 'zero', at };
	return { kind: 'split', at, data, zero };
};

/** Where a compressed cluster is. It ends within the last of its sectors, so that `stored` is the most that it can be. */
const packedPlace = (high: number, low: number, { clusterBits }: Geometry): { at: number; stored: number } => {
	// The offset has 62 - (clusterBits - 8) bits, the number of further sectors the rest up to bit 61.
	const offsetBits = 62 - (clusterBits - 8) - 32;
	const sectors = (high & 0x3fffffff) >>> offsetBits;
	const at = (high & (2 ** offsetBits - 1)) * 2 ** 32 + low;
	return { at, stored: (sectors + 1) * SECTOR - (low % SECTOR) };
};

/** The host offset in a table entry, from its two halves. */
export const hostOffset = (high: number, low: number): number => (high & ENTRY.offsetHigh) * 2 ** 32 + ((low & ENTRY.offsetLow) >>> 0);

/** "L1 table entry": whether bits are set that have no meaning. */
export const l1Reserved = (high: number, low: number): boolean => (high & 0x7f000000) !== 0 || (low & 0x1ff) !== 0;
