import { alignUp } from '../../src/bytes/align.ts';
import { hex } from '../../src/bytes/size.ts';
import { CorruptError } from '../../src/errors.ts';
import { cached } from '../../src/io/cached.ts';
import { allRuns, type Report } from './all-runs.ts';
import { checkOverlaps } from './check-overlaps.ts';
import { SECTOR } from './layout.ts';
import { type GrainMap, misplaced } from './map.ts';
import { readMarker } from './stream.ts';

export type GrainCount = {
	/** Grains of the disk. */
	readonly total: number;
	readonly allocated: number;
	/** Allocated grains that do not follow the one before; of packed ones, those that are before it. */
	readonly fragmented: number;
	/** The first host byte behind all grains and metadata. */
	readonly end: number;
};

/** Check the tables of one extent file, and where they lead. */
export const checkGrains = async (map: GrainMap, packed: boolean, report: Report, signal?: AbortSignal): Promise<GrainCount> => {
	const tablesEnd = await checkTables(map, report, signal);
	const count = await checkEntries(map, packed, report, signal);
	if (!packed) await checkOverlaps(map, report, signal);
	const end = Math.max(tablesEnd, count.end, ...map.metadata.map((range) => range.offset + range.length));
	return { ...count, end: Math.min(alignUp(end, SECTOR), map.source.size) };
};

const checkEntries = async (map: GrainMap, packed: boolean, report: Report, signal?: AbortSignal): Promise<GrainCount> => {
	const { grainSize, capacity } = map;
	let [allocated, fragmented, end] = [0, 0, 0];
	let before: number | undefined;
	for await (const { first, grains, at } of allRuns(map, report, signal)) {
		if (at <= 0) continue;
		allocated += grains;
		if (before !== undefined && (packed ? at < before : at !== before)) fragmented++;
		before = at + grains * (packed ? 1 : grainSize);
		for (let i = 0; i < grains; i++) {
			const [guestOffset, place] = [(first + i) * grainSize, at + i * grainSize];
			try {
				const stored = packed ? (await readMarker(map, guestOffset, place, signal)).end : Math.min(grainSize, capacity - guestOffset);
				const why = packed ? undefined : misplaced(map, place, stored);
				if (why !== undefined) throw new CorruptError(`the grain of guest offset ${hex(guestOffset)} is ${why}`);
				end = Math.max(end, packed ? stored : place + stored);
			} catch (error) {
				if (!(error instanceof CorruptError)) throw error;
				report({ severity: 'error', code: 'grain-damaged', message: error.message, offset: place });
			}
		}
	}
	return { total: Math.ceil(capacity / grainSize), allocated, fragmented, end };
};

/** Both copies of every grain table, where there are two, must say the same. Gives the host byte behind the last of all tables. */
const checkTables = async (map: GrainMap, report: Report, signal?: AbortSignal): Promise<number> => {
	const { source, tableEntries, entrySize } = map;
	const pages = cached(source);
	const tables = Math.ceil(map.capacity / map.grainSize / tableEntries);
	const size = tableEntries * entrySize;
	let end = 0;
	for (let index = 0; index < tables; index++) {
		const [place] = await map.directory(index, 1, signal).catch(() => []);
		if (place === undefined) continue; // what is wrong there, the check of entries says
		if (place !== 0) end = Math.max(end, place + size);
		if (!map.copies) continue;
		const [copy = 0] = await map.copies(index, 1);
		if (place === 0 && copy === 0) continue;
		const wrong = place !== 0 && copy !== 0 ? misplaced(map, copy, size) : 'not there in one of the directories';
		if (wrong !== undefined) {
			const message = `grain table ${index} or its redundant copy is ${wrong}`;
			report({ severity: 'error', code: 'redundant-damaged', message, offset: copy });
			continue;
		}
		end = Math.max(end, copy + size);
		const [table, other] = [await pages.read(place, size, signal), await pages.read(copy, size, signal)];
		if (table.every((byte, i) => byte === other[i])) continue;
		const message = `grain table ${index} at ${hex(place)} differs from its redundant copy at ${hex(copy)}`;
		report({ severity: 'error', code: 'tables-differ', message, offset: place });
	}
	return end;
};
