import { alignDown } from '../bytes/align.ts';
import type { Codec } from '../core/codec.ts';
import type { Disk, Extent } from '../core/disk.ts';
import { breather } from '../io/breathe.ts';
import { clip, joined } from './clip.ts';
import { readDiskInto } from './read.ts';

/** Bytes of each disk that are read at a time. */
const WINDOW = 1 << 19;

export type Difference = {
	/** `status`: one says data, zeros or absence where the other says another; `content`: a byte differs. */
	readonly kind: 'content' | 'status';
	readonly guestOffset: number;
};

export type CompareOptions = {
	/** Ranges must have the same status too, whatever they read as. */
	readonly strict?: boolean | undefined;
	/** Whether two runs of one length are the same; Node has a faster one than what runs anywhere. */
	isEqual?(a: Uint8Array, b: Uint8Array): boolean;
	/** Memory for so many bytes, that reading into is fast; plain where left out. */
	memory?(size: number): Uint8Array;
	readonly signal?: AbortSignal | undefined;
	/** Guest bytes dealt with, and how many of them had to be read. */
	onProgress?(done: number, data: number): void;
};

/**
 * The first guest offset at which two disks differ; undefined if there is none. The shorter one reads as zeros behind its end. What
 * both maps call zeros is not read, nor what both find at the same place.
 */
export const compareDisks = async (
	a: Disk,
	b: Disk,
	codec: Codec,
	{ strict = false, isEqual, memory = (bytes) => new Uint8Array(bytes), signal, onProgress }: CompareOptions = {},
): Promise<Difference | undefined> => {
	const size = Math.max(a.size, b.size);
	const [left, right] = [extended(a, size), extended(b, size)];
	const window = Math.max(WINDOW, ...[a, b].map(({ info }) => (info.compressed ? (info.clusterSize ?? 0) : 0)));
	const breathe = breather();
	const [roomA, roomB] = [memory(window), memory(window)];
	let data = 0;
	/** What must be read: within one window, so that no packed unit is unpacked often. */
	let busy: { start: number; end: number } | undefined;
	const read = async (): Promise<Difference | undefined> => {
		if (!busy) return undefined;
		const { start, end } = busy;
		busy = undefined;
		data += end - start;
		const [bytes, others] = [roomA.subarray(0, end - start), roomB.subarray(0, end - start)];
		await readDiskInto(left, codec, start, bytes, signal);
		await readDiskInto(right, codec, start, others, signal);
		const at = isEqual?.(bytes, others) ? -1 : firstDifference(bytes, others);
		return at < 0 ? undefined : { kind: 'content', guestOffset: start + at };
	};

	for await (const [x, y] of alongside(left.extents(0, size, signal), right.extents(0, size, signal))) {
		if (strict && status(x) !== status(y)) return (await read()) ?? { kind: 'status', guestOffset: x.offset };
		const same = (isQuiet(x) && isQuiet(y)) || isSamePlace(x, y);
		const end = x.offset + x.length;
		for (let at = x.offset; at < end && !same; ) {
			signal?.throwIfAborted();
			await breathe();
			if (busy && alignDown(busy.start, window) !== alignDown(at, window)) {
				const difference = await read();
				if (difference) return difference;
				onProgress?.(at, data);
			}
			const stop = Math.min(end, alignDown(at, window) + window);
			busy = { start: busy?.start ?? at, end: stop };
			at = stop;
		}
		await breathe();
		onProgress?.(busy?.start ?? end, data);
	}
	const difference = await read();
	onProgress?.(difference?.guestOffset ?? size, data);
	return difference;
};

/** The disk with nothing behind its end, up to `size`. */
export const extended = (disk: Disk, size: number): Disk =>
	disk.size === size
		? disk
		: {
				...disk,
				size,
				async *extents(guestOffset, length, signal) {
					const end = guestOffset + length;
					const inside = Math.max(guestOffset, Math.min(end, disk.size));
					if (inside > guestOffset) yield* disk.extents(guestOffset, inside - guestOffset, signal);
					if (inside < end) yield { kind: 'absent', offset: inside, length: end - inside };
				},
			};

/** Two maps of one range, cut where either has a border. */
export async function* alongside(a: AsyncIterable<Extent>, b: AsyncIterable<Extent>): AsyncGenerator<[Extent, Extent]> {
	const others = joined(b);
	let other: Extent | undefined;
	try {
		for await (const extent of joined(a)) {
			const end = extent.offset + extent.length;
			for (let at = extent.offset; at < end; ) {
				while (!other || other.offset + other.length <= at) other = (await others.next()).value as Extent;
				const stop = Math.min(end, other.offset + other.length);
				yield [clip(extent, at, stop), clip(other, at, stop)];
				at = stop;
			}
		}
	} finally {
		await others.return(undefined);
	}
}

/** Whether it reads as zeros, with no parent beneath. */
export const isQuiet = ({ kind }: Pick<Extent, 'kind'>): boolean => kind === 'zero' || kind === 'absent';

const status = (extent: Extent): string => (isQuiet(extent) ? extent.kind : 'data');

/** Whether the bytes of both are stored at one and the same place. */
export const isSamePlace = (a: Extent, b: Extent): boolean => {
	if (a.kind === 'data' && b.kind === 'data') return a.source.identity === b.source.identity && a.at === b.at;
	if (a.kind === 'packed' && b.kind === 'packed') {
		return a.source.identity === b.source.identity && a.at === b.at && a.skip === b.skip && a.stored === b.stored;
	}
	return false;
};

/** Where two runs of the same length differ first; -1 if they do not. Words first: this runs over whole disks. */
export const firstDifference = (a: Uint8Array, b: Uint8Array): number => {
	const [x, y] = [new Int32Array(a.buffer, a.byteOffset, a.length >> 2), new Int32Array(b.buffer, b.byteOffset, b.length >> 2)];
	let word = 0;
	while (word < x.length && x[word] === y[word]) word++;
	for (let at = word * 4; at < a.length; at++) if (a[at] !== b[at]) return at;
	return -1;
};
