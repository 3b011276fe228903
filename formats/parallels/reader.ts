import type { Disk } from '../../src/core/disk.ts';
import type { OpenContext } from '../../src/core/format.ts';
import type { Source } from '../../src/core/source.ts';
import { type BlockRun, blockExtents, TABLE_PIECE } from '../../src/disk/blocks.ts';
import { CorruptError } from '../../src/errors.ts';
import { cached } from '../../src/io/cached.ts';
import { misplaced, readHeader } from './header.ts';
import { header, UNALLOCATED } from './layout.ts';

/** One expandable image on its own. What it is a part or a delta of, only a descriptor beside it says. */
export const openImage = async (source: Source, context: Pick<OpenContext, 'note' | 'signal'>): Promise<Disk> => {
	const g = await readHeader(source, context.signal);
	if (g.dirty) {
		context.note({
			kind: 'assumed',
			what: 'its table is right',
			why: 'it was not closed properly; each entry is checked as it is used, and writes in flight when it stopped may be missing',
			path: source.name,
		});
	}
	if (g.extensionOffset !== 0) {
		context.note({
			kind: 'dropped',
			what: 'the format extension',
			why: "it holds the dirty bitmaps of backup programs and none of the guest's data",
			path: source.name,
		});
	}
	const bat = cached(source);

	const look = async (first: number, count: number, signal?: AbortSignal): Promise<readonly BlockRun[]> => {
		const entries = Math.min(count, TABLE_PIECE / 4);
		const offset = header.size + first * 4;
		const bytes = await bat.read(offset, entries * 4, signal);
		const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
		const runs: BlockRun[] = [];
		for (let i = 0; i < entries; ) {
			const entry = view.getUint32(i * 4, true);
			let blocks = 1;
			if (entry === UNALLOCATED) {
				while (i + blocks < entries && view.getUint32((i + blocks) * 4, true) === UNALLOCATED) blocks++;
				runs.push({ blocks, status: { kind: 'absent' } });
			} else {
				const cluster = first + i;
				const at = entry * g.unit;
				const why = g.empty
					? 'is stored in an image that says it is empty'
					: misplaced(source, g, at, Math.min(g.clusterSize, g.size - cluster * g.clusterSize));
				if (why) throw new CorruptError(`cluster ${cluster} ${why}`, { path: source.name, offset: offset + i * 4, field: 'BAT entry' });
				runs.push({ blocks, status: { kind: 'data', source, at } });
			}
			i += blocks;
		}
		return runs;
	};

	return {
		size: g.size,
		sectorSize: 512,
		info: { format: 'parallels', clusterSize: g.clusterSize, dirty: g.dirty },
		extents: (guestOffset, length, signal) =>
			blockExtents(g.clusterSize, guestOffset, length, (first, count) => look(first, count, signal)),
		close: () => source.close(),
	};
};
