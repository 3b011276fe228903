import type { Extent, PackMethod } from '../../src/core/disk.ts';
import type { Source } from '../../src/core/source.ts';
import { clip } from '../../src/disk/clip.ts';
import { CorruptError } from '../../src/errors.ts';
import { decodeEntry, type EntryRules, hostOffset, l1Reserved } from './entries.ts';
import type { L1Table } from './header.ts';
import { SUBCLUSTERS } from './layout.ts';

/** What the map of a disk is made of. */
export type MapContext = EntryRules & {
	/** The image, through a cache: tables are read from it. */
	readonly tables: Source;
	/** Where clusters are: the image itself, or its external data file. */
	readonly data: Source;
	readonly l1: L1Table;
	readonly method: PackMethod;
	/** Structures of the image, which neither data nor an L2 table may lie in. */
	readonly occupied: readonly Region[];
};

/** A part of the image; `what` names it. */
export type Region = { readonly what: string; readonly offset: number; readonly length: number };

/** L1 entries are read so many at a time: a page of the cache. */
const L1_PIECE = 8192;

/**
 * The map of `[start, start + length)`. At most one L2 table is held; what no L2 table maps is one run, whatever its size.
 * @throws CorruptError for an entry that contradicts the format, or points outside of the file or into another structure.
 */
export async function* mapDisk(context: MapContext, start: number, length: number, signal?: AbortSignal): AsyncGenerator<Extent> {
	const { clusterSize, tableSpan, entrySize } = context.geometry;
	const end = start + length;
	let at = start;
	let tables = 0;
	for await (const { index, table } of l2Tables(context, Math.floor(start / tableSpan), Math.ceil(end / tableSpan), signal)) {
		// Each table has clusters of its own, so a file holds only so many: without this, a forged L1 table takes hours.
		if (++tables * clusterSize > context.tables.size)
			throw new CorruptError('its L1 entries share L2 tables', { path: context.tables.name });
		const origin = index * tableSpan;
		const from = Math.max(start, origin);
		const to = Math.min(end, origin + tableSpan);
		if (from > at) yield { kind: 'absent', offset: at, length: from - at };
		const first = Math.floor((from - origin) / clusterSize);
		const count = Math.ceil((to - origin) / clusterSize) - first;
		const place = table + first * entrySize;
		const entries = await context.tables.read(place, count * entrySize, signal);
		for (const run of runs(context, entries, place, origin + first * clusterSize)) {
			if (run.offset + run.length > from && run.offset < to) yield checked(context, clip(run, from, to));
		}
		at = to;
	}
	if (at < end) yield { kind: 'absent', offset: at, length: end - at };
}

/** The L2 tables that the L1 entries of `[first, end)` point to, by their host offset. */
async function* l2Tables(
	{ tables, l1, geometry: { clusterSize }, occupied }: MapContext,
	first: number,
	end: number,
	signal?: AbortSignal,
): AsyncGenerator<{ index: number; table: number }> {
	for (let piece = first; piece < end; piece += L1_PIECE) {
		const count = Math.min(L1_PIECE, end - piece);
		const start = l1.offset + piece * 8;
		const bytes = await tables.read(start, count * 8, signal);
		const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
		for (let i = 0; i < count; i++) {
			const high = view.getUint32(i * 8);
			const low = view.getUint32(i * 8 + 4);
			if ((high | low) === 0) continue;
			const table = hostOffset(high, low);
			const corrupt = (why: string, hint?: string) =>
				new CorruptError(why, { path: tables.name, offset: start + i * 8, field: 'L1 entry', hint });
			if (l1Reserved(high, low)) throw corrupt('an L1 entry with reserved bits set');
			if (table === 0) continue;
			if (table % clusterSize !== 0) throw corrupt(`an L2 table at 0x${table.toString(16)}, which is no multiple of the cluster size`);
			if (table + clusterSize > tables.size) {
				throw corrupt(`an L2 table at 0x${table.toString(16)}, beyond the end of the file`, 'a fresh copy: this one is truncated');
			}
			const other = overlapping(occupied, table, clusterSize);
			if (other) throw corrupt(`an L2 table at 0x${table.toString(16)}, inside ${other.what}`);
			yield { index: piece + i, table };
		}
	}
}

/** Of what has no place in the file. */
const NOWHERE = -1;

/** What the entries of one L2 table say, joined. `place` is the host offset of the first one, `offset` its guest offset. */
function* runs(context: MapContext, entries: Uint8Array, place: number, offset: number): Generator<Extent> {
	const { geometry, tables, data: source, method } = context;
	const { clusterSize, entrySize, unit } = geometry;
	const view = new DataView(entries.buffer, entries.byteOffset, entries.byteLength);
	let kind: 'absent' | 'zero' | 'data' = 'absent';
	let length = 0;
	let at = NOWHERE;
	const run = (): Extent => {
		if (kind === 'data') return { kind, offset, length, source, at };
		return kind === 'zero' && at !== NOWHERE ? { kind, offset, length, place: { source, at } } : { kind, offset, length };
	};

	for (let index = 0; index * entrySize < entries.length; index++) {
		const entry = decodeEntry(view, index, context);
		if (entry.kind === 'invalid')
			throw new CorruptError(entry.why, { path: tables.name, offset: place + index * entrySize, field: 'L2 entry' });
		if (entry.kind === 'packed') {
			if (length > 0) yield run();
			offset += length;
			length = 0;
			const stored = Math.min(entry.stored, source.size - entry.at);
			yield { kind: 'packed', offset, length: clusterSize, source, at: entry.at, stored, method, unpacked: clusterSize, skip: 0 };
			offset += clusterSize;
			continue;
		}
		const parts = entry.kind === 'split' ? SUBCLUSTERS : 1;
		for (let part = 0; part < parts; part++) {
			const next = entry.kind === 'split' ? subclusterKind(entry, part) : entry.kind;
			const isPlaced = entry.kind !== 'absent' && (next === 'data' || (next === 'zero' && entry.at !== 0));
			const host = isPlaced ? entry.at + part * unit : NOWHERE;
			const size = entry.kind === 'split' ? unit : clusterSize;
			if (length > 0 && next === kind && host === (isPlaced ? at + length : at)) {
				length += size;
				continue;
			}
			if (length > 0) yield run();
			offset += length;
			kind = next;
			length = size;
			at = host;
		}
	}
	if (length > 0) yield run();
}

const subclusterKind = ({ data, zero }: { readonly data: number; readonly zero: number }, part: number): 'absent' | 'zero' | 'data' =>
	(data >>> part) & 1 ? 'data' : (zero >>> part) & 1 ? 'zero' : 'absent';

/** The same extent, whose stored bytes are where data may be. */
const checked = (context: MapContext, extent: Extent): Extent => {
	if (extent.kind !== 'data' && extent.kind !== 'packed') return extent;
	const { data, dataFile, occupied } = context;
	const corrupt = (why: string, hint?: string) =>
		new CorruptError(`the data of guest offset 0x${extent.offset.toString(16)} is ${why}`, {
			path: data.name,
			offset: extent.at,
			field: 'L2 entry',
			hint,
		});
	const stored = extent.kind === 'data' ? extent.length : extent.stored;
	// A packed extent has been cut off at the end of the file: one that begins there has nothing left.
	if (stored <= 0 || extent.at + stored > data.size) throw corrupt('beyond the end of the file', 'a fresh copy: this one is truncated');
	const other = dataFile ? undefined : overlapping(occupied, extent.at, stored);
	if (other) throw corrupt(`inside ${other.what}`);
	return extent;
};

const overlapping = (regions: readonly Region[], at: number, length: number): Region | undefined =>
	regions.find((region) => at < region.offset + region.length && at + length > region.offset);
