import { ascii, bits64, bytes, struct, u8, u16, u32, u64 } from '../../src/bytes/struct.ts';

/*
 * Microsoft, "Virtual Hard Disk Image Format Specification", version 1.0 (2006). All values are big-endian.
 * https://www.microsoft.com/download/details.aspx?id=23850
 */

export const SECTOR = 512;

/** The last sector of every image; in dynamic and differencing images the first one is a copy of it. "Hard Disk Footer Format". */
export const footerStruct = struct('big', {
	cookie: ascii(8),
	features: u32,
	/** Major version in the upper half. */
	fileFormatVersion: u32,
	/** Host offset of the dynamic header; all ones in fixed images. */
	dataOffset: bits64,
	/** Seconds since 2000-01-01 00:00 UTC. */
	timestamp: u32,
	creatorApplication: ascii(4),
	creatorVersion: u32,
	creatorHostOs: ascii(4),
	/** Virtual size in bytes when the image was made. */
	originalSize: u64,
	/** Virtual size in bytes; but see `virtualSize`. */
	currentSize: u64,
	cylinders: u16,
	heads: u8,
	sectorsPerTrack: u8,
	diskType: u32,
	checksum: u32,
	uniqueId: bytes(16),
	/** 1: the machine was suspended. */
	savedState: u8,
	reserved: bytes(427),
});
export type Footer = ReturnType<typeof footerStruct.decode>;

/** "Dynamic Disk Header Format": of dynamic and differencing images. */
export const headerStruct = struct('big', {
	cookie: ascii(8),
	/** Of a further structure; there is none. */
	dataOffset: bits64,
	/** Host offset of the block allocation table. */
	tableOffset: u64,
	headerVersion: u32,
	maxTableEntries: u32,
	/** Guest bytes in a block. */
	blockSize: u32,
	checksum: u32,
	parentUniqueId: bytes(16),
	parentTimestamp: u32,
	reserved1: u32,
	/** UTF-16, big-endian. */
	parentUnicodeName: bytes(512),
	/** Of `locatorStruct`, `LOCATORS` times. */
	parentLocators: bytes(8 * 24),
	reserved2: bytes(256),
});
export type Header = ReturnType<typeof headerStruct.decode>;

/** "Parent Locator Entries": where the parent is, in the words of one platform. */
export const locatorStruct = struct('big', {
	platformCode: ascii(4),
	/** Room for the data: in sectors by the specification, in bytes by everyone. Nothing depends on it. */
	platformDataSpace: u32,
	/** In bytes. */
	platformDataLength: u32,
	reserved: u32,
	platformDataOffset: bits64,
});

export const LOCATORS = 8;
export const FOOTER_COOKIE = 'conectix';
export const HEADER_COOKIE = 'cxsparse';
/** The footers that Virtual PC wrote before 2004 lack the last byte. */
export const SHORT_FOOTER = 511;
/** Version 1.0 of the footer and of the header. */
export const VERSION = 0x00010000;
/** `dataOffset` of a fixed image, and of every header. */
export const NO_OFFSET = 0xffff_ffff_ffff_ffffn;
/** A BAT entry of a block that is not there. */
export const UNUSED = 0xffffffff;

export const FEATURES = { temporary: 1, reserved: 2 } as const;
/** There are others, all deprecated and none ever written. */
export const DISK_TYPES = { fixed: 2, dynamic: 3, differencing: 4 } as const;
export type DiskType = keyof typeof DISK_TYPES;

/** What the BAT can address, less what it needs itself: Hyper-V, VirtualBox and QEMU all stop at 2,040 GiB. */
export const MAX_SIZE = 2040 * 2 ** 30;
/** Larger blocks than anything writes. Their sector bitmap takes 64 KiB. */
export const MAX_BLOCK = 2 ** 28;

/** Bytes of the sector bitmap before each block: a bit a sector, in whole sectors. "Data Blocks". */
export const bitmapSize = (blockSize: number): number => Math.ceil(blockSize / SECTOR / 8 / SECTOR) * SECTOR;

/** The ones' complement of the sum of all bytes but those of the checksum itself, which is at `at`. */
export const checksum = (record: Uint8Array, at: number): number => {
	let sum = 0;
	for (const [index, byte] of record.entries()) if (index < at || index >= at + 4) sum += byte;
	return ~sum >>> 0;
};

/** The record with its checksum in place. */
export const sealed = (record: Uint8Array, at: number): Uint8Array => {
	new DataView(record.buffer, record.byteOffset).setUint32(at, checksum(record, at));
	return record;
};
