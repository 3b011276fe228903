import { alignDown, alignUp, isZero } from '../bytes/align.ts';
import type { Codec } from '../core/codec.ts';
import type { Disk, Extent } from '../core/disk.ts';
import { clip, joined } from './clip.ts';
import { alongside, extended, firstDifference, isQuiet, isSamePlace } from './compare.ts';
import { readDisk } from './read.ts';

/** Bytes of each disk that are read at a time. */
const WINDOW = 1 << 20;

/**
 * `disk` as a delta of `base`: block by block `absent` where both read the same, `zero` where only the disk reads as zeros, and the
 * disk's own extents elsewhere. A smaller base reads as zeros behind its end. Nothing is read where both maps say zeros, or where
 * both find the same place; the rest is read and compared when its extents are asked for. Closing it closes both.
 * @param block in bytes, a power of two: that of the layout that the delta is for.
 */
export const difference = (disk: Disk, base: Disk, codec: Codec, block: number): Disk => {
	const beneath = base.size < disk.size ? extended(base, disk.size) : base;

	/** The status of whole blocks, which have to be read. */
	async function* compared(start: number, end: number, signal?: AbortSignal): AsyncGenerator<Extent> {
		const window = Math.max(WINDOW, block);
		for (let at = start; at < end; at += window) {
			const length = Math.min(window, end - at);
			const mine = await readDisk(disk, codec, at, length, signal);
			const theirs = await readDisk(beneath, codec, at, length, signal);
			for (const run of runs(mine, theirs, block)) {
				if (run.kind === 'own') yield* own(disk.extents(at + run.offset, run.length, signal));
				else yield { ...run, kind: run.kind, offset: at + run.offset };
			}
		}
	}

	async function* blocks(start: number, end: number, signal?: AbortSignal): AsyncGenerator<Extent> {
		let done = start;
		const maps = alongside(disk.extents(start, end - start, signal), beneath.extents(start, end - start, signal));
		for await (const [mine, theirs] of maps) {
			if ((isQuiet(mine) && isQuiet(theirs)) || isSamePlace(mine, theirs)) continue;
			const from = Math.max(done, alignDown(mine.offset, block));
			const to = Math.min(end, alignUp(mine.offset + mine.length, block));
			if (from > done) yield { kind: 'absent', offset: done, length: from - done };
			yield* compared(from, to, signal);
			done = Math.max(done, to);
		}
		if (done < end) yield { kind: 'absent', offset: done, length: end - done };
	}

	return {
		...disk,
		parent: undefined,
		async *extents(guestOffset, length, signal) {
			const end = guestOffset + length;
			const whole = blocks(alignDown(guestOffset, block), Math.min(disk.size, alignUp(end, block)), signal);
			for await (const extent of joined(whole)) {
				if (extent.offset < end && extent.offset + extent.length > guestOffset) yield clip(extent, guestOffset, end);
			}
		},
		async close() {
			await disk.close();
			await base.close();
		},
	};
};

type Run = { kind: 'absent' | 'zero' | 'own'; offset: number; length: number };

/** What becomes of each block of two windows, neighbours joined. */
const runs = (mine: Uint8Array, theirs: Uint8Array, block: number): Run[] => {
	const found: Run[] = [];
	for (let offset = 0; offset < mine.length; offset += block) {
		const bytes = mine.subarray(offset, offset + block);
		const same = firstDifference(bytes, theirs.subarray(offset, offset + block)) < 0;
		const kind = same ? 'absent' : isZero(bytes) ? 'zero' : 'own';
		const last = found.at(-1);
		if (last?.kind === kind) last.length += bytes.length;
		else found.push({ kind, offset, length: bytes.length });
	}
	return found;
};

/** With a base beneath, what the disk says nothing of is zeros. */
async function* own(extents: AsyncIterable<Extent>): AsyncGenerator<Extent> {
	for await (const extent of extents) yield extent.kind === 'absent' ? { ...extent, kind: 'zero' } : extent;
}
