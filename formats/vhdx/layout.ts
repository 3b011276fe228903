/** [MS-VHDX] Virtual Hard Disk v2 (VHDX) File Format, version 8.0: https://learn.microsoft.com/openspecs/windows_protocols/ms-vhdx */

import { guidBytes } from '../../src/bytes/guid.ts';
import { bits64, bytes, struct, u16, u32, u64 } from '../../src/bytes/struct.ts';
import { LARGEST_DISK } from '../../src/core/limits.ts';

export const KiB = 1024;
export const MiB = 1024 * KiB;

/** §2.2. Every structure but those of the header section is aligned to 1 MiB. */
export const HEADER_SECTION = 1 * MiB;
/** Each of the five items of the header section has this much room. */
export const ITEM = 64 * KiB;
export const HEADERS_AT = [ITEM, 2 * ITEM] as const;
export const REGION_TABLES_AT = [3 * ITEM, 4 * ITEM] as const;

/** Where a checksum stands in a header, a region table and a log entry; it counts as zeros in its own sum. */
export const CHECKSUM_AT = 4;

/** No file of the largest disk, with any tables, is as long as this. */
export const MAX_FILE = 2 * LARGEST_DISK;
/** §2.6.2.1 */
export const MIN_BLOCK = 1 * MiB;
export const MAX_BLOCK = 256 * MiB;
/** §2.4: sectors that one sector bitmap block describes, a bit each in 1 MiB. */
export const SECTORS_PER_BITMAP = 2 ** 23;

/** §2.2.1, 'vhdxfile'. Behind it up to 512 bytes of UTF-16 name what made the file. */
export const IDENTIFIER = new Uint8Array([0x76, 0x68, 0x64, 0x78, 0x66, 0x69, 0x6c, 0x65]);
export const CREATOR_SIZE = 512;

/** §2.2.2 */
export const HEADER_SIZE = 4 * KiB;
export const HEADER_SIGNATURE = 0x64616568; // 'head'
export const header = struct('little', {
	signature: u32,
	checksum: u32,
	sequenceNumber: bits64,
	fileWriteGuid: bytes(16),
	dataWriteGuid: bytes(16),
	logGuid: bytes(16),
	logVersion: u16,
	version: u16,
	logLength: u32,
	logOffset: u64,
});

/** §2.2.3.1 */
export const REGION_SIGNATURE = 0x69676572; // 'regi'
export const MAX_REGIONS = 2047;
export const regionTable = struct('little', { signature: u32, checksum: u32, entryCount: u32, reserved: u32 });

/** §2.2.3.2 */
export const regionEntry = struct('little', { guid: bytes(16), fileOffset: u64, length: u32, required: u32 });
export const BAT_REGION = '2dc27766-f623-4200-9d64-115e9bfd4a08';
export const METADATA_REGION = '8b7ca206-4790-4b9a-b8fe-575f050f886e';

/** §2.3.1 */
export const LOG_SECTOR = 4 * KiB;
/** A log beyond this is refused; Windows writes logs of 1 MiB. */
export const MAX_LOG = 64 * MiB;

/** §2.3.1.1 */
export const LOG_ENTRY_SIGNATURE = 0x65676f6c; // 'loge'
export const logEntry = struct('little', {
	signature: u32,
	checksum: u32,
	entryLength: u32,
	tail: u32,
	sequenceNumber: bits64,
	descriptorCount: u32,
	reserved: u32,
	logGuid: bytes(16),
	flushedFileOffset: u64,
	lastFileOffset: u64,
});

/** §2.3.1.2 */
export const ZERO_SIGNATURE = 0x6f72657a; // 'zero'
export const zeroDescriptor = struct('little', { signature: u32, reserved: u32, length: u64, fileOffset: u64, sequenceNumber: bits64 });

/** §2.3.1.3 */
export const DATA_SIGNATURE = 0x63736564; // 'desc'
export const dataDescriptor = struct('little', {
	signature: u32,
	trailingBytes: bytes(4),
	leadingBytes: bytes(8),
	fileOffset: u64,
	sequenceNumber: bits64,
});

/** §2.3.1.4 */
export const SECTOR_SIGNATURE = 0x61746164; // 'data'
export const dataSector = struct('little', { signature: u32, sequenceHigh: u32, data: bytes(4084), sequenceLow: u32 });

/** §2.5.1.1, and for sector bitmap blocks §2.5.1.2, which knows NOT_PRESENT and FULLY_PRESENT alone. */
export const STATE = { notPresent: 0, undefined: 1, zero: 2, unmapped: 3, fullyPresent: 6, partiallyPresent: 7 } as const;

/** §2.6.1.1: its first 8 bytes, 'metadata'. */
export const METADATA_SIGNATURE = 0x617461646174656dn;
export const MAX_METADATA_ITEMS = 2047;
export const MAX_METADATA_ITEM = 1 * MiB;
export const metadataTable = struct('little', { signature: bits64, reserved: u16, entryCount: u16, reserved2: bytes(20) });

/** §2.6.1.2. Offsets count from the start of the region. */
export const metadataEntry = struct('little', { itemId: bytes(16), offset: u32, length: u32, flags: u32, reserved2: u32 });
export const ITEM_FLAG = { isUser: 1, isVirtualDisk: 2, isRequired: 4 } as const;

/** §2.6.2 */
export const ITEM_ID = {
	fileParameters: 'caa16737-fa36-4d43-b3b6-33f0aa44e76b',
	virtualDiskSize: '2fa54224-cd1b-4876-b211-5dbed83bf4b8',
	virtualDiskId: 'beca12ab-b2e6-4523-93ef-c309e000c746',
	logicalSectorSize: '8141bf1d-a96f-4709-ba47-f233a8faab5f',
	physicalSectorSize: 'cda348c7-445d-4471-9cc9-e9885251c556',
	parentLocator: 'a8d35f2d-b30b-454d-abf7-d3d84834ab0c',
} as const;

/** §2.6.2.1 */
export const fileParameters = struct('little', { blockSize: u32, flags: u32 });
export const FILE_FLAG = { leaveBlockAllocated: 1, hasParent: 2 } as const;

/** §2.6.2.2, §2.6.2.3, §2.6.2.4 and §2.6.2.5 */
export const virtualDiskSize = struct('little', { virtualDiskSize: u64 });
export const virtualDiskId = struct('little', { virtualDiskId: bytes(16) });
export const logicalSectorSize = struct('little', { logicalSectorSize: u32 });
export const physicalSectorSize = struct('little', { physicalSectorSize: u32 });

/** §2.6.2.6.1 and §2.6.2.6.2: keys and values are UTF-16; offsets count from the start of the item. */
export const locator = struct('little', { type: bytes(16), reserved: u16, count: u16 });
export const locatorEntry = struct('little', { keyOffset: u32, valueOffset: u32, keyLength: u16, valueLength: u16 });
/** §2.6.2.6.3: the parent is a VHDX file. */
export const VHDX_LOCATOR = 'b04aefb7-d19e-4a81-b789-25b8e9445913';

/** The bytes of one of the GUIDs above. */
export const guid = (text: string): Uint8Array => guidBytes(text) as Uint8Array;
