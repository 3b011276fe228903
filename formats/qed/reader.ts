import type { Disk, ParentReference } from '../../src/core/disk.ts';
import type { OpenContext } from '../../src/core/format.ts';
import type { Source } from '../../src/core/source.ts';
import { type BlockRun, blockExtents, TABLE_PIECE } from '../../src/disk/blocks.ts';
import { CorruptError } from '../../src/errors.ts';
import { cached } from '../../src/io/cached.ts';
import { misplaced, readHeader, tableBytes, tableEntries } from './header.ts';
import { ENTRY, FEATURES, type Header } from './layout.ts';

export const openQed = async (source: Source, context: OpenContext): Promise<Disk> => {
	const h = await readHeader(source, context.signal);
	const dirty = (h.features & FEATURES.needCheck) !== 0n;
	if (dirty) {
		context.note({
			kind: 'assumed',
			what: 'its tables are right',
			why: 'it was not closed properly; each entry is checked as it is used, and writes in flight when it stopped may be missing',
		});
	}
	const tables = cached(source);
	const perTable = tableEntries(h);

	/** The host offset of the L2 table of a cluster; `unallocated` where there is none. */
	const l2At = async (cluster: number, signal?: AbortSignal): Promise<number> => {
		const at = h.l1TableOffset + Math.floor(cluster / perTable) * 8;
		const entry = entryAt(view(await tables.read(at, 8, signal)), 0);
		if (entry === ENTRY.unallocated) return entry;
		const why = misplaced(source, h, entry, tableBytes(h));
		if (why) throw new CorruptError(`an L2 table ${why}`, { path: source.name, offset: at, field: 'L1 entry' });
		return entry;
	};

	const look = async (first: number, count: number, signal?: AbortSignal): Promise<readonly BlockRun[]> => {
		const l2 = await l2At(first, signal);
		const left = Math.min(count, perTable - (first % perTable));
		if (l2 === ENTRY.unallocated) return [{ blocks: left, status: { kind: 'absent' } }];
		const entries = Math.min(left, TABLE_PIECE / 8);
		const at = l2 + (first % perTable) * 8;
		const piece = view(await tables.read(at, entries * 8, signal));
		const runs: BlockRun[] = [];
		for (let i = 0; i < entries; ) {
			const entry = entryAt(piece, i);
			let blocks = 1;
			if (entry === ENTRY.unallocated || entry === ENTRY.zero) {
				while (i + blocks < entries && entryAt(piece, i + blocks) === entry) blocks++;
				runs.push({ blocks, status: { kind: entry === ENTRY.zero ? 'zero' : 'absent' } });
			} else {
				const why = misplaced(source, h, entry, Math.min(h.clusterSize, h.imageSize - (first + i) * h.clusterSize));
				if (why) throw new CorruptError(`cluster ${first + i} ${why}`, { path: source.name, offset: at + i * 8, field: 'L2 entry' });
				runs.push({ blocks, status: { kind: 'data', source, at: entry } });
			}
			i += blocks;
		}
		return runs;
	};

	return {
		size: h.imageSize,
		sectorSize: 512,
		parent: await parentOf(source, h, context.signal),
		info: { format: 'qed', clusterSize: h.clusterSize, dirty },
		extents: (guestOffset, length, signal) =>
			blockExtents(h.clusterSize, guestOffset, length, (first, count) => look(first, count, signal)),
		close: () => source.close(),
	};
};

const parentOf = async (source: Source, h: Header, signal?: AbortSignal): Promise<ParentReference | undefined> => {
	if ((h.features & FEATURES.backingFile) === 0n) return undefined;
	const name = await source.read(h.backingFilenameOffset, h.backingFilenameSize, signal);
	const raw = (h.features & FEATURES.backingFormatNoProbe) !== 0n;
	return { names: [new TextDecoder().decode(name)], format: raw ? 'raw' : undefined, ids: [] };
};

const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** A table's entry. One over 2^53 loses its last bits, and is past the end of any file all the same. */
export const entryAt = (table: DataView, index: number): number =>
	table.getUint32(index * 8, true) + table.getUint32(index * 8 + 4, true) * 2 ** 32;
