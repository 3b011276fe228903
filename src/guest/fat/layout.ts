/**
 * The structures of FAT12, FAT16 and FAT32: Microsoft's "FAT32 File System Specification" 1.03, and for long names its "Long Filename
 * Specification" in the same document. All is little-endian.
 */
import { bytes, struct, u8, u16, u32 } from '../../bytes/struct.ts';

/** The first sector: §3.1 and §3.2, what all three have. */
export const bootSector = struct('little', {
	jump: bytes(3),
	oem: bytes(8),
	bytesPerSector: u16,
	sectorsPerCluster: u8,
	/** In front of the first table, in sectors. */
	reservedSectors: u16,
	tables: u8,
	/** Of the root directory, which lies behind the tables; 0 on FAT32, where it is a chain as others are. */
	rootEntries: u16,
	sectors16: u16,
	media: u8,
	/** Of one table, in sectors; 0 on FAT32. */
	tableSectors16: u16,
	sectorsPerTrack: u16,
	heads: u16,
	hiddenSectors: u32,
	sectors32: u32,
});

/** Behind `bootSector` on FAT32: §3.3. */
export const fat32 = struct('little', {
	tableSectors: u32,
	flags: u16,
	version: u16,
	rootCluster: u32,
	infoSector: u16,
	backupSector: u16,
	reserved: bytes(12),
});

/** Behind `bootSector` on FAT12 and FAT16, behind `fat32` on FAT32. */
export const volumeFields = struct('little', {
	drive: u8,
	/** Linux notes here what Windows notes in the table: see `STATE`. */
	state: u8,
	/** 0x29 where id and label are there; 0x28 where the id alone is. */
	signature: u8,
	id: u32,
	label: bytes(11),
	typeText: bytes(8),
});

export const STATE = { dirty: 0x01, errors: 0x02 } as const;

/** §6. A file, a directory, the volume's label, or a part of a long name. */
export const directoryEntry = struct('little', {
	name: bytes(11),
	attributes: u8,
	/** 0x08 the name, 0x10 the extension is in lower case. */
	caseBits: u8,
	created: bytes(7),
	clusterHigh: u16,
	modified: bytes(4),
	clusterLow: u16,
	/** In bytes; 0 for directories. */
	size: u32,
});

export const ATTRIBUTE = { label: 0x08, directory: 0x10, longName: 0x0f, mask: 0x3f } as const;

/** §7: where the 13 characters of a part of a long name stand in its entry. */
export const LONG_NAME_PARTS = [
	[1, 5],
	[14, 6],
	[28, 2],
] as const;

/** The first byte of an entry that is no longer, and of one behind which there are none. */
export const ENTRY = { deleted: 0xe5, end: 0x00, /** Stands for a name that begins with 0xE5. */ escaped: 0x05 } as const;

/** A directory has 65,536 entries at the most (§6.9), in bytes. */
export const LARGEST_DIRECTORY = 65536 * 32;
