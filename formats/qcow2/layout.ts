import { ascii, bits64, bytes, struct, u8, u16, u32, u64 } from '../../src/bytes/struct.ts';

// The QCOW2 image format, versions 2 and 3: https://www.qemu.org/docs/master/interop/qcow2.html
// All numbers are big-endian. Section names below are those of that page.

/** "QFI\xfb" */
export const MAGIC = 0x514649fb;

/** "Header", the part that both versions have. */
export const header = struct('big', {
	magic: u32,
	version: u32,
	/** 0: there is none. */
	backingFileOffset: u64,
	/** In bytes, at most 1023. */
	backingFileSize: u32,
	clusterBits: u32,
	/** Virtual size in bytes. */
	size: u64,
	cryptMethod: u32,
	/** In entries. */
	l1Size: u32,
	l1TableOffset: u64,
	refcountTableOffset: u64,
	refcountTableClusters: u32,
	snapshotCount: u32,
	snapshotsOffset: u64,
});

/** "Header", what version 3 adds. It follows `header` at once. */
export const headerV3 = struct('big', {
	incompatibleFeatures: bits64,
	compatibleFeatures: bits64,
	autoclearFeatures: bits64,
	/** A refcount is 2^this bits wide. */
	refcountOrder: u32,
	/** Of the whole header in bytes: 104, or more with additional fields. A multiple of 8. */
	headerLength: u32,
});

/** "Additional fields", from byte 104; absent where `headerLength` is 104, and then 0. */
export const headerAdditional = struct('big', { compressionType: u8, padding: bytes(7) });

/** "Header", bytes 72-79. An image with an unknown one of these must not be opened. */
export const INCOMPATIBLE = {
	dirty: 1n << 0n,
	corrupt: 1n << 1n,
	dataFile: 1n << 2n,
	compressionType: 1n << 3n,
	extendedL2: 1n << 4n,
} as const;

/** "Header", bytes 80-87. */
export const COMPATIBLE = { lazyRefcounts: 1n << 0n } as const;

/** "Header", bytes 88-95. Software that does not know one clears it. */
export const AUTOCLEAR = { bitmaps: 1n << 0n, dataFileRaw: 1n << 1n } as const;

export const CRYPT = { none: 0, aes: 1, luks: 2 } as const;
export const COMPRESSION = { zlib: 0, zstd: 1 } as const;

/** "Header extensions": what precedes the data of each. The data is padded to a multiple of 8 bytes. */
export const extensionHeader = struct('big', { type: u32, length: u32 });

export const EXTENSION = {
	end: 0,
	backingFormat: 0xe2792aca,
	featureNames: 0x6803f857,
	bitmaps: 0x23852875,
	encryption: 0x0537be77,
	dataFile: 0x44415441,
} as const;

/** "Full disk encryption header pointer". */
export const encryptionExtension = struct('big', { offset: u64, length: u64 });

/** "Feature name table": one entry. `kind` is 0 for incompatible, 1 for compatible, 2 for autoclear features. */
export const featureName = struct('big', { kind: u8, bit: u8, name: ascii(46) });

/** "Bitmaps extension". */
export const bitmapsExtension = struct('big', { count: u32, reserved: u32, directorySize: u64, directoryOffset: u64 });

/** "Bitmap directory": what precedes the extra data and the name of each entry. The whole is padded to a multiple of 8 bytes. */
export const bitmapEntry = struct('big', {
	tableOffset: u64,
	/** In entries of 8 bytes. */
	tableSize: u32,
	flags: u32,
	type: u8,
	granularityBits: u8,
	nameSize: u16,
	extraDataSize: u32,
});

export const BITMAP = { inUse: 1 << 0, auto: 1 << 1 } as const;

/** "Snapshots": what precedes the extra data, the id and the name of each entry. The whole is padded to a multiple of 8 bytes. */
export const snapshotEntry = struct('big', {
	l1TableOffset: u64,
	/** In entries. */
	l1Size: u32,
	idSize: u16,
	nameSize: u16,
	dateSeconds: u32,
	dateNanoseconds: u32,
	vmClockNanoseconds: bits64,
	/** In bytes; the extra data says it in 64 bits. */
	vmStateSize: u32,
	extraDataSize: u32,
});

/** "Snapshots", the extra data, as far as the image has it: 16 bytes in version 3, 24 with `icount`. */
export const snapshotExtra = struct('big', {
	vmStateSize: u64,
	/** Virtual size in bytes when the snapshot was taken. */
	diskSize: u64,
	/** Instructions executed; all ones: not known. */
	icount: bits64,
});

/**
 * "L1 table entry", "Standard cluster descriptor", "Refcount table": the high and the low half of what an entry of 64 bits holds.
 * Bits 9 … 55 are a host offset in all of them.
 */
export const ENTRY = {
	offsetHigh: 0x00ffffff,
	offsetLow: 0xfffffe00,
	/** Bit 63: the refcount of what it points to is exactly one. */
	copiedHigh: 0x80000000,
	/** Bit 62, L2 only: a compressed cluster descriptor. */
	packedHigh: 0x40000000,
	/** Bit 0, L2 only, from version 3 and without extended L2: all zeros, whatever the offset. */
	zeroLow: 1,
} as const;

/** "Extended L2 Entries": a cluster is made of so many subclusters. */
export const SUBCLUSTERS = 32;

/** Compressed clusters are found and measured in these. */
export const SECTOR = 512;

/** Of the specification, and the smaller ones of QEMU or of vconv itself where the specification has none. */
export const LIMIT = {
	minClusterBits: 9,
	maxClusterBits: 21,
	/** Extended L2 entries need at least a sector a subcluster. */
	minExtendedClusterBits: 14,
	backingFileSize: 1023,
	refcountOrder: 6,
	/** Bytes. */
	l1Table: 32 * 2 ** 20,
	/** Bytes. */
	refcountTable: 8 * 2 ** 20,
	snapshots: 1024,
	/** Bytes of extra data of one snapshot. */
	snapshotExtra: 1024,
	/** Bytes of all entries together. */
	snapshotTable: 2 ** 20,
	/** Bytes of a header with all its extensions. */
	header: 64 * 2 ** 10,
	/** Bytes. */
	bitmapDirectory: 2 ** 20,
} as const;

/** What follows from the cluster size and the width of an L2 entry. All sizes in bytes. */
export type Geometry = {
	readonly clusterBits: number;
	readonly clusterSize: number;
	readonly extendedL2: boolean;
	/** Of one L2 entry: 8, or 16 with extended L2. */
	readonly entrySize: number;
	readonly entriesPerTable: number;
	/** What one L2 table, and so one L1 entry, maps of the guest's disk. */
	readonly tableSpan: number;
	/** The least that has a status of its own: a cluster, or with extended L2 a subcluster. */
	readonly unit: number;
};

export const geometry = (clusterBits: number, extendedL2: boolean): Geometry => {
	const clusterSize = 2 ** clusterBits;
	const entrySize = extendedL2 ? 16 : 8;
	const entriesPerTable = clusterSize / entrySize;
	return {
		clusterBits,
		clusterSize,
		extendedL2,
		entrySize,
		entriesPerTable,
		tableSpan: entriesPerTable * clusterSize,
		unit: extendedL2 ? clusterSize / SUBCLUSTERS : clusterSize,
	};
};
