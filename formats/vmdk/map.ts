import { alignDown } from '../../src/bytes/align.ts';
import type { ByteRange, Source } from '../../src/core/source.ts';
import { CorruptError } from '../../src/errors.ts';
import { cached } from '../../src/io/cached.ts';

/** What an entry of a grain table says where it is not the host offset of a grain. */
export const ABSENT = 0;
export const ZEROED = -1;

/** The two levels of tables that all kinds of extent files with grains have, as one kind keeps them. */
export type GrainMap = {
	/** The extent file. */
	readonly source: Source;
	/** Guest bytes that the tables speak of. */
	readonly capacity: number;
	/** In bytes. */
	readonly grainSize: number;
	/** Of one grain table. */
	readonly tableEntries: number;
	/** In bytes, of an entry of a grain table. */
	readonly entrySize: 4 | 8;
	/** What no grain and no grain table may lie upon: headers, the descriptor, the directories. */
	readonly metadata: readonly ByteRange[];
	/**
	 * Host offsets of `count` grain tables, from the table `first` on; 0 for a table that is not there.
	 * @throws CorruptError for a table that cannot be where the directory says.
	 */
	directory(first: number, count: number, signal?: AbortSignal): Promise<number[]>;
	/** The same of the redundant copies of the tables, unchecked; absent where there are none. */
	copies?(first: number, count: number): Promise<number[]>;
	/** The host offset of a grain, ABSENT or ZEROED, from the entry at `at` bytes of a grain table. */
	entry(view: DataView, at: number): number;
};

/** Neighbouring grains of one kind: `at` is the host offset of the first, and the others follow it; or ABSENT, or ZEROED. */
export type GrainRun = { grains: number; readonly at: number };

/** Directory entries that are looked at together. */
const PIECE = 4096;
/** Fewer tables than this are read rather than asked after. */
const WORTH_ASKING = 32;

/**
 * Look up the runs that begin with grain `first`: `count` grains at the most, or as many as one grain table tells, and at least one.
 * Nothing is remembered but one piece of the directory and a few pages of tables.
 * @param piece directory entries that are looked at together, so that one that is wrong condemns them all.
 */
export const grainLookup = (
	map: GrainMap,
	piece = PIECE,
): ((first: number, count: number, signal?: AbortSignal) => Promise<GrainRun[]>) => {
	const { source, tableEntries, entrySize } = map;
	const tables = Math.ceil(map.capacity / map.grainSize / tableEntries);
	const pages = cached(source);
	let held: { readonly first: number; readonly places: readonly number[] } | undefined;

	/** The places of the tables that are looked at together with this one. */
	const placesWith = async (table: number, signal?: AbortSignal) => {
		const first = alignDown(table, piece);
		if (held?.first === first) return held;
		const places = await map.directory(first, Math.min(piece, tables - first), signal);
		refuseShared(source, first, places);
		await leaveOutHoles(source, places, tableEntries * entrySize);
		held = { first, places };
		return held;
	};

	return async (grain, count, signal) => {
		const table = Math.floor(grain / tableEntries);
		const within = grain % tableEntries;
		const { first, places } = await placesWith(table, signal);
		const place = places[table - first] ?? 0;
		if (place === 0) {
			let next = table - first + 1;
			while (next < places.length && places[next] === 0) next++;
			const missing = (first + next - table) * tableEntries - within;
			return [{ grains: Math.min(missing, count), at: ABSENT }];
		}
		const entries = Math.min(count, tableEntries - within);
		return runsOf(map, await pages.read(place + within * entrySize, entries * entrySize, signal));
	};
};

/** Two tables in one place would show the same grains twice. */
const refuseShared = (source: Source, first: number, places: readonly number[]): void => {
	const seen = new Set<number>();
	for (const [i, place] of places.entries()) {
		if (place !== 0 && seen.has(place)) {
			throw new CorruptError(`grain table ${first + i} is where another one is`, {
				path: source.name,
				offset: place,
				field: 'grain directory',
				hint: `vconv check ${source.name}`,
			});
		}
		seen.add(place);
	}
};

/** A table in a hole of the file has no entries: no need to read the gigabytes of tables that some writers lay out ahead. */
const leaveOutHoles = async (source: Source, places: number[], tableSize: number): Promise<void> => {
	if (!source.allocated) return;
	for (let first = 0, next = 0; first < places.length; first = next) {
		const start = places[first] ?? 0;
		next = first + 1;
		if (start === 0) continue;
		while (next < places.length && places[next] === start + (next - first) * tableSize) next++;
		if (next - first < WORTH_ASKING) continue;
		let hole = first;
		for await (const { offset, length } of source.allocated(start, (next - first) * tableSize)) {
			places.fill(0, hole, Math.max(hole, first + Math.floor((offset - start) / tableSize)));
			hole = first + Math.ceil((offset + length - start) / tableSize);
		}
		places.fill(0, hole, Math.max(hole, next));
	}
};

const runsOf = (map: GrainMap, table: Uint8Array): GrainRun[] => {
	const { grainSize, entrySize } = map;
	const view = new DataView(table.buffer, table.byteOffset, table.byteLength);
	const runs: GrainRun[] = [];
	let run: GrainRun | undefined;
	for (let at = 0; at < table.byteLength; at += entrySize) {
		const found = map.entry(view, at);
		const follows = run && (found > 0 ? run.at > 0 && found === run.at + run.grains * grainSize : found === run.at);
		if (run && follows) {
			run.grains++;
			continue;
		}
		run = { grains: 1, at: found };
		runs.push(run);
	}
	return runs;
};

/**
 * See to it that bytes which a table names can be there: within the file, and upon none of its metadata.
 * @param what for the message: `the grain of guest offset 0x10000`.
 * @throws CorruptError.
 */
export const checkPlace = (map: Pick<GrainMap, 'source' | 'metadata'>, what: string, at: number, length: number): void => {
	const why = misplaced(map, at, length);
	if (why === undefined) return;
	throw new CorruptError(`${what} is ${why}`, { path: map.source.name, offset: at, hint: `vconv check ${map.source.name}` });
};

/** Why bytes that a table names cannot be there; undefined if they can. */
export const misplaced = ({ source, metadata }: Pick<GrainMap, 'source' | 'metadata'>, at: number, length: number): string | undefined => {
	if (at + length > source.size) return `past the end of the file, at 0x${at.toString(16)}`;
	const upon = metadata.some((range) => at < range.offset + range.length && range.offset < at + length);
	return upon ? `upon other metadata, at 0x${at.toString(16)}` : undefined;
};
