/**
 * The structures of a registry hive ("regf", versions 1.3 to 1.6) and of its transaction logs. Microsoft publishes no specification;
 * the names follow Maxim Suhanov's "Windows registry file format specification". All is little-endian.
 *
 * A hive is a base block of 4,096 bytes, and behind it bins full of cells. A cell begins with its size, negative while it is in
 * use, and is named by its offset from the end of the base block.
 */
import { ascii, bytes, struct, u16, u32 } from '../../bytes/struct.ts';

/** Where the bins begin, in bytes: what the offsets of cells are counted from. */
export const BINS_AT = 4096;

/** The offset that means "none". */
export const NO_CELL = 0xffff_ffff;

/** The part of the base block that its checksum covers, and the checksum. A log begins with a copy of it. */
export const baseBlock = struct('little', {
	signature: ascii(4),
	/** Counted up before the hive is written, and `secondarySequence` after: they differ while something is missing. */
	primarySequence: u32,
	secondarySequence: u32,
	/** FILETIME of the last write. */
	lastWritten: bytes(8),
	major: u32,
	minor: u32,
	/** 0 a hive, 1 or 2 a log of old, 6 a log of Windows 8.1 and later. */
	fileType: u32,
	fileFormat: u32,
	rootCell: u32,
	/** Of all bins, in bytes. */
	binsSize: u32,
	clustering: u32,
	rest: bytes(460),
	/** XOR of the 127 words in front of it. */
	checksum: u32,
});

export const HIVE_SIGNATURE = 'regf';

/** A key: an "nk" cell, without its name, which follows. */
export const keyNode = struct('little', {
	signature: ascii(2),
	flags: u16,
	lastWritten: bytes(8),
	access: u32,
	parent: u32,
	subkeys: u32,
	volatileSubkeys: u32,
	subkeyList: u32,
	volatileSubkeyList: u32,
	values: u32,
	valueList: u32,
	security: u32,
	className: u32,
	longestNames: bytes(16),
	workVar: u32,
	/** In bytes. */
	nameLength: u16,
	classNameLength: u16,
});

/** A key's name has a byte for each character (Latin-1), not two. */
export const KEY_NAME_LATIN1 = 0x20;

/** A value: a "vk" cell, without its name, which follows. */
export const keyValue = struct('little', {
	signature: ascii(2),
	/** In bytes; 0 for the default value, which has no name. */
	nameLength: u16,
	/** In bytes; with the highest bit set, up to four bytes stand in `data` itself. */
	dataSize: u32,
	/** A cell of bytes, or of a list of cells ("db") where they are more than `SEGMENT`. */
	data: u32,
	type: u32,
	flags: u16,
	spare: u16,
});

/** A value's name has a byte for each character. */
export const VALUE_NAME_LATIN1 = 0x01;

/** In `dataSize`: the data stands in the cell itself. */
export const DATA_INLINE = 0x8000_0000;

/** The most data that one cell holds, in bytes. */
export const SEGMENT = 16344;

/** The "db" cell of data in several cells. */
export const bigData = struct('little', { signature: ascii(2), segments: u16, list: u32 });

/** What the type of a value says of its data. */
export const VALUE_TYPE = { text: 1, expandable: 2, binary: 3, number: 4, bigEndian: 5, texts: 7, wide: 11 } as const;

/** Where the entries of a log begin, in bytes. */
export const LOG_ENTRIES_AT = 512;

/** One entry of a log of Windows 8.1 and later, without the list of pages and the pages, which follow. */
export const logEntry = struct('little', {
	signature: ascii(4),
	/** With pages and padding, in bytes: a multiple of 512. */
	size: u32,
	flags: u32,
	sequence: u32,
	/** What the hive's `binsSize` is after it. */
	binsSize: u32,
	pages: u32,
	/** Marvin32 of everything from the list of pages on. */
	pagesHash: bytes(8),
	/** Marvin32 of the 32 bytes in front of it. */
	headHash: bytes(8),
});

export const LOG_ENTRY_SIGNATURE = 'HvLE';

/** At `LOG_ENTRIES_AT` in the logs of Windows 8 and before. */
export const OLD_LOG_SIGNATURE = 'DIRT';

/** A page that an entry of a log changes: where in the bins, and how long, both in bytes. */
export const logPage = struct('little', { offset: u32, size: u32 });
