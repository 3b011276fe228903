import { guidText } from '../../src/bytes/guid.ts';
import { hex } from '../../src/bytes/size.ts';
import type { ByteRange, Source } from '../../src/core/source.ts';
import { CorruptError, UnsupportedError } from '../../src/errors.ts';
import {
	ITEM,
	ITEM_FLAG,
	ITEM_ID,
	MAX_METADATA_ITEM,
	MAX_METADATA_ITEMS,
	METADATA_SIGNATURE,
	metadataEntry,
	metadataTable,
} from './layout.ts';

/** A metadata item: its bytes and its host offset. */
export type Item = { readonly bytes: Uint8Array; readonly offset: number };

export type ItemName = keyof typeof ITEM_ID;

/** The items of a metadata region. */
export type Items = {
	/** @throws CorruptError if it is missing. */
	read(name: ItemName): Promise<Item>;
	has(name: ItemName): boolean;
	/** Ids of items that vconv does not know, and need not. */
	readonly unknown: readonly string[];
};

/** @throws CorruptError, UnsupportedError for an item that must be understood and is not. */
export const readItems = async (source: Source, region: ByteRange, signal?: AbortSignal): Promise<Items> => {
	const path = source.name;
	const places = await readTable(source, region, signal);
	const known = new Map<string, Place>();
	const unknown: string[] = [];
	const ids: readonly string[] = Object.values(ITEM_ID);
	for (const place of places) {
		if (!place.isUser && ids.includes(place.id)) known.set(place.id, place);
		else if (!place.isRequired) unknown.push(place.id);
		else {
			const detail = { path, offset: place.at, field: 'itemId' };
			throw new UnsupportedError(`the unknown metadata item ${place.id}, which must be understood`, detail);
		}
	}
	return {
		unknown,
		has: (name) => known.has(ITEM_ID[name]),
		async read(name) {
			const place = known.get(ITEM_ID[name]);
			if (!place) throw new CorruptError('a metadata item is missing', { path, offset: region.offset, field: name });
			const offset = region.offset + place.offset;
			return { bytes: await source.read(offset, place.length, signal), offset };
		},
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
		const isUser = (flags & ITEM_FLAG.isUser) !== 0;
		const isRequired = (flags & ITEM_FLAG.isRequired) !== 0;
		places.push({ id: guidText(itemId), offset, length, isUser, isRequired, at });
	}
	refuseClashes(places, path);
	return places;
};

/** Ids are unique, those of users and of the system apart, and items do not overlap. */
const refuseClashes = (places: readonly Place[], path: string): void => {
	const seen = new Set<string>();
	for (const { id, isUser, at } of places) {
		if (seen.has(`${id}${isUser}`)) throw new CorruptError(`the metadata item ${id} is there twice`, { path, offset: at, field: 'itemId' });
		seen.add(`${id}${isUser}`);
	}
	let end = 0;
	for (const { offset, length, at } of places.toSorted((a, b) => a.offset - b.offset)) {
		if (length > 0 && offset < end) throw new CorruptError('two metadata items overlap', { path, offset: at, field: 'offset' });
		end = offset + length;
	}
};
