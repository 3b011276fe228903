import { crc32c } from '../../src/bytes/crc32c.ts';
import { guidText } from '../../src/bytes/guid.ts';
import { hex } from '../../src/bytes/size.ts';
import type { ByteRange, Source } from '../../src/core/source.ts';
import { CorruptError, UnsupportedError } from '../../src/errors.ts';
import type { Header } from './header.ts';
import {
	BAT_REGION,
	CHECKSUM_AT,
	HEADER_SECTION,
	ITEM,
	MAX_REGIONS,
	METADATA_REGION,
	MiB,
	REGION_SIGNATURE,
	REGION_TABLES_AT,
	regionEntry,
	regionTable,
} from './layout.ts';

export type Regions = {
	readonly bat: ByteRange;
	readonly metadata: ByteRange;
	/** Everything that no block may lie in, ascending: the header section, the log, all regions, known or not. */
	readonly reserved: readonly ByteRange[];
	/** Host offsets of the copies of the table that are damaged: one at the most. */
	readonly damaged: readonly number[];
	/** Both copies are whole and say different things; the first is believed. */
	readonly differ: boolean;
};

/**
 * Where the BAT and the metadata are (§2.2.3). The log must have been replayed.
 * @throws CorruptError, UnsupportedError for a region that must be understood and is not.
 */
export const readRegions = async (source: Source, header: Header, signal?: AbortSignal): Promise<Regions> => {
	const path = source.name;
	const copies = await Promise.all(REGION_TABLES_AT.map((at) => readCopy(source, at, signal)));
	const table = copies.find((copy) => copy !== undefined);
	if (!table) {
		throw new CorruptError('neither of its two region tables is whole: their checksums do not hold', {
			path,
			offset: REGION_TABLES_AT[0] + CHECKSUM_AT,
			field: 'checksum',
			hint: 'a copy of the file from before the damage',
		});
	}

	const known = new Map<string, ByteRange>();
	const reserved: ByteRange[] = [{ offset: 0, length: HEADER_SECTION }];
	if (header.logLength > 0) reserved.push({ offset: header.logOffset, length: header.logLength });
	const seen = new Set<string>();
	for (const { at, entry } of entriesOf(table, path)) {
		const id = guidText(entry.guid);
		const place = (field: keyof typeof entry) => ({ path, offset: at + regionEntry.offsets[field], field });
		if (seen.has(id)) throw new CorruptError(`the region ${id} is there twice`, place('guid'));
		seen.add(id);
		if (entry.fileOffset % MiB !== 0 || entry.fileOffset < HEADER_SECTION) {
			throw new CorruptError(
				`the region at ${hex(entry.fileOffset)} is not on a multiple of 1 MiB behind the headers`,
				place('fileOffset'),
			);
		}
		if (entry.length === 0 || entry.length % MiB !== 0) {
			throw new CorruptError(`a region's length ${hex(entry.length)} is not a multiple of 1 MiB`, place('length'));
		}
		if (entry.fileOffset + entry.length > source.size) {
			throw new CorruptError(`the region at ${hex(entry.fileOffset)} ends behind the file`, place('fileOffset'));
		}
		const range = { offset: entry.fileOffset, length: entry.length };
		reserved.push(range);
		if (id === BAT_REGION || id === METADATA_REGION) known.set(id, range);
		else if (entry.required !== 0) throw new UnsupportedError(`the unknown region ${id}, which must be understood`, place('guid'));
	}

	reserved.sort((a, b) => a.offset - b.offset);
	for (const [index, range] of reserved.entries()) {
		const next = reserved[index + 1];
		if (next && range.offset + range.length > next.offset) {
			throw new CorruptError(`two regions, or a region and the log, overlap at ${hex(next.offset)}`, { path, offset: next.offset });
		}
	}
	const [bat, metadata] = [known.get(BAT_REGION), known.get(METADATA_REGION)];
	if (!bat) throw new CorruptError('it has no BAT region', { path, offset: table.offset });
	if (!metadata) throw new CorruptError('it has no metadata region', { path, offset: table.offset });
	const differ = copies.some((copy) => copy && table.bytes.some((byte, at) => byte !== copy.bytes[at]));
	return { bat, metadata, reserved, damaged: REGION_TABLES_AT.filter((_, copy) => !copies[copy]), differ };
};

type Copy = { readonly bytes: Uint8Array; readonly offset: number };

/** One region table; undefined if it is not whole. */
const readCopy = async (source: Source, offset: number, signal?: AbortSignal): Promise<Copy | undefined> => {
	const bytes = await source.read(offset, ITEM, signal);
	const view = new DataView(bytes.buffer, bytes.byteOffset);
	const whole = view.getUint32(0, true) === REGION_SIGNATURE && view.getUint32(CHECKSUM_AT, true) === crc32c(bytes, CHECKSUM_AT);
	return whole ? { bytes, offset } : undefined;
};

function* entriesOf(table: Copy, path: string) {
	const { entryCount } = regionTable.decode(table.bytes, { path, offset: table.offset });
	if (entryCount > MAX_REGIONS) {
		throw new CorruptError(`a region table of ${entryCount} entries; ${MAX_REGIONS} is the most`, {
			path,
			offset: table.offset + regionTable.offsets.entryCount,
			field: 'entryCount',
		});
	}
	for (let index = 0; index < entryCount; index++) {
		const start = regionTable.size + index * regionEntry.size;
		const at = table.offset + start;
		yield { at, entry: regionEntry.decode(table.bytes.subarray(start), { path, offset: at }) };
	}
}
