import type { Extent, PackMethod } from '../../src/core/disk.ts';
import type { Note } from '../../src/core/note.ts';
import { type BlockRun, blockExtents } from '../../src/disk/blocks.ts';
import { CorruptError } from '../../src/errors.ts';
import { ABSENT, checkPlace, type GrainMap, type GrainRun, grainLookup, ZEROED } from './map.ts';

/** One of the files that make up a disk, opened. Guest offsets within it begin at 0. */
export type ExtentFile = {
	/** Guest bytes that it can hold: for grains this may be more than the disk has of it, by less than a grain. */
	readonly capacity: number;
	/** In bytes; undefined where there are none. */
	readonly grainSize?: number | undefined;
	readonly compressed?: boolean | undefined;
	/** The tables behind `extents`, for a check; undefined where there are none. */
	readonly map?: GrainMap | undefined;
	/** It was not closed by its last writer. */
	readonly unclean?: boolean | undefined;
	extents(guestOffset: number, length: number, signal?: AbortSignal): AsyncIterable<Extent>;
};

/** What opening an extent file may ask of its surroundings. */
export type ExtentContext = {
	note(note: Note): void;
	/** Unpack to exactly `size` bytes. @throws Error if the stream yields more or fewer. */
	unpack(method: PackMethod, bytes: Uint8Array, size: number): Uint8Array;
};

/** The map of a file whose grains are stored as they are. */
export const plainGrains = (map: GrainMap): ExtentFile['extents'] => {
	const { source, grainSize, capacity } = map;
	const look = grainLookup(map);
	return (guestOffset, length, signal) =>
		blockExtents(grainSize, guestOffset, length, async (first, count) => {
			let grain = first;
			const runs = await look(first, count, signal);
			const found = runs.map(({ grains, at }): BlockRun => {
				const start = grain * grainSize;
				grain += grains;
				if (at === ABSENT) return { blocks: grains, status: { kind: 'absent' } };
				if (at === ZEROED) return { blocks: grains, status: { kind: 'zero' } };
				checkPlace(map, `the grain of guest offset 0x${start.toString(16)}`, at, Math.min(grains * grainSize, capacity - start));
				return { blocks: grains, status: { kind: 'data', source, at } };
			});
			refuseShared(map, runs);
			return found;
		});
};

/** Of the grains that one table names, no two may be in one place. */
const refuseShared = ({ source, grainSize }: GrainMap, runs: readonly GrainRun[]): void => {
	let end = 0;
	for (const { at, grains } of runs.filter((run) => run.at > 0).sort((a, b) => a.at - b.at)) {
		if (at < end) {
			throw new CorruptError('two grains of the disk are in one place', {
				path: source.name,
				offset: at,
				field: 'grain table',
				hint: `vconv check ${source.name}`,
			});
		}
		end = at + grains * grainSize;
	}
};
