import { hex } from '../../src/bytes/size.ts';
import type { Stream } from '../../src/core/source.ts';
import { UnsupportedError } from '../../src/errors.ts';
import { grainMarker } from './layout.ts';
import { type GrainMap, grainLookup } from './map.ts';
import { type PipedGrain, readPadding } from './piped-grains.ts';
import { markedSize } from './stream.ts';

/** What is passed over between two grains is read so many bytes at a time. */
const PASSED = 1 << 16;

/**
 * The grains of a stream whose tables came before them, from behind its front to its end. Each is where the tables say and is marked as
 * what they say.
 * @throws CorruptError where it is not, and where the stream ends before the last of them; UnsupportedError where they are not in guest
 * order.
 */
export async function* foretoldGrains(stream: Stream, map: GrainMap, signal?: AbortSignal): AsyncGenerator<PipedGrain> {
	const look = grainLookup(map);
	const grains = Math.ceil(map.capacity / map.grainSize);
	for (let grain = 0; grain < grains; ) {
		for (const run of await look(grain, grains - grain, signal)) {
			for (let i = 0; i < run.grains && run.at > 0; i++) {
				yield await readGrain(stream, map, (grain + i) * map.grainSize, run.at + i * map.grainSize, signal);
			}
			grain += run.grains;
		}
	}
	await readPadding(stream, signal);
}

const readGrain = async (stream: Stream, map: GrainMap, guestOffset: number, at: number, signal?: AbortSignal): Promise<PipedGrain> => {
	if (at < stream.position) {
		throw new UnsupportedError(`the grain of guest offset ${hex(guestOffset)} comes before others that the guest has before it`, {
			path: stream.name,
			offset: at,
			field: 'grain table',
			hint: '--spool DIR, which copies it to a temporary file there first',
		});
	}
	while (stream.position < at) await stream.read(Math.min(PASSED, at - stream.position), signal);
	const stored = markedSize(map, guestOffset, at, await stream.read(grainMarker.size, signal));
	return { guestOffset, at: stream.position, bytes: await stream.read(stored, signal) };
};
