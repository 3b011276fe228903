/**
 * The structures of VDI, VirtualBox's own format. There is no specification: the names are those of VirtualBox's VDICore.h, without
 * their prefixes. A file is a header, a block map at `blocksOffset`, and blocks from `dataOffset` on in the order they were first
 * written.
 */
import { ascii, bytes, struct, u32, u64 } from '../../src/bytes/struct.ts';

/** At 0x40, behind the line of text that every VDI begins with. */
export const SIGNATURE = 0xbeda107f;

/** 1.1, the major version in the upper half: all that is written since 2005. */
export const VERSION = 0x0001_0001;

/** VDIPREHEADER and VDIHEADER1, from the start of the file. */
export const header = struct('little', {
	fileInfo: ascii(64),
	signature: u32,
	version: u32,
	/** In bytes, from this field on: 384, or 400 with a second geometry at the end. */
	headerSize: u32,
	imageType: u32,
	flags: u32,
	comment: bytes(256),
	/** Of the block map, in bytes. */
	blocksOffset: u32,
	/** Of the first block, in bytes. */
	dataOffset: u32,
	cylinders: u32,
	heads: u32,
	sectors: u32,
	/** In bytes: 512. */
	sectorSize: u32,
	unused: u32,
	diskSize: u64,
	/** In bytes; a power of two, 1 MiB in practice. */
	blockSize: u32,
	/** Bytes in front of each block that are not the guest's. */
	blockExtra: u32,
	/** Entries of the block map. */
	blocks: u32,
	blocksAllocated: u32,
	/** The image's own id. */
	uuidCreate: bytes(16),
	/** New after each time the image was written to. */
	uuidModify: bytes(16),
	/** The parent's uuidCreate; zeros where there is none. */
	uuidLink: bytes(16),
	/** The parent's uuidModify when this image was made. */
	uuidParentModify: bytes(16),
});
export type Header = ReturnType<typeof header.decode>;

/** The least that `headerSize` may be. */
export const HEADER_SIZE = header.size - header.offsets.headerSize;

export const IMAGE_TYPE = { dynamic: 1, fixed: 2, undo: 3, differencing: 4 } as const;

/** The one flag there is: zeros are written when the file grows. It says nothing of what is in it. */
export const ZERO_EXPAND = 0x0100;

/** Entries of the block map: 32 bits, the number of the block in the file, or one of these. */
export const ENTRY = {
	/** Never written: the parent's bytes, or zeros. */
	free: 0xffff_ffff,
	/** Reads as zeros, over a parent too. */
	zero: 0xffff_fffe,
} as const;
