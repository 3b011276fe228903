import type { Disk, ParentReference } from '../../src/core/disk.ts';
import type { OpenContext } from '../../src/core/format.ts';
import type { Source } from '../../src/core/source.ts';
import { type BlockRun, blockExtents } from '../../src/disk/blocks.ts';
import { CorruptError } from '../../src/errors.ts';
import { cached } from '../../src/io/cached.ts';
import { halves, misplaced, outside, placeOf } from './entries.ts';
import { readHeader, refusalOf } from './header.ts';
import type { Header } from './layout.ts';

export const openQcow = async (source: Source, context: OpenContext): Promise<Disk> => {
	const h = await readHeader(source, context.signal);
	const unreadable = refusalOf(h, source.name);
	const tables = cached(source);
	const clusterSize = 2 ** h.clusterBits;
	const perTable = 2 ** h.l2Bits;

	const look = async (first: number, count: number, signal?: AbortSignal): Promise<readonly BlockRun[]> => {
		const l1At = h.l1TableOffset + Math.floor(first / perTable) * 8;
		const [high, low] = halves(await tables.read(l1At, 8, signal), 0);
		const l2 = high * 2 ** 32 + low;
		const entries = Math.min(count, perTable - (first % perTable));
		if (l2 === 0) return [{ blocks: entries, status: { kind: 'absent' } }];
		const why = outside(source, l2, perTable * 8);
		if (why) throw new CorruptError(`an L2 table ${why}`, { path: source.name, offset: l1At, field: 'L1 entry' });
		const at = l2 + (first % perTable) * 8;
		const piece = await tables.read(at, entries * 8, signal);
		const runs: BlockRun[] = [];
		for (let i = 0; i < entries; ) {
			const [entryHigh, entryLow] = halves(piece, i);
			let blocks = 1;
			if (entryHigh === 0 && entryLow === 0) {
				while (i + blocks < entries && halves(piece, i + blocks).every((half) => half === 0)) blocks++;
				runs.push({ blocks, status: { kind: 'absent' } });
			} else {
				const cluster = first + i;
				const place = placeOf(h, entryHigh, entryLow);
				const fault = misplaced(source, place, Math.min(clusterSize, h.size - cluster * clusterSize));
				if (fault) throw new CorruptError(`cluster ${cluster} ${fault}`, { path: source.name, offset: at + i * 8, field: 'L2 entry' });
				const { at: host, packed } = place;
				runs.push({
					blocks,
					status:
						packed === undefined
							? { kind: 'data', source, at: host }
							: { kind: 'packed', source, at: host, stored: packed, method: 'deflate', unpacked: clusterSize, skip: 0 },
				});
			}
			i += blocks;
		}
		return runs;
	};

	return {
		size: h.size,
		sectorSize: 512,
		parent: await parentOf(source, h, context.signal),
		info: { format: 'qcow', clusterSize, ...(unreadable && { encrypted: true }) },
		unreadable,
		extents(guestOffset, length, signal) {
			if (unreadable) throw unreadable;
			return blockExtents(clusterSize, guestOffset, length, (first, count) => look(first, count, signal));
		},
		close: () => source.close(),
	};
};

const parentOf = async (source: Source, h: Header, signal?: AbortSignal): Promise<ParentReference | undefined> => {
	if (h.backingFileOffset === 0) return undefined;
	const name = await source.read(h.backingFileOffset, h.backingFileSize, signal);
	return { names: [new TextDecoder().decode(name)], ids: [] };
};
