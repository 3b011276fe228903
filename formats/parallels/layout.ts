/**
 * The structures of Parallels' expandable images (.hds, .hdd).
 * Specification: QEMU, docs/interop/parallels.rst, "Parallels Expandable Image File Format", named by section below.
 */
import { ascii, bits64, struct, u32 } from '../../src/bytes/struct.ts';

/** Offsets and sizes in the header count sectors of this many bytes. */
export const SECTOR = 512;

/** The two kinds, which differ in what a BAT entry counts: sectors, and clusters. */
export const MAGIC = { sectors: 'WithoutFreeSpace', clusters: 'WithouFreSpacExt' } as const;

export const VERSION = 2;

/** Section "Header": the 64 bytes in front of the BAT. */
export const header = struct('little', {
	magic: ascii(16),
	version: u32,
	heads: u32,
	cylinders: u32,
	/** Cluster size in sectors: 63, 504, 512 or 2048 in practice, so not always a power of two. */
	tracks: u32,
	batEntries: u32,
	/** Virtual size in sectors. */
	sectors: u32,
	/** Its upper half; not looked at in images that count sectors. */
	sectorsHigh: u32,
	inUse: u32,
	/** Sector where the data area starts; 0 in old images: right behind the BAT. */
	dataOffset: u32,
	flags: u32,
	/** Sector of the format extension; 0 for none. A bigint, for old images have anything there. */
	extensionOffset: bits64,
});
export type Header = ReturnType<typeof header.decode>;

/** `inUse` of an image that somebody has open for writing, or had when the machine stopped. */
export const IN_USE = 0x746f_6e59;

/** Bit 0 of `flags`: nothing in the image counts. */
export const EMPTY = 1;

/** A BAT entry of a cluster that is not stored. */
export const UNALLOCATED = 0;
