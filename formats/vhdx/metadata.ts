import { isPowerOfTwo } from '../../src/bytes/align.ts';
import { guidText } from '../../src/bytes/guid.ts';
import { hex, humanSize } from '../../src/bytes/size.ts';
import type { ByteRange, Source } from '../../src/core/source.ts';
import { CorruptError, UnsupportedError } from '../../src/errors.ts';
import {
	FILE_FLAG,
	fileParameters,
	ITEM,
	ITEM_FLAG,
	ITEM_ID,
	MAX_BLOCK,
	MAX_DISK,
	MAX_METADATA_ITEM,
	MAX_METADATA_ITEMS,
	METADATA_SIGNATURE,
	MIN_BLOCK,
	metadataEntry,
	metadataTable,
	sectorSize,
	virtualDiskId,
	virtualDiskSize,
} from './layout.ts';

/** What the metadata region says of the disk (§2.6). */
export type Metadata = {
	/** Virtual size in bytes. */
	readonly size: number;
	readonly blockSize: number;
	/** Every block is to stay allocated: a fixed disk. */
	readonly fixed: boolean;
	readonly hasParent: boolean;
	readonly sectorSize: 512 | 4096;
	readonly physicalSectorSize: 512 | 4096;
	/** As GUID text. */
	readonly diskId: string;
	/** The item that names the parent, and where it stands. */
	readonly parentLocator: Item | undefined;
	/** Ids of items that vconv does not know, and need not. */
	readonly unknown: readonly string[];
};

/** A metadata item: its bytes and its host offset. */
export type Item = { readonly bytes: Uint8Array; readonly offset: number };

/** @throws CorruptError, UnsupportedError for an item that must be understood and is not. */
export const readMetadata = async (source: Source, region: ByteRange, signal?: AbortSignal): Promise<Metadata> => {
	const path = source.name;
	const places = await readTable(source, region, signal);
	const known: readonly string[] = Object.values(ITEM_ID);
	for (const { id, isUser, isRequired, at } of places) {
		if (isRequired && (isUser || !known.includes(id))) {
			throw new UnsupportedError(`the unknown metadata item ${id}, which must be understood`, { path, offset: at, field: 'itemId' });
		}
	}
	const isKnown = (place: Place) => !place.isUser && known.includes(place.id);
	const find = (name: keyof typeof ITEM_ID) => places.find((place) => isKnown(place) && place.id === ITEM_ID[name]);
	const item = async (name: keyof typeof ITEM_ID, size: number): Promise<Item> => {
		const place = find(name);
		if (!place) throw new CorruptError('a metadata item is missing', { path, offset: region.offset, field: name });
		const offset = region.offset + place.offset;
		if (place.length !== size) {
			throw new CorruptError(`a metadata item of ${place.length} bytes, which has ${size}`, { path, offset: place.at, field: name });
		}
		return { bytes: await source.read(offset, size, signal), offset };
	};
	const corrupt = (field: keyof typeof ITEM_ID, { offset }: Item, why: string) => new CorruptError(why, { path, offset, field });
	const sectors = async (field: 'logicalSectorSize' | 'physicalSectorSize'): Promise<512 | 4096> => {
		const stored = await item(field, sectorSize.size);
		const { value } = sectorSize.decode(stored.bytes, { path, offset: stored.offset });
		if (value !== 512 && value !== 4096) throw corrupt(field, stored, `a sector size of ${value} bytes is neither 512 nor 4096`);
		return value;
	};

	const stored = await item('fileParameters', fileParameters.size);
	const { blockSize, flags } = fileParameters.decode(stored.bytes, { path, offset: stored.offset });
	if (!isPowerOfTwo(blockSize) || blockSize < MIN_BLOCK || blockSize > MAX_BLOCK) {
		throw corrupt('fileParameters', stored, `a block size of ${blockSize} bytes is not a power of two from 1 MiB to 256 MiB`);
	}
	if (flags & ~(FILE_FLAG.leaveBlockAllocated | FILE_FLAG.hasParent)) {
		throw new UnsupportedError(`unknown file parameters ${hex(flags)}`, { path, offset: stored.offset, field: 'fileParameters' });
	}
	const logical = await sectors('logicalSectorSize');
	const diskSize = await item('virtualDiskSize', virtualDiskSize.size);
	const size = virtualDiskSize.decode(diskSize.bytes, { path, offset: diskSize.offset }).value;
	if (size > MAX_DISK) throw corrupt('virtualDiskSize', diskSize, `a virtual size of ${humanSize(size)} is over 64 TiB`);
	if (size % logical !== 0) {
		throw corrupt('virtualDiskSize', diskSize, `a virtual size of ${size} bytes is no multiple of the sector size, ${logical}`);
	}
	const id = await item('virtualDiskId', virtualDiskId.size);
	const locator = find('parentLocator');
	return {
		size,
		blockSize,
		fixed: (flags & FILE_FLAG.leaveBlockAllocated) !== 0,
		hasParent: (flags & FILE_FLAG.hasParent) !== 0,
		sectorSize: logical,
		physicalSectorSize: await sectors('physicalSectorSize'),
		diskId: guidText(id.bytes),
		parentLocator: locator && (await item('parentLocator', locator.length)),
		unknown: places.filter((place) => !isKnown(place)).map((place) => place.id),
	};
};

/** Where the table says an item is, within the region; `at` is the entry's own host offset. */
type Place = {
	readonly id: string;
	readonly offset: number;
	readonly length: number;
	readonly isUser: boolean;
	readonly isRequired: boolean;
	readonly at: number;
};

/** §2.6.1 */
const readTable = async (source: Source, region: ByteRange, signal?: AbortSignal): Promise<Place[]> => {
	const path = source.name;
	const table = await source.read(region.offset, ITEM, signal);
	const { signature, entryCount } = metadataTable.decode(table, { path, offset: region.offset });
	const corrupt = (field: keyof typeof metadataTable.offsets, why: string) =>
		new CorruptError(why, { path, offset: region.offset + metadataTable.offsets[field], field });
	if (signature !== METADATA_SIGNATURE) throw corrupt('signature', 'the metadata region does not begin with its signature');
	if (entryCount > MAX_METADATA_ITEMS) {
		throw corrupt('entryCount', `a metadata table of ${entryCount} entries; ${MAX_METADATA_ITEMS} is the most`);
	}

	const places: Place[] = [];
	for (let index = 0; index < entryCount; index++) {
		const start = metadataTable.size + index * metadataEntry.size;
		const at = region.offset + start;
		const { itemId, offset, length, flags } = metadataEntry.decode(table.subarray(start), { path, offset: at });
		const bad = (field: keyof typeof metadataEntry.offsets, why: string) =>
			new CorruptError(why, { path, offset: at + metadataEntry.offsets[field], field });
		if (length > MAX_METADATA_ITEM) throw bad('length', `a metadata item of ${length} bytes is over 1 MiB`);
		if (length === 0 ? offset !== 0 : offset < ITEM || offset + length > region.length) {
			throw bad('offset', `a metadata item at ${hex(offset)} of the region is outside it, or in its table`);
		}
		places.push({
			id: guidText(itemId),
			offset,
			length,
			isUser: (flags & ITEM_FLAG.isUser) !== 0,
			isRequired: (flags & ITEM_FLAG.isRequired) !== 0,
			at,
		});
	}
	refuseClashes(places, path);
	return places;
};

const refuseClashes = (places: readonly Place[], path: string): void => {
	const seen = new Set<string>();
	let end = 0;
	for (const { id, isUser, at } of places) {
		if (seen.has(`${id}${isUser}`)) throw new CorruptError(`the metadata item ${id} is there twice`, { path, offset: at, field: 'itemId' });
		seen.add(`${id}${isUser}`);
	}
	for (const { offset, length, at } of places.toSorted((a, b) => a.offset - b.offset)) {
		if (length > 0 && offset < end) throw new CorruptError('two metadata items overlap', { path, offset: at, field: 'offset' });
		end = offset + length;
	}
};
