/**
 * The structures of QCOW version 1, QEMU's first copy-on-write format. There is no specification: the names are those of QEMU's
 * block/qcow.c.
 */
import { struct, u8, u16, u32, u64 } from '../../src/bytes/struct.ts';

/** "QFI" and 0xfb; QCOW2 has it too, with another version. */
export const MAGIC = 0x5146_49fb;

export const VERSION = 1;

/** QCowHeader. */
export const header = struct('big', {
	magic: u32,
	version: u32,
	/** Of the backing file's name, in bytes; 0 where there is none. */
	backingFileOffset: u64,
	/** Of the name, in bytes. */
	backingFileSize: u32,
	modified: u32,
	/** Virtual size in bytes. */
	size: u64,
	/** 9 to 16. */
	clusterBits: u8,
	/** Entries of an L2 table, as a power of two: 6 to 13. */
	l2Bits: u8,
	padding: u16,
	cryptMethod: u32,
	l1TableOffset: u64,
});
export type Header = ReturnType<typeof header.decode>;

export const CRYPT = { none: 0, aes: 1 } as const;

/** Bit 63 of an L2 entry, in its upper half: the cluster is deflated, and the entry holds its length too. */
export const COMPRESSED = 0x8000_0000;
