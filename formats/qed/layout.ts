/**
 * The structures of QED, QEMU's enhanced disk: a format of 2010 to 2014 that QCOW2 version 3 made superfluous.
 * Specification: QEMU, docs/interop/qed_spec.txt, named by section below.
 */
import { bits64, struct, u32, u64 } from '../../src/bytes/struct.ts';

/** "QED" and a zero byte. */
export const MAGIC = 0x0044_4551;

/** Section "Specification", Header. */
export const header = struct('little', {
	magic: u32,
	/** In bytes; a power of two, 4 KiB to 64 MiB. */
	clusterSize: u32,
	/** Of the L1 table and of each L2 table, in clusters: 1, 2, 4, 8 or 16. */
	tableSize: u32,
	/** In clusters. */
	headerSize: u32,
	/** An image with one that is not known here cannot be read. */
	features: bits64,
	/** An image with one that is not known here can be read and written. */
	compatFeatures: bits64,
	/** An image with one that is not known here can be read. */
	autoclearFeatures: bits64,
	/** Host offset in bytes. */
	l1TableOffset: u64,
	/** Virtual size in bytes. */
	imageSize: u64,
	/** From the start of the file, in bytes. */
	backingFilenameOffset: u32,
	/** In bytes; there is no zero byte at the end. */
	backingFilenameSize: u32,
});
export type Header = ReturnType<typeof header.decode>;

/** Bits of `features`. */
export const FEATURES = {
	/** The backing fields are there. */
	backingFile: 1n << 0n,
	/** It was not closed: the tables may be in any state in between. */
	needCheck: 1n << 1n,
	/** The backing file is raw, whatever it looks like. */
	backingFormatNoProbe: 1n << 2n,
} as const;

/** Entries of L1 and L2: 64-bit host offsets, or one of these. Section "Tables". */
export const ENTRY = {
	/** The backing file's bytes, or zeros. */
	unallocated: 0,
	/** Reads as zeros; in L2 only. */
	zero: 1,
} as const;
