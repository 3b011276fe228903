import type { CheckReport } from '../../src/core/format.ts';
import type { Source } from '../../src/core/source.ts';
import type { Findings } from '../../src/disk/findings.ts';
import { breather } from '../../src/io/breathe.ts';
import type { Bitmap } from './bitmaps.ts';
import type { Census } from './census.ts';
import { decodeEntry, hostOffset, l1Reserved } from './entries.ts';
import type { Header, L1Table } from './header.ts';
import { ENTRY, INCOMPATIBLE } from './layout.ts';
import type { StoredRefcounts } from './stored-refcounts.ts';

/** Entries of an L1 table, or of a bitmap's, read at a time. */
const PIECE = 8192;

/** What is looked at, and where is written down what is there. */
export type Walk = {
	readonly source: Source;
	readonly header: Header;
	readonly stored: StoredRefcounts;
	readonly census: Census;
	readonly findings: Findings;
	readonly signal?: AbortSignal | undefined;
};

/** Follow an L1 table as far as its L2 tables: those are used, and have to be walked when all L1 tables have been. */
export const walkL1 = async (walk: Walk, what: string, l1: L1Table, active: boolean): Promise<void> => {
	const { header, stored, census } = walk;
	const { clusterSize } = header.geometry;
	const wrong = finder(walk);
	if (!census.useTable(what, l1.offset, l1.entries * 8)) return;
	for await (const [high, low, place] of entries(walk, l1.offset, l1.entries)) {
		const at = hostOffset(high, low);
		if (l1Reserved(high, low)) wrong('reserved-bits', 'an L1 entry has reserved bits set', place);
		if (at === 0) {
			if ((high & ENTRY.copiedHigh) !== 0) wrong('copied-flag', 'an L1 entry without a table is marked as used once', place);
			continue;
		}
		if (at % clusterSize !== 0) {
			wrong('l2-unaligned', `an L2 table at 0x${at.toString(16)} does not begin on a cluster`, place);
			continue;
		}
		census.use('an L2 table', at, clusterSize, active ? 'activeL2' : 'l2');
		if (active) checkCopied(walk, 'an L2 table', await stored.get(at / clusterSize), high, place);
	}
};

/**
 * Use what all L2 tables lead to: each is walked once, and what it holds is used as often as it is, since snapshots share tables.
 * To be called before anything but L1 and L2 tables is used.
 * @returns clusters of the disk as it is, and how they lie.
 */
export const walkL2Tables = async (walk: Walk): Promise<NonNullable<CheckReport['blocks']>> => {
	const { header, census, signal } = walk;
	const { clusterSize } = header.geometry;
	const blocks = { total: Math.ceil(header.size / clusterSize), allocated: 0, fragmented: 0, compressed: 0 };
	const breathe = breather();
	// All are noted before the first is walked, which may use others, or itself, for data.
	for (const { cluster, times } of l2Tables(census)) {
		await breathe();
		signal?.throwIfAborted();
		await walkL2(walk, cluster * clusterSize, times, census.has(cluster, 'activeL2') ? blocks : undefined);
	}
	return blocks;
};

/** Where L2 tables are, and how many L1 entries lead to each. Two numbers of 4 bytes each: there may be as many as the file has clusters. */
function* l2Tables(census: Census): Generator<{ readonly cluster: number; readonly times: number }> {
	let count = 0;
	for (let cluster = 0; cluster < census.size; cluster++) if (census.has(cluster, 'l2')) count++;
	const [clusters, times] = [new Uint32Array(count), new Uint32Array(count)];
	for (let cluster = 0, at = 0; at < count; cluster++) {
		if (!census.has(cluster, 'l2')) continue;
		clusters[at] = cluster;
		times[at++] = census.uses(cluster);
	}
	for (let at = 0; at < count; at++) yield { cluster: clusters[at] ?? 0, times: times[at] ?? 0 };
}

type Blocks = { allocated: number; fragmented: number; compressed: number };

/** `blocks`: where to count clusters, for a table of the disk as it is. */
const walkL2 = async (walk: Walk, table: number, times: number, blocks: Blocks | undefined): Promise<void> => {
	const { source, header, stored, census, signal } = walk;
	const { version, geometry } = header;
	const { clusterSize, entrySize, entriesPerTable, extendedL2 } = geometry;
	const dataFile = (header.incompatible & INCOMPATIBLE.dataFile) !== 0n;
	const rules = { version, geometry, dataFile };
	const wrong = finder(walk, times);
	const bytes = await source.read(table, Math.min(clusterSize, source.size - table), signal);
	if (bytes.length < clusterSize) wrong('beyond-end', 'an L2 table is cut off by the end of the file', table);
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	let next = 0;
	for (let index = 0; index < Math.min(entriesPerTable, Math.floor(bytes.length / entrySize)); index++) {
		const entry = decodeEntry(view, index, rules);
		if (entry.kind === 'absent') continue;
		const place = table + index * entrySize;
		const high = view.getUint32(index * entrySize);
		const isCopied = (high & ENTRY.copiedHigh) !== 0;
		if (entry.kind === 'packed') {
			if (isCopied) wrong('copied-flag', 'a compressed cluster is marked as used once', place);
			census.use('a compressed cluster', entry.at, entry.stored, 'data', times);
			if (blocks) countPacked(blocks);
			continue;
		}
		if (entry.kind === 'invalid') wrong('l2-entry', entry.why, place);
		// What a wrong entry leads to is in use all the same: whoever took it for a leak would free it.
		const at = entry.kind === 'invalid' ? wrongPlace(view, index * entrySize) : entry.at;
		// In an external file, offset 0 is a cluster like others.
		if (at === 0 && !(dataFile && isCopied && (extendedL2 || entry.kind === 'data'))) continue;
		if (blocks) {
			countStored(blocks, at, next);
			next = at + clusterSize;
		}
		if (dataFile) continue;
		census.use('a cluster of data', at, clusterSize, 'data', times);
		if (!blocks) continue;
		const refcount = stored.get(Math.floor(at / clusterSize));
		checkCopied(walk, 'a cluster of data', typeof refcount === 'number' ? refcount : await refcount, high, place);
	}
};

/** Where an entry leads that makes no sense; 0 where nothing can be told of that. */
const wrongPlace = (view: DataView, entry: number): number => {
	const high = view.getUint32(entry);
	return (high & ENTRY.packedHigh) === 0 ? hostOffset(high, view.getUint32(entry + 4)) : 0;
};

/** Fragmented by nature, as qemu-img counts. */
const countPacked = (blocks: Blocks): void => {
	blocks.allocated++;
	blocks.compressed++;
	blocks.fragmented++;
};

/** `next`: where it would be if it followed the one before; 0 for the first. */
const countStored = (blocks: Blocks, at: number, next: number): void => {
	blocks.allocated++;
	if (next !== 0 && at !== next) blocks.fragmented++;
};

/** "Bitmap table": use it, and the clusters in it. */
export const walkBitmap = async (walk: Walk, { name, tableOffset, tableSize }: Bitmap): Promise<void> => {
	const { header, census } = walk;
	const { clusterSize } = header.geometry;
	const wrong = finder(walk);
	const what = `the table of bitmap '${name}'`;
	if (tableOffset % clusterSize !== 0) return wrong('bitmap-unaligned', `${what} does not begin on a cluster`, tableOffset);
	if (!census.useTable(what, tableOffset, tableSize * 8)) return;
	for await (const [high, low, place] of entries(walk, tableOffset, tableSize)) {
		const at = hostOffset(high, low);
		// "Bitmap table entry": bit 0 says what a bitmap without a cluster is made of.
		if (high >>> 24 !== 0 || (low & (at === 0 ? 0x1fe : 0x1ff)) !== 0)
			wrong('reserved-bits', `an entry of ${what} has reserved bits set`, place);
		else if (at % clusterSize !== 0) wrong('bitmap-unaligned', `a cluster of bitmap '${name}' is at 0x${at.toString(16)}`, place);
		else if (at !== 0) census.use(`a cluster of bitmap '${name}'`, at, clusterSize, 'structure');
	}
};

/** The entries of a table, other than 0, with their host offset. */
async function* entries(
	{ source, signal }: Walk,
	offset: number,
	count: number,
): AsyncGenerator<readonly [high: number, low: number, place: number]> {
	const breathe = breather();
	for (let piece = 0; piece < count; piece += PIECE) {
		await breathe();
		signal?.throwIfAborted();
		const start = offset + piece * 8;
		const bytes = await source.read(start, Math.min(PIECE, count - piece) * 8, signal);
		const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
		for (let at = 0; at < bytes.length; at += 8) {
			const [high, low] = [view.getUint32(at), view.getUint32(at + 4)];
			if ((high | low) !== 0) yield [high, low, start + at];
		}
	}
}

/** "OFLAG_COPIED": set where, and only where, the refcount is one. */
const checkCopied = (walk: Walk, what: string, refcount: number, high: number, entry: number): void => {
	const copied = (high & ENTRY.copiedHigh) !== 0;
	if (copied === (refcount === 1)) return;
	finder(walk)('copied-flag', `${what} has a refcount of ${refcount}, and is ${copied ? '' : 'not '}marked as used once`, entry);
};

/** `times`: how often a table with this in it is used. */
const finder =
	({ findings }: Walk, times = 1) =>
	(code: string, message: string, offset: number): void =>
		findings.add({ severity: 'error', code, message, offset, ...(times > 1 && { count: times }) });
