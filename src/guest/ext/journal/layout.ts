import { bytes, struct, u8, u16, u32 } from '../../../bytes/struct.ts';

// The log of ext3 and ext4, jbd2: https://docs.kernel.org/filesystems/ext4/journal.html
// All of its numbers are big-endian. Section names below are those of that page.

export const MAGIC = 0xc03b3998;

/** "Block Header": what begins every block of the log that is not a logged block. */
export const blockHeader = struct('big', { magic: u32, type: u32, sequence: u32 });

/** "Block Header", `h_blocktype`. */
export const BLOCK = { descriptor: 1, commit: 2, superblockV1: 3, superblockV2: 4, revoke: 5 } as const;

export const SUPERBLOCK_SIZE = 1024;

/** "Super Block". The first version ends with `errno`, and has no features. */
export const superblock = struct('big', {
	magic: u32,
	type: u32,
	headerSequence: u32,
	/** In bytes; that of the file system. */
	blockSize: u32,
	/** Of the whole log, in blocks. */
	blocks: u32,
	/** The first block after the superblock. */
	first: u32,
	/** Of the oldest transaction. */
	sequence: u32,
	/** Where the oldest transaction begins; 0: the log is empty. */
	start: u32,
	errno: u32,
	compatible: u32,
	incompatible: u32,
	readOnlyCompatible: u32,
	uuid: bytes(16),
	users: u32,
	copy: u32,
	largestTransaction: u32,
	largestData: u32,
	checksumType: u8,
	padding: bytes(3),
	/** Blocks at the end for fast commits; 0: 256 of them. */
	fastCommitBlocks: u32,
	head: u32,
	reserved: bytes(160),
	checksum: u32,
});

/** "Super Block", `s_feature_compat`. */
export const COMPATIBLE = { checksum: 0x1 } as const;

/** "Super Block", `s_feature_incompat`. */
export const INCOMPATIBLE = { revoke: 0x1, bits64: 0x2, asyncCommit: 0x4, checksumV2: 0x8, checksumV3: 0x10, fastCommit: 0x20 } as const;

export const DEFAULT_FAST_COMMIT_BLOCKS = 256;

/** What fast commits leave to transactions at the least, in blocks (JBD2_MIN_JOURNAL_BLOCKS of Linux). */
export const LEAST_BLOCKS = 1024;

/** "Descriptor Block", the flags of a tag. */
export const TAG = { escaped: 1, sameUuid: 2, last: 8 } as const;

export const UUID_SIZE = 16;

/** "Commit Block" */
export const commitBlock = struct('big', {
	magic: u32,
	type: u32,
	sequence: u32,
	/** 1: CRC-32. Of the first kind of checksums only. */
	checksumType: u8,
	checksumSize: u8,
	padding: u16,
	/** Of the whole transaction in the first kind, of this block in the later ones. */
	checksum: u32,
});

/** "Revocation Block", what precedes the numbers of blocks. */
export const revokeHeader = struct('big', {
	magic: u32,
	type: u32,
	sequence: u32,
	/** Of this header and the numbers, in bytes. */ size: u32,
});

/** "Fast commits", `TL`: what begins the area if there is anything in it. */
export const FAST_COMMIT_HEAD = 9;
