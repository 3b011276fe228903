import { alignDown, alignUp } from '../bytes/align.ts';
import type { Codec } from '../core/codec.ts';
import type { Disk, Extent } from '../core/disk.ts';
import { clip, joined } from './clip.ts';
import { alongside, extended, isQuiet, isSamePlace } from './compare.ts';
import { readDiskInto } from './read.ts';

/** Bytes of each disk that are read at a time. */
const WINDOW = 1 << 20;

/**
 * A disk as a delta of `base`: block by block `absent` where both read the same, `zero` where only the disk reads as zeros, and the
 * disk's own extents elsewhere. A smaller base reads as zeros behind its end. Nothing is read where both maps say zeros, or where
 * both find the same place; the rest is read and compared when its extents are asked for. Closing it closes both.
 * @param block in bytes, a power of two: that of the layout that the delta is for.
 * @param size of that layout. Where it is rounded up, what is added is zeros, and a larger base must not show through there.
 */
export const difference = (whole: Disk, base: Disk, codec: Codec, block: number, size = whole.size): Disk => {
	const disk = extended(whole, size);
	const beneath = base.size < disk.size ? extended(base, disk.size) : base;

	/** The status of whole blocks, which have to be read. */
	async function* compared(start: number, end: number, signal?: AbortSignal): AsyncGenerator<Extent> {
		const window = Math.max(WINDOW, block);
		const [roomA, roomB] = [new Uint8Array(Math.min(window, end - start)), new Uint8Array(Math.min(window, end - start))];
		for (let at = start; at < end; at += window) {
			const length = Math.min(window, end - at);
			const [mine, theirs] = [roomA.subarray(0, length), roomB.subarray(0, length)];
			await readDiskInto(disk, codec, at, mine, signal);
			await readDiskInto(beneath, codec, at, theirs, signal);
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
			const all = blocks(alignDown(guestOffset, block), Math.min(disk.size, alignUp(end, block)), signal);
			for await (const extent of joined(all)) {
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

/** What becomes of each block of two windows, neighbours joined. Both begin on a word, and are looked at by words: blocks may be small. */
const runs = (mine: Uint8Array, theirs: Uint8Array, block: number): Run[] => {
	const found: Run[] = [];
	const [x, y] = [wordsOf(mine), wordsOf(theirs)];
	for (let offset = 0; offset < mine.length; offset += block) {
		const end = Math.min(mine.length, offset + block);
		let differ = false;
		let any = false;
		let word = offset / 4;
		for (const last = Math.floor(end / 4); word < last && !(differ && any); word++) {
			const value = x[word];
			differ ||= value !== y[word];
			any ||= value !== 0;
		}
		for (let at = word * 4; at < end && !(differ && any); at++) {
			differ ||= mine[at] !== theirs[at];
			any ||= mine[at] !== 0;
		}
		const kind = !differ ? 'absent' : any ? 'own' : 'zero';
		const last = found.at(-1);
		if (last?.kind === kind) last.length += end - offset;
		else found.push({ kind, offset, length: end - offset });
	}
	return found;
};

const wordsOf = (bytes: Uint8Array): Int32Array => new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);

/** With a base beneath, what the disk says nothing of is zeros. */
async function* own(extents: AsyncIterable<Extent>): AsyncGenerator<Extent> {
	for await (const extent of extents) yield extent.kind === 'absent' ? { ...extent, kind: 'zero' } : extent;
}
