import { ascii, bytes, struct, u8, u16, u32, u64 } from '../../bytes/struct.ts';

// The ext2, ext3 and ext4 file systems: https://docs.kernel.org/filesystems/ext4/
// All numbers of the file system are little-endian. Section names below are those of these pages.

/** Where the superblock is, whatever the block size, in bytes. */
export const SUPERBLOCK_OFFSET = 1024;

export const SUPERBLOCK_SIZE = 1024;

export const MAGIC = 0xef53;

/** "Super Block". Halves of numbers that the 64-bit feature has widened are spelled `Low` and `High`. */
export const superblock = struct('little', {
	inodes: u32,
	blocksLow: u32,
	reservedBlocksLow: u32,
	freeBlocksLow: u32,
	freeInodes: u32,
	/** 1 with blocks of 1 KiB, where block 0 is the boot block; else 0. */
	firstDataBlock: u32,
	/** A block is 2^(10 + this) bytes. */
	logBlockSize: u32,
	logClusterSize: u32,
	blocksPerGroup: u32,
	clustersPerGroup: u32,
	inodesPerGroup: u32,
	times: bytes(8),
	mountCounts: u32,
	magic: u16,
	state: u16,
	errorPolicy: u16,
	minorRevision: u16,
	checks: bytes(8),
	creator: u32,
	/** 0: inodes of 128 bytes and no features. */
	revision: u32,
	reservedOwners: u32,
	firstInode: u32,
	inodeSize: u16,
	group: u16,
	compatible: u32,
	incompatible: u32,
	readOnlyCompatible: u32,
	uuid: bytes(16),
	label: bytes(16),
	lastMounted: ascii(64),
	compressionBitmap: u32,
	preallocation: u16,
	reservedDescriptorBlocks: u16,
	journalUuid: bytes(16),
	/** 0: there is none here. */
	journalInode: u32,
	journalDevice: u32,
	lastOrphan: u32,
	hashSeed: bytes(16),
	hashVersion: u8,
	journalBackup: u8,
	/** Of a group descriptor in bytes, with the 64-bit feature. */
	descriptorSize: u16,
	mountOptions: u32,
	/** Index of the first block of descriptors that the meta_bg feature moves. */
	firstMetaGroup: u32,
	madeTime: u32,
	journalBlocks: bytes(68),
	blocksHigh: u32,
	reservedBlocksHigh: u32,
	freeBlocksHigh: u32,
	extraSizes: u32,
	flags: u32,
	raid: u16,
	multipleMountInterval: u16,
	multipleMountBlock: u64,
	stripeWidth: u32,
	logGroupsPerFlex: u8,
	/** 1: CRC-32C. */
	checksumType: u8,
	counters: bytes(214),
	/** With `backupGroup2` the groups with copies of the superblock, with the sparse_super2 feature. */
	backupGroup1: u32,
	backupGroup2: u32,
	quotas: bytes(28),
	/** What checksums start from, with the csum_seed feature. */
	checksumSeed: u32,
	reserved: bytes(392),
	checksum: u32,
});

/** "Super Block", `s_state`. */
export const STATE = { clean: 1, errors: 2 } as const;

/** "Super Block", `s_feature_compat`. */
export const COMPATIBLE = { journal: 0x4, sparseSuper2: 0x200 } as const;

/** "Super Block", `s_feature_incompat`. */
export const INCOMPATIBLE = {
	compression: 0x1,
	fileType: 0x2,
	recover: 0x4,
	journalDevice: 0x8,
	metaGroups: 0x10,
	extents: 0x40,
	bits64: 0x80,
	multipleMount: 0x100,
	flexGroups: 0x200,
	attributeInodes: 0x400,
	directoryData: 0x1000,
	checksumSeed: 0x2000,
	largeDirectories: 0x4000,
	inlineData: 0x8000,
	encryption: 0x1_0000,
	casefold: 0x2_0000,
} as const;

/** How e2fsprogs spells the incompatible features that are not read. */
export const REFUSED: ReadonlyMap<number, string> = new Map([
	[INCOMPATIBLE.compression, 'compression'],
	[INCOMPATIBLE.journalDevice, 'journal_dev'],
	[INCOMPATIBLE.directoryData, 'dirdata'],
]);

/** "Super Block", `s_feature_ro_compat`. One that is not known may be read all the same. */
export const READ_ONLY_COMPATIBLE = {
	sparseSuper: 0x1,
	hugeFiles: 0x8,
	groupChecksums: 0x10,
	directoryLinks: 0x20,
	extraInodeSize: 0x40,
	bigAllocation: 0x200,
	metadataChecksums: 0x400,
} as const;

/** "Block Group Descriptors": offsets of what is read of one. The high halves are there from 64 bytes on. */
export const DESCRIPTOR = {
	tableLow: 0x8,
	freeBlocksLow: 0xc,
	freeInodesLow: 0xe,
	checksum: 0x1e,
	tableHigh: 0x28,
	freeBlocksHigh: 0x2c,
	freeInodesHigh: 0x2e,
	smallest: 32,
	wide: 64,
} as const;

/** "Index Nodes": the part that every inode has. */
export const inode = struct('little', {
	mode: u16,
	owner: u16,
	sizeLow: u32,
	times: bytes(16),
	group: u16,
	links: u16,
	sectorsLow: u32,
	flags: u32,
	version: u32,
	/** "The Contents of inode.i_block": a tree of extents, a map of blocks, the data itself or a link's target. */
	block: bytes(60),
	generation: u32,
	attributesLow: u32,
	sizeHigh: u32,
	fragment: u32,
	osDependent: bytes(8),
	checksumLow: u16,
	reserved: u16,
});

/** "Index Nodes": where what follows an inode of 128 bytes is. */
export const INODE_EXTRA = { size: 0x80, checksumHigh: 0x82 } as const;

/** "Index Nodes", `i_mode`: the kind of file. */
export const MODE = { mask: 0xf000, directory: 0x4000, file: 0x8000, symlink: 0xa000 } as const;

/** "Index Nodes", `i_flags`. */
export const FLAG = { immutable: 0x10, encrypted: 0x800, index: 0x1000, extents: 0x8_0000, inlineData: 0x1000_0000 } as const;

/** "Special inodes" */
export const ROOT_INODE = 2;

/** "Extent Tree": what begins every node of it. */
export const extentHeader = struct('little', { magic: u16, entries: u16, capacity: u16, depth: u16, generation: u32 });

export const EXTENT_MAGIC = 0xf30a;

/** Of an entry of the tree, in bytes: an index or an extent. */
export const EXTENT_ENTRY = 12;

/** A longer extent is one that was allocated and never written: it reads as zeros, and is shorter by this. */
export const LARGEST_EXTENT = 32768;

/** "Directory Entries", `file_type`. 0xde is the checksum at the end of a block. */
export const FILE_TYPE = { file: 1, directory: 2, symlink: 7, checksum: 0xde } as const;

/** "Extended Attributes": what begins those in an inode, and one entry's fixed part in bytes. */
export const ATTRIBUTES_MAGIC = 0xea02_0000;
export const ATTRIBUTE_ENTRY = 16;

/** "Inline Data" is in the attribute `system.data`, whose prefix has this number. */
export const SYSTEM_ATTRIBUTE = 7;

/** What vconv reads at the most where the format has no limit of its own, or a larger one. */
export const LIMIT = {
	/** 64 KiB. */
	logBlockSize: 6,
	extentDepth: 5,
	directoryEntries: 250_000,
	/** Bytes, as Linux has it. */
	link: 4096,
	/** Blocks of a log that is replayed: 4 GiB in blocks of 4 KiB, where mke2fs makes 1 GiB at the most. */
	journalBlocks: 1 << 20,
	/** Groups whose free blocks are counted: 8 TiB in blocks of 4 KiB. */
	countedGroups: 1 << 16,
} as const;
