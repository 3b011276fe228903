import type { Extent } from '../core/disk.ts';
import type { Source } from '../core/source.ts';

/** Guest bytes as they are, from host offset `at` on: holes of the store are zeros, where it can tell them. */
export async function* storedExtents(source: Source, guestOffset: number, length: number, at: number): AsyncGenerator<Extent> {
	if (!source.allocated) {
		if (length > 0) yield { kind: 'data', offset: guestOffset, length, source, at };
		return;
	}
	const shift = guestOffset - at;
	const end = guestOffset + length;
	let done = guestOffset;
	for await (const run of source.allocated(at, length)) {
		const offset = run.offset + shift;
		if (offset > done) yield { kind: 'zero', offset: done, length: offset - done, place: { source, at: done - shift } };
		yield { kind: 'data', offset, length: run.length, source, at: run.offset };
		done = offset + run.length;
	}
	if (done < end) yield { kind: 'zero', offset: done, length: end - done, place: { source, at: done - shift } };
}
