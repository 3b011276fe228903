import type { Extent } from '../core/disk.ts';

/** The part of an extent within `[start, end)`, which must overlap it. */
export const clip = (extent: Extent, start: number, end: number): Extent => {
	const offset = Math.max(extent.offset, start);
	const length = Math.min(extent.offset + extent.length, end) - offset;
	const cut = offset - extent.offset;
	if (cut === 0 && length === extent.length) return extent;
	switch (extent.kind) {
		case 'data':
			return { ...extent, offset, length, at: extent.at + cut };
		case 'packed':
			return { ...extent, offset, length, skip: extent.skip + cut };
		case 'zero':
			return { ...extent, offset, length, ...(extent.place && { place: { ...extent.place, at: extent.place.at + cut } }) };
		default:
			return { ...extent, offset, length };
	}
};

/** Neighbours that are one run are made one. */
export async function* joined(extents: AsyncIterable<Extent>): AsyncGenerator<Extent> {
	let run: Extent | undefined;
	for await (const next of extents) {
		if (run && adjoins(run, next)) {
			run = { ...run, length: run.length + next.length };
			continue;
		}
		if (run) yield run;
		run = next;
	}
	if (run) yield run;
}

const adjoins = (a: Extent, b: Extent): boolean => {
	if (a.kind !== b.kind || a.depth !== b.depth) return false;
	if (a.kind === 'data' && b.kind === 'data') return a.source === b.source && a.at + a.length === b.at;
	if (a.kind === 'zero' && b.kind === 'zero')
		return a.place?.source === b.place?.source && (a.place ? a.place.at + a.length : undefined) === b.place?.at;
	return a.kind === 'absent';
};
