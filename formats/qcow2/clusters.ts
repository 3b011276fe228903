import type { Allocator } from './allocator.ts';
import { ENTRY, type Geometry, SECTOR, SUBCLUSTERS } from './layout.ts';
import { type Ledger, ledger } from './ledger.ts';

/**
 * What becomes of each guest cluster while an image is written. Places are not kept, only what was asked for: one to eight bytes a
 * cluster. When the L2 tables are written, a second allocator gives the same places again.
 */
export type Clusters = {
	readonly ledger: Ledger;
	/** The host offset for the bytes of a guest offset. */
	place(guestOffset: number, stored: number, packed: boolean): number;
	/** The range reads as zeros, whatever the backing file has. */
	zero(guestOffset: number, length: number): void;
	/** Write the L2 entry of the next cluster in the ledger, from the numbers of its record. */
	encode(view: DataView, at: number, record: number, second: number, again: Replay): void;
};

/** The places once more, as the L2 tables are written. */
export type Replay = {
	readonly allocator: Allocator;
	/** These host bytes are used by one more entry. */
	used(hostOffset: number, length: number): void;
	/** In version 2, which has no zero flag: a cluster of zeros, and whether this entry alone uses it. */
	zeroCluster(): { readonly hostOffset: number; readonly alone: boolean };
};

const HALF = 2 ** 32;
const ALL = 0xffffffff;

/** A record is one of these, or the stored length of a packed cluster plus `PACKED`. */
const ZERO = 1;
const WHOLE = 2;
const PACKED = 2;

export type WholeClusters = {
	readonly version: 2 | 3;
	/** Some of the clusters will be packed. */
	readonly packing: boolean;
	/** How many have their place from the start: preallocation. */
	readonly reserved: number;
};

/** Cluster by cluster; with extended L2 entries too, whose subclusters then all have the status of their cluster. */
export const wholeClusters = (geometry: Geometry, allocator: Allocator, { version, packing, reserved }: WholeClusters): Clusters => {
	const { clusterSize, clusterBits, extendedL2 } = geometry;
	const records = ledger(packing ? (clusterBits > 16 ? 4 : 2) : 1);
	allocator.clusters(reserved);
	records.fill(0, reserved, [WHOLE]);
	return {
		ledger: records,
		place(guestOffset, stored, packed) {
			records.set(guestOffset / clusterSize, packed ? PACKED + stored : WHOLE);
			return packed ? allocator.bytes(stored) : allocator.clusters();
		},
		zero(guestOffset, length) {
			records.fill(guestOffset / clusterSize, Math.ceil(length / clusterSize), [ZERO]);
		},
		encode(view, at, record, _, again) {
			if (record === ZERO && version === 2) {
				const { hostOffset, alone } = again.zeroCluster();
				pointTo(view, at, hostOffset, alone);
			} else if (record === ZERO) {
				if (extendedL2) bitmaps(view, at, 0, ALL);
				else view.setUint32(at + 4, ENTRY.zeroLow);
			} else if (record === WHOLE) {
				const hostOffset = again.allocator.clusters();
				again.used(hostOffset, clusterSize);
				pointTo(view, at, hostOffset, true);
				if (extendedL2) bitmaps(view, at, ALL, 0);
			} else {
				const stored = record - PACKED;
				const hostOffset = again.allocator.bytes(stored);
				again.used(hostOffset, stored);
				packedAt(view, at, hostOffset, stored, clusterBits);
			}
		},
	};
};

/** Subcluster by subcluster: "Extended L2 Entries" of what is not packed. A record is two bitmaps, of data and of zeros. */
export const subclusters = ({ clusterSize, unit }: Geometry, allocator: Allocator, delta: boolean): Clusters => {
	const records = ledger(4, 2);
	const DATA = 0;
	const ZEROS = 1;
	let current = -1;
	let hostOffset = 0;
	const set = (word: number, index: number, subcluster: number): void =>
		records.set(index, (records.get(index, word) | (1 << subcluster)) >>> 0, word);
	return {
		ledger: records,
		place(guestOffset) {
			const index = Math.floor(guestOffset / clusterSize);
			if (index !== current) hostOffset = allocator.clusters();
			current = index;
			set(DATA, index, (guestOffset % clusterSize) / unit);
			return hostOffset + (guestOffset % clusterSize);
		},
		zero(guestOffset, length) {
			const end = Math.ceil((guestOffset + length) / unit);
			for (let n = guestOffset / unit; n < end; ) {
				const whole = n % SUBCLUSTERS === 0 ? Math.floor((end - n) / SUBCLUSTERS) : 0;
				if (whole > 0) records.fill(n / SUBCLUSTERS, whole, [0, ALL]);
				else set(ZEROS, Math.floor(n / SUBCLUSTERS), n % SUBCLUSTERS);
				n += whole > 0 ? whole * SUBCLUSTERS : 1;
			}
		},
		encode(view, at, data, zeros, again) {
			if (data !== 0) pointTo(view, at, again.allocator.clusters(), true);
			// Without a backing file the rest of the cluster is said to be zeros, lest one that is added later shows through.
			bitmaps(view, at, data, delta ? zeros : ~data >>> 0);
		},
	};
};

/** "Standard Cluster Descriptor". */
const pointTo = (view: DataView, at: number, hostOffset: number, copied: boolean): void => {
	view.setUint32(at, Math.floor(hostOffset / HALF) + (copied ? ENTRY.copiedHigh : 0));
	view.setUint32(at + 4, hostOffset % HALF);
};

/** "Extended L2 Entries", the subcluster allocation bitmap. */
const bitmaps = (view: DataView, at: number, data: number, zeros: number): void => {
	view.setUint32(at + 8, zeros);
	view.setUint32(at + 12, data);
};

/** "Compressed Clusters Descriptor": the sectors beyond the first that the bytes touch, above the offset of the first byte. */
const packedAt = (view: DataView, at: number, hostOffset: number, stored: number, clusterBits: number): void => {
	const further = Math.floor((hostOffset + stored - 1) / SECTOR) - Math.floor(hostOffset / SECTOR);
	const sizeShift = 62 - (clusterBits - 8) - 32;
	view.setUint32(at, ENTRY.packedHigh + further * 2 ** sizeShift + Math.floor(hostOffset / HALF));
	view.setUint32(at + 4, hostOffset % HALF);
};
