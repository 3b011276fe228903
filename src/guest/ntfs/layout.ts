/**
 * The structures of NTFS 3.0 and 3.1. Microsoft publishes no specification; the names follow the Linux-NTFS project's "NTFS
 * Documentation". All is little-endian.
 *
 * Everything is a file: a record of the master file table (MFT), which is a row of attributes. An attribute's value stands in the
 * record (resident) or in clusters that its run list tells. A cluster has a logical number (LCN, on the volume) and a virtual one
 * (VCN, in the value).
 */
import { ascii, bytes, struct, u8, u16, u32, u64 } from '../../bytes/struct.ts';

export const bootSector = struct('little', {
	jump: bytes(3),
	oem: ascii(8),
	bytesPerSector: u16,
	/** Over 128: two to the power of 256 less it. */
	sectorsPerCluster: u8,
	unused: bytes(26),
	/** Of the volume, without the copy of this sector behind its end. */
	sectors: u64,
	mftCluster: u64,
	mirrorCluster: u64,
	/** In clusters, or, over 127, two to the power of 256 less it in bytes. */
	recordSize: u8,
	reserved1: bytes(3),
	/** Of an index block, in the same way. */
	indexSize: u8,
	reserved2: bytes(3),
	serial: bytes(8),
});

export const OEM = 'NTFS    ';

/** Records whose numbers are fixed. */
export const RECORD = { mft: 0, log: 2, volume: 3, root: 5, bitmap: 6 } as const;

/** The start of every record and index block: where its fixups are. */
export const multiSector = struct('little', { signature: ascii(4), fixupsAt: u16, fixups: u16 });

/** A fixup ends each stride of so many bytes, whatever the disk's sectors. */
export const STRIDE = 512;

/** A record of the MFT. */
export const fileRecord = struct('little', {
	...{ signature: ascii(4), fixupsAt: u16, fixups: u16 },
	logSequence: bytes(8),
	sequence: u16,
	links: u16,
	attributesAt: u16,
	flags: u16,
	used: u32,
	allocated: u32,
	/** The record that this one is an extension of; zeros in a file's own. */
	baseRecord: bytes(8),
});

export const RECORD_FLAG = { inUse: 0x01, directory: 0x02 } as const;

export const ATTRIBUTE = {
	list: 0x20,
	volumeName: 0x60,
	volumeInformation: 0x70,
	data: 0x80,
	indexRoot: 0x90,
	indexAllocation: 0xa0,
	reparsePoint: 0xc0,
	end: 0xffff_ffff,
} as const;

export const attributeHead = struct('little', {
	type: u32,
	size: u32,
	nonResident: u8,
	/** In characters. */
	nameLength: u8,
	nameAt: u16,
	flags: u16,
	id: u16,
});

export const ATTRIBUTE_FLAG = { compressed: 0x00ff, encrypted: 0x4000 } as const;

/** Behind `attributeHead` of a resident attribute. */
export const residentPart = struct('little', { valueSize: u32, valueAt: u16 });

/** Behind `attributeHead` of another one. The sizes hold in the part with the first VCN 0 alone. */
export const nonResidentPart = struct('little', {
	firstVcn: u64,
	/** All ones for an empty value. */
	lastVcn: bytes(8),
	runsAt: u16,
	/** Clusters that are compressed together, as a power of two; 0 for none. */
	compressionUnit: u8,
	reserved: bytes(5),
});

/** Behind `nonResidentPart` where the first VCN is 0, in bytes. */
export const valueSizes = struct('little', { allocated: u64, size: u64, /** Behind it the value reads as zeros. */ initialized: u64 });

/** An entry of an attribute list: where a part of an attribute is. */
export const listEntry = struct('little', {
	type: u32,
	size: u16,
	nameLength: u8,
	nameAt: u8,
	firstVcn: bytes(8),
	/** Of the record, and its sequence number in the upper 16 bits. */
	record: bytes(8),
	id: u16,
});

/** The value of an index root, in front of its `indexHead`. */
export const indexRoot = struct('little', { type: u32, collation: u32, blockSize: u32, clusters: u8, reserved: bytes(3) });

/** An index block, in front of its `indexHead`. */
export const indexBlock = struct('little', {
	...{ signature: ascii(4), fixupsAt: u16, fixups: u16 },
	logSequence: bytes(8),
	/** Its own number, in units of clusters, or of 512 bytes where it is smaller than a cluster. */
	vcn: u64,
});

/** Offsets from its own start, in bytes. */
export const indexHead = struct('little', { entriesAt: u32, used: u32, allocated: u32, flags: u32 });

/** An entry of a directory's index, in front of its `fileName`. */
export const indexEntry = struct('little', { record: bytes(8), size: u16, keySize: u16, flags: u32 });

/** A block hangs beneath the entry, its number in the last eight bytes; the entry is the last, and has no name. */
export const ENTRY_FLAG = { child: 0x01, last: 0x02 } as const;

export const fileName = struct('little', {
	parent: bytes(8),
	times: bytes(32),
	allocated: bytes(8),
	size: bytes(8),
	flags: u32,
	reparse: u32,
	/** In characters. */
	nameLength: u8,
	namespace: u8,
});

export const FILE_FLAG = { reparsePoint: 0x400, directory: 0x1000_0000 } as const;

/** Names made for DOS, of files that have another. */
export const NAMESPACE_DOS = 2;

/** The value of $VOLUME_INFORMATION. */
export const volumeInformation = struct('little', { reserved: bytes(8), major: u8, minor: u8, flags: u16 });

export const VOLUME_FLAG = { dirty: 0x0001, chkdsk: 0x4000 } as const;

/** A page of $LogFile's restart area: only what tells whether the log was closed. */
export const restartPage = struct('little', {
	...{ signature: ascii(4), fixupsAt: u16, fixups: u16 },
	checkedSequence: bytes(8),
	systemPageSize: u32,
	logPageSize: u32,
	areaAt: u16,
});

export const restartArea = struct('little', { sequence: bytes(8), clients: u16, freeClients: u16, usedClients: u16, flags: u16 });

/** No client uses the log; the log was closed in order. */
export const LOG = { noClient: 0xffff, closed: 0x02 } as const;
