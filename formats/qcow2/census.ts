import type { OpenContext } from '../../src/core/format.ts';
import { refuseOver } from '../../src/core/limits.ts';
import type { Source } from '../../src/core/source.ts';
import type { Findings } from '../../src/disk/findings.ts';
import type { Bitmap } from './bitmaps.ts';
import { decodeEntry, hostOffset, l1Reserved } from './entries.ts';
import type { Header, L1Table } from './header.ts';
import { ENTRY, INCOMPATIBLE } from './layout.ts';
import type { StoredRefcounts } from './stored-refcounts.ts';

/** Who uses which cluster of the image. */
export type Census = {
	/** In clusters: the length of the file, rounded up. */
	readonly size: number;
	/** How often a cluster is used. */
	uses(cluster: number): number;
	/** Whether a cluster is used both for guest data and for a structure of the image. */
	isMixed(cluster: number): boolean;
	/** Clusters of the disk as it is, and how they lie. */
	readonly blocks: { total: number; allocated: number; fragmented: number; compressed: number };
	/** A range of host bytes is used. False where it is not within the file; that is found, and not counted. */
	use(what: string, offset: number, length: number, role: 'data' | 'structure'): boolean;
	/** Follow an L1 table, and use all that it reaches. */
	walk(what: string, l1: L1Table, active: boolean): Promise<void>;
	walkBitmap(bitmap: Bitmap): Promise<void>;
};

const DATA = 0x4000_0000;
const STRUCTURE = 0x8000_0000;
const COUNT = 0x3fff_ffff;

/** L1 entries, or those of a bitmap's table, read at a time. */
const PIECE = 8192;

/** @throws UnsupportedError for a file of more clusters than can be counted. */
export const takeCensus = (
	source: Source,
	header: Header,
	stored: StoredRefcounts,
	findings: Findings,
	{ limits, signal }: Pick<OpenContext, 'limits' | 'signal'>,
): Census => {
	const { geometry, version } = header;
	const { clusterSize, entrySize, entriesPerTable, extendedL2 } = geometry;
	const size = Math.ceil(source.size / clusterSize);
	refuseOver('check-memory', size * Uint32Array.BYTES_PER_ELEMENT, source.name, limits);
	const counts = new Uint32Array(size);
	const blocks = { total: Math.ceil(header.size / clusterSize), allocated: 0, fragmented: 0, compressed: 0 };
	const dataFile = (header.incompatible & INCOMPATIBLE.dataFile) !== 0n;
	const rules = { version, geometry, dataFile };
	const wrong = (code: string, message: string, offset: number) => findings.add({ severity: 'error', code, message, offset });

	const use: Census['use'] = (what, offset, length, role) => {
		if (length === 0) return true;
		// QEMU does not fill up the last cluster of a file.
		if (offset + length - source.size >= clusterSize) {
			wrong('beyond-end', `${what} is beyond the end of the file`, offset);
			return false;
		}
		const mark = role === 'data' ? DATA : STRUCTURE;
		for (let cluster = Math.floor(offset / clusterSize); cluster * clusterSize < offset + length; cluster++) {
			counts[cluster] = (((counts[cluster] ?? 0) + 1) | mark) >>> 0;
		}
		return true;
	};

	/** "OFLAG_COPIED": set where, and only where, the refcount is one. */
	const checkCopied = (what: string, refcount: number, high: number, entry: number): void => {
		const copied = (high & ENTRY.copiedHigh) !== 0;
		if (copied === (refcount === 1)) return;
		wrong('copied-flag', `${what} has a refcount of ${refcount}, and is ${copied ? '' : 'not '}marked as used once`, entry);
	};

	const walkL2 = async (table: number, active: boolean): Promise<void> => {
		const bytes = await source.read(table, Math.min(clusterSize, source.size - table), signal);
		if (bytes.length < clusterSize) wrong('beyond-end', 'an L2 table is cut off by the end of the file', table);
		const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
		let next = 0;
		for (let index = 0; index < Math.min(entriesPerTable, Math.floor(bytes.length / entrySize)); index++) {
			const entry = decodeEntry(view, index, rules);
			if (entry.kind === 'absent') continue;
			const place = table + index * entrySize;
			if (entry.kind === 'invalid') {
				wrong('l2-entry', entry.why, place);
				continue;
			}
			const high = view.getUint32(index * entrySize);
			if (entry.kind === 'packed') {
				if ((high & ENTRY.copiedHigh) !== 0) wrong('copied-flag', 'a compressed cluster is marked as used once', place);
				use('a compressed cluster', entry.at, entry.stored, 'data');
				if (!active) continue;
				blocks.allocated++;
				blocks.compressed++;
				blocks.fragmented++; // by nature, as qemu-img counts
				continue;
			}
			// In an external file, offset 0 is a cluster like others.
			if (entry.at === 0 && !(dataFile && (high & ENTRY.copiedHigh) !== 0 && (extendedL2 || entry.kind === 'data'))) continue;
			if (active) {
				blocks.allocated++;
				if (next !== 0 && entry.at !== next) blocks.fragmented++;
				next = entry.at + clusterSize;
			}
			if (dataFile) continue;
			if (!use('a cluster of data', entry.at, clusterSize, 'data') || !active) continue;
			const refcount = stored.get(entry.at / clusterSize);
			checkCopied('a cluster of data', typeof refcount === 'number' ? refcount : await refcount, high, place);
		}
	};

	/** The entries of a table, other than 0, with their host offset. */
	async function* entries(offset: number, count: number): AsyncGenerator<readonly [high: number, low: number, place: number]> {
		for (let piece = 0; piece < count; piece += PIECE) {
			const start = offset + piece * 8;
			const bytes = await source.read(start, Math.min(PIECE, count - piece) * 8, signal);
			const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
			for (let at = 0; at < bytes.length; at += 8) {
				const [high, low] = [view.getUint32(at), view.getUint32(at + 4)];
				if ((high | low) !== 0) yield [high, low, start + at];
			}
		}
	}

	return {
		size,
		blocks,
		use,
		uses: (cluster) => (counts[cluster] ?? 0) & COUNT,
		isMixed: (cluster) => ((counts[cluster] ?? 0) & DATA) !== 0 && ((counts[cluster] ?? 0) & STRUCTURE) !== 0,
		async walk(what, l1, active) {
			if (l1.offset + l1.entries * 8 > source.size) return wrong('beyond-end', `${what} is beyond the end of the file`, l1.offset);
			use(what, l1.offset, l1.entries * 8, 'structure');
			let tables = 0;
			for await (const [high, low, place] of entries(l1.offset, l1.entries)) {
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
				if (++tables > size) return wrong('l2-shared', `entries of ${what} share L2 tables`, l1.offset);
				if (!use('an L2 table', at, clusterSize, 'structure')) continue;
				if (active) checkCopied('an L2 table', await stored.get(at / clusterSize), high, place);
				await walkL2(at, active);
			}
		},
		async walkBitmap({ name, tableOffset, tableSize }) {
			const what = `the table of bitmap '${name}'`;
			if (tableOffset % clusterSize !== 0) return wrong('bitmap-unaligned', `${what} does not begin on a cluster`, tableOffset);
			if (tableOffset + tableSize * 8 > source.size) return wrong('beyond-end', `${what} is beyond the end of the file`, tableOffset);
			use(what, tableOffset, tableSize * 8, 'structure');
			for await (const [high, low, place] of entries(tableOffset, tableSize)) {
				const at = hostOffset(high, low);
				// "Bitmap table entry": bit 0 says what a bitmap without a cluster is made of.
				if (high >>> 24 !== 0 || (low & (at === 0 ? 0x1fe : 0x1ff)) !== 0)
					wrong('reserved-bits', `an entry of ${what} has reserved bits set`, place);
				else if (at % clusterSize !== 0) wrong('bitmap-unaligned', `a cluster of bitmap '${name}' is at 0x${at.toString(16)}`, place);
				else if (at !== 0) use(`a cluster of bitmap '${name}'`, at, clusterSize, 'structure');
			}
		},
	};
};
