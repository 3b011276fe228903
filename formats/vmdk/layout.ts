/**
 * The structures of VMDK files that hold grains.
 * Specification: VMware, "Virtual Disk Format 5.0" (Technical Note, 2011), named by section below. seSparse has none in public;
 * its fields are those that QEMU's block/vmdk.c reads.
 */
import { bits64, bytes, struct, u8, u16, u32, u64 } from '../../src/bytes/struct.ts';

/** Every size and offset in these structures counts sectors of this many bytes. */
export const SECTOR = 512;

/** "KDMV": a hosted sparse extent. */
export const SPARSE_MAGIC = 0x564d444b;

/** Section "Hosted Sparse Extents", SparseExtentHeader: one sector. A footer is the same structure. */
export const sparseHeader = struct('little', {
	magicNumber: u32,
	/** 1; 2 where zeroed-grain entries are used; 3 in streams of vSphere. */
	version: u32,
	flags: u32,
	capacity: u64,
	grainSize: u64,
	descriptorOffset: u64,
	descriptorSize: u64,
	numGTEsPerGT: u32,
	rgdOffset: u64,
	/** A bigint, for `GD_AT_END` is over 2^53. */
	gdOffset: bits64,
	overHead: u64,
	uncleanShutdown: u8,
	singleEndLineChar: u8,
	nonEndLineChar: u8,
	doubleEndLineChar1: u8,
	doubleEndLineChar2: u8,
	compressAlgorithm: u16,
	pad: bytes(433),
});
export type SparseHeader = ReturnType<typeof sparseHeader.decode>;

export const SPARSE_FLAGS = {
	/** The four characters after `uncleanShutdown` are there, to show damage by a transfer as text. */
	validNewLine: 1 << 0,
	/** `rgdOffset` is there. */
	redundantTable: 1 << 1,
	/** A grain table entry of 1 is a grain of zeros. */
	zeroedGrain: 1 << 2,
	/** Grains are packed, each behind a grain marker. */
	compressed: 1 << 16,
	/** Metadata is behind markers. */
	markers: 1 << 17,
} as const;

/** `gdOffset` of a stream's header: the grain directory is named by the footer. */
export const GD_AT_END = 0xffff_ffff_ffff_ffffn;

/** singleEndLineChar to doubleEndLineChar2. */
export const NEW_LINES = [0x0a, 0x20, 0x0d, 0x0a] as const;

export const COMPRESSION = { none: 0, deflate: 1 } as const;

/** A grain table entry with `SPARSE_FLAGS.zeroedGrain`: the grain reads as zeros. */
export const GTE_ZEROED = 1;

/** Section "Stream-Optimized Compressed Sparse Extents": before the packed bytes of a grain, which are zlib streams (RFC 1950). */
export const grainMarker = struct('little', {
	/** Guest sector. */
	lba: u64,
	/** Of the packed bytes behind this marker; never 0. */
	size: u32,
});

/** The same section: a sector of its own before metadata. `size` 0 tells it from a grain's. */
export const metadataMarker = struct('little', {
	/** Sectors of metadata that follow. */
	numSectors: u64,
	size: u32,
	type: u32,
	pad: bytes(496),
});

export const MARKER = { endOfStream: 0, grainTable: 1, grainDirectory: 2, footer: 3 } as const;

/** "COWD": a sparse extent of ESX. */
export const COWD_MAGIC = 0x44574f43;

/** Section "ESX Server Sparse Extents", COWDisk_Header: four sectors. */
export const cowdHeader = struct('little', {
	magicNumber: u32,
	version: u32,
	flags: u32,
	numSectors: u32,
	grainSize: u32,
	gdOffset: u32,
	numGDEntries: u32,
	freeSector: u32,
	/** cylinders, heads, sectors of a root; parentFileName[1024], parentGeneration of a child. The descriptor says it all. */
	geometryOrParent: bytes(1028),
	generation: u32,
	name: bytes(60),
	description: bytes(512),
	savedGeneration: u32,
	reserved: bytes(8),
	uncleanShutdown: u32,
	padding: bytes(396),
});

/** A COWD grain table always has this many entries. */
export const COWD_GTES_PER_GT = 4096;

/** The first eight bytes of a seSparse extent. */
export const SESPARSE_MAGIC = 0xcafe_baben;
export const SESPARSE_VERSION = 0x2_0000_0001n;

/** SESparseConstHeader: the first sector of a seSparse extent. */
export const seSparseHeader = struct('little', {
	magic: bits64,
	version: bits64,
	capacity: u64,
	grainSize: u64,
	grainTableSize: u64,
	flags: bits64,
	reserved1: bits64,
	reserved2: bits64,
	reserved3: bits64,
	reserved4: bits64,
	volatileHeaderOffset: u64,
	volatileHeaderSize: u64,
	journalHeaderOffset: u64,
	journalHeaderSize: u64,
	journalOffset: u64,
	journalSize: u64,
	grainDirOffset: u64,
	grainDirSize: u64,
	grainTablesOffset: u64,
	grainTablesSize: u64,
	freeBitmapOffset: u64,
	freeBitmapSize: u64,
	backmapOffset: u64,
	backmapSize: u64,
	grainsOffset: u64,
	grainsSize: u64,
	pad: bytes(304),
});

export const SESPARSE_VOLATILE_MAGIC = 0xcafe_cafen;

/** SESparseVolatileHeader: the sector that changes while the disk is in use. */
export const seSparseVolatileHeader = struct('little', {
	magic: bits64,
	freeGtNumber: u64,
	nextTxnSeqNumber: u64,
	/** 1 where the journal must be replayed before the tables are true. */
	replayJournal: u64,
	pad: bytes(480),
});
