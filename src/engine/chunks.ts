import { alignDown, alignUp } from '../bytes/align.ts';
import type { Disk, Extent } from '../core/disk.ts';
import type { Layout } from '../core/format.ts';
import { clip, joined } from '../disk/clip.ts';
import { BLOCK } from '../proof/leaves.ts';

/**
 * What a mover does next, in guest order: a chunk with data in it, or a run of zeros that nobody has to read. A chunk begins on a
 * block of the layout, and ends on one or at the end of the disk; its segments cover it exactly, and none is `absent`.
 */
export type Step =
	| { readonly kind: 'chunk'; readonly offset: number; readonly length: number; readonly segments: readonly Extent[] }
	| { readonly kind: 'zero'; readonly offset: number; readonly length: number }
	/** Left to the backing file. */
	| { readonly kind: 'absent'; readonly offset: number; readonly length: number };

/** Bytes that are read, unpacked and written at a time. Larger ones only cost memory (docs/performance.md). */
export const CHUNK = 512 * 1024;

/** The chunk size for a disk and a layout: whole blocks of the target, and whole units of a compressed source. */
export const chunkSize = (disk: Disk, block: number): number =>
	Math.max(CHUNK, block, disk.info.compressed ? (disk.info.clusterSize ?? 0) : 0);

/** The same for a disk that is hashed: whole blocks of its tree too, each of which has all of its data in one chunk then. */
export const hashedChunkSize = (disk: Disk, block: number): number => alignUp(chunkSize(disk, block), BLOCK);

/**
 * Cut the map of a disk into steps. Absent ranges are kept apart only where the layout is a delta; there they must begin and end on
 * blocks of the layout.
 * @param from the guest offset to begin at, on a block of the layout. It changes nothing of the steps behind it.
 */
export async function* steps(disk: Disk, layout: Layout, chunk: number, signal?: AbortSignal, from = 0): AsyncGenerator<Step> {
	const delta = layout.zero !== undefined;
	const { block } = layout;
	let quiet: { kind: 'zero' | 'absent'; offset: number; length: number } | undefined;
	let window: Extent[] = [];

	/** The chunks of one window of `chunk` bytes: without the blocks at either end that hold no data. */
	function* cut(): Generator<Step> {
		const first = window.find((extent) => isData(extent, layout));
		const last = window.findLast((extent) => isData(extent, layout));
		const start = window[0]?.offset ?? 0;
		const end = (window.at(-1)?.offset ?? 0) + (window.at(-1)?.length ?? 0);
		const from = first ? Math.max(start, alignDown(first.offset, block)) : end;
		const to = last ? Math.min(end, alignDown(last.offset + last.length + block - 1, block)) : end;
		yield* silent(window, start, from);
		if (from < to) {
			if (quiet) yield quiet;
			quiet = undefined;
			const segments = window.filter((e) => e.offset < to && e.offset + e.length > from).map((e) => clip(e, from, to));
			yield { kind: 'chunk', offset: from, length: to - from, segments };
		}
		yield* silent(window, Math.max(from, to), end);
		window = [];
	}

	/** Runs without data are joined over windows, so that an empty disk of any size is one step. */
	function* silent(extents: readonly Extent[], start: number, end: number): Generator<Step> {
		for (const extent of extents) {
			if (extent.offset >= end || extent.offset + extent.length <= start) continue;
			const part = clip(extent, start, end);
			const kind = delta && part.kind === 'absent' ? 'absent' : 'zero';
			if (quiet?.kind === kind) {
				quiet.length += part.length;
				continue;
			}
			if (quiet) yield quiet;
			quiet = { kind, offset: part.offset, length: part.length };
		}
	}

	if (from >= disk.size) return;
	let edge = alignDown(from, chunk) + chunk;
	for await (const extent of joined(disk.extents(from, disk.size - from, signal))) {
		// What shows through stays out of every chunk: in one it would be zeros.
		if (delta && extent.kind === 'absent') {
			const end = extent.offset + extent.length;
			if (extent.offset % block !== 0 || (end % block !== 0 && end !== disk.size)) {
				throw new Error(`guest offset ${extent.offset} is absent within a block of ${block} bytes, and a delta has whole blocks`);
			}
			if (window.length > 0) yield* cut();
			yield* silent([extent], extent.offset, end);
			edge = alignDown(end, chunk) + chunk;
			continue;
		}
		for (let at = extent.offset, end = extent.offset + extent.length; at < end; ) {
			// A run without data that spans whole windows need not be cut up: that is what makes 64 TiB of holes cheap.
			if (window.length === 0 && at === edge - chunk && !isData(extent, layout) && end - at >= chunk) {
				const whole = alignDown(end - at, chunk);
				yield* silent([extent], at, at + whole);
				at += whole;
				edge += whole;
				continue;
			}
			const stop = Math.min(end, edge);
			window.push(clip(extent, at, stop));
			at = stop;
			if (at === edge) {
				yield* cut();
				edge += chunk;
			}
		}
	}
	if (window.length > 0) yield* cut();
	if (quiet) yield quiet;
}

/** The blocks of a chunk, in order. `data` is false where the map has nothing but zeros for the whole of it. */
export function* blocks(
	{ offset, length, segments }: Step & { kind: 'chunk' },
	layout: Layout,
): Generator<{ readonly offset: number; readonly length: number; readonly data: boolean }> {
	const end = offset + length;
	let next = 0;
	for (let at = offset; at < end; at += layout.block) {
		const stop = Math.min(end, at + layout.block);
		let data = false;
		for (; next < segments.length; next++) {
			const segment = segments[next] as Extent;
			if (segment.offset >= stop) break;
			data ||= isData(segment, layout);
			if (segment.offset + segment.length > stop) break;
		}
		yield { offset: at, length: stop - at, data };
	}
}

const isData = (extent: Extent, layout: Layout): boolean => layout.dense === true || (extent.kind !== 'zero' && extent.kind !== 'absent');
