import type { Extent, PackMethod } from '../../src/core/disk.ts';
import type { Note } from '../../src/core/note.ts';
import { type BlockRun, blockExtents } from '../../src/disk/blocks.ts';
import { ABSENT, checkPlace, type GrainMap, grainLookup, ZEROED } from './map.ts';

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
			return (await look(first, count, signal)).map(({ grains, at }): BlockRun => {
				const start = grain * grainSize;
				grain += grains;
				if (at === ABSENT) return { blocks: grains, status: { kind: 'absent' } };
				if (at === ZEROED) return { blocks: grains, status: { kind: 'zero' } };
				checkPlace(map, `the grain of guest offset 0x${start.toString(16)}`, at, Math.min(grains * grainSize, capacity - start));
				return { blocks: grains, status: { kind: 'data', source, at } };
			});
		});
};
