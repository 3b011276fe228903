import { alignUp } from '../../src/bytes/align.ts';
import { crc32c } from '../../src/bytes/crc32c.ts';
import { joinBytes } from '../../src/bytes/join.ts';
import { utf16Bytes } from '../../src/bytes/utf16.ts';
import type { ByteRange } from '../../src/core/source.ts';
import {
	BAT_REGION,
	CHECKSUM_AT,
	FILE_FLAG,
	fileParameters,
	guid,
	HEADER_SIGNATURE,
	HEADER_SIZE,
	header,
	IDENTIFIER,
	ITEM,
	ITEM_FLAG,
	ITEM_ID,
	logicalSectorSize,
	METADATA_REGION,
	METADATA_SIGNATURE,
	metadataEntry,
	metadataTable,
	physicalSectorSize,
	REGION_SIGNATURE,
	regionEntry,
	regionTable,
	virtualDiskId,
	virtualDiskSize,
} from './layout.ts';
import type { Settings } from './options.ts';

/** §2.2.1 */
export const encodeIdentifier = (creator: string): Uint8Array => joinBytes([IDENTIFIER, utf16Bytes(creator, { littleEndian: true })]);

export type HeaderFields = {
	readonly sequenceNumber: bigint;
	readonly fileWriteGuid: Uint8Array;
	readonly dataWriteGuid: Uint8Array;
	readonly log: ByteRange;
};

/** A header of a file whose log is empty (§2.2.2). */
export const encodeHeader = ({ sequenceNumber, fileWriteGuid, dataWriteGuid, log }: HeaderFields): Uint8Array =>
	sealed(
		HEADER_SIZE,
		header.encode({
			signature: HEADER_SIGNATURE,
			checksum: 0,
			sequenceNumber,
			fileWriteGuid,
			dataWriteGuid,
			logGuid: new Uint8Array(16),
			logVersion: 0,
			version: 1,
			logLength: log.length,
			logOffset: log.offset,
		}),
	);

/** §2.2.3 */
export const encodeRegions = (bat: ByteRange, metadata: ByteRange): Uint8Array =>
	sealed(
		ITEM,
		joinBytes([
			regionTable.encode({ signature: REGION_SIGNATURE, checksum: 0, entryCount: 2, reserved: 0 }),
			regionEntry.encode({ guid: guid(METADATA_REGION), fileOffset: metadata.offset, length: metadata.length, required: 1 }),
			regionEntry.encode({ guid: guid(BAT_REGION), fileOffset: bat.offset, length: bat.length, required: 1 }),
		]),
	);

/** The used part of the metadata region (§2.6). @param locator the parent's, of a differencing image. */
export const encodeMetadata = (settings: Settings, diskId: Uint8Array, locator: Uint8Array | undefined): Uint8Array => {
	const { size, geometry, fixed } = settings;
	const flags = locator ? FILE_FLAG.hasParent : fixed ? FILE_FLAG.leaveBlockAllocated : 0;
	const ofDisk = ITEM_FLAG.isVirtualDisk | ITEM_FLAG.isRequired;
	const items: [string, number, Uint8Array][] = [
		[ITEM_ID.fileParameters, ITEM_FLAG.isRequired, fileParameters.encode({ blockSize: geometry.blockSize, flags })],
		[ITEM_ID.virtualDiskSize, ofDisk, virtualDiskSize.encode({ virtualDiskSize: size })],
		[ITEM_ID.logicalSectorSize, ofDisk, logicalSectorSize.encode({ logicalSectorSize: geometry.sectorSize })],
		[ITEM_ID.physicalSectorSize, ofDisk, physicalSectorSize.encode({ physicalSectorSize: settings.physicalSectorSize })],
		[ITEM_ID.virtualDiskId, ofDisk, virtualDiskId.encode({ virtualDiskId: diskId })],
	];
	if (locator) items.push([ITEM_ID.parentLocator, ITEM_FLAG.isRequired, locator]);

	let offset = ITEM;
	const entries = items.map(([id, flags, { length }]) => {
		const entry = metadataEntry.encode({ itemId: guid(id), offset, length, flags, reserved2: 0 });
		offset += length;
		return entry;
	});
	const table = metadataTable.encode({
		signature: METADATA_SIGNATURE,
		reserved: 0,
		entryCount: entries.length,
		reserved2: new Uint8Array(20),
	});
	const head = joinBytes([table, ...entries]);
	return joinBytes([head, new Uint8Array(alignUp(head.length, ITEM) - head.length), ...items.map(([, , bytes]) => bytes)]);
};

/** `bytes` filled up with zeros to `size`, with its checksum. */
const sealed = (size: number, bytes: Uint8Array): Uint8Array => {
	const whole = new Uint8Array(size);
	whole.set(bytes);
	new DataView(whole.buffer).setUint32(CHECKSUM_AT, crc32c(whole, CHECKSUM_AT), true);
	return whole;
};
