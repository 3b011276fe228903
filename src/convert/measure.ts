import type { Disk } from '../core/disk.ts';
import type { Layout, Outline } from '../core/format.ts';
import type { Sink } from '../core/sink.ts';
import { joined } from '../disk/clip.ts';
import { isQuiet } from '../disk/compare.ts';
import { breather } from '../io/breathe.ts';
import { type Placed, placeAll, storedAtMost } from './place.ts';

/** What an image will take, in bytes, summed over its files. */
export type Measure = {
	/** Of the files, as they are listed. */
	readonly length: number;
	/** Of what is written to them: the rest is holes. */
	readonly written: number;
};

/**
 * What the image of a disk will take: exact where blocks are not compressed and the map tells all zeros, and the most it can be
 * otherwise. A layout with an outline is measured by the map alone, any other by laying it out. The layout is used up by it.
 * @throws UnsupportedError where the format cannot hold so much.
 */
export const measureImage = (disk: Disk, layout: Layout, signal?: AbortSignal): Promise<Measure> =>
	layout.outline && !layout.zero ? foretell(disk, layout, layout.outline, signal) : layOut(disk, layout, signal);

/** The same if all of the disk were data that does not shrink. */
export const measureFull = (disk: Disk, layout: Layout, signal?: AbortSignal): Promise<Measure> =>
	measureImage({ ...disk, extents: allData }, layout, signal);

async function* allData(offset: number, length: number) {
	if (length > 0) yield { kind: 'computed', offset, length, read: async () => new Uint8Array(length) } as const;
}

/** By how many units hold anything. */
const foretell = async (disk: Disk, layout: Layout, outline: Outline, signal?: AbortSignal): Promise<Measure> => {
	const { unit, span = Number.POSITIVE_INFINITY, reserved = false } = outline;
	const [stored, units, tables] = [counter(layout.block), counter(unit), counter(span)];
	if (reserved) for (const count of [units, tables]) count.touch(0, layout.size);
	const breathe = breather();
	for await (const { kind, offset, length } of joined(disk.extents(0, disk.size, signal))) {
		await breathe();
		signal?.throwIfAborted();
		if (!layout.dense && isQuiet({ kind })) continue;
		for (const count of [stored, units, tables]) count.touch(offset, length);
	}
	const others = outline.others(units.touched, tables.touched);
	const room = units.touched * (layout.packing ? storedAtMost(layout, unit) : unit);
	const data = stored.touched * (layout.packing ? storedAtMost(layout, layout.block) : layout.block);
	return { length: others + room, written: others + Math.min(data, room) };
};

/** How many units of so many bytes ascending ranges touch. */
const counter = (unit: number): { touch(offset: number, length: number): void; readonly touched: number } => {
	let next = 0;
	let touched = 0;
	return {
		get touched() {
			return touched;
		},
		touch(offset, length) {
			const end = Math.ceil((offset + length) / unit);
			touched += Math.max(0, end - Math.max(next, Math.floor(offset / unit)));
			next = Math.max(next, end);
		},
	};
};

/** By giving every block its place, and writing the tables to nowhere. */
const layOut = async (disk: Disk, layout: Layout, signal?: AbortSignal): Promise<Measure> => {
	const files = ['', ...(layout.files ?? [])].map(() => ruler());
	const add = ({ guestOffset, hostOffset, stored }: Placed) => files[layout.fileOf?.(guestOffset) ?? 0]?.add(hostOffset, stored);
	await placeAll(disk, layout, add, signal);
	await layout.finish(files);
	return {
		length: files.reduce((sum, file) => sum + file.length, 0),
		written: files.reduce((sum, file) => sum + file.written, 0),
	};
};

type Ruler = Sink & { readonly length: number; readonly written: number; add(hostOffset: number, count: number): void };

/** A sink that keeps nothing but how much it was given. */
const ruler = (): Ruler => {
	let length = 0;
	let written = 0;
	const add = (hostOffset: number, count: number): void => {
		written += count;
		length = Math.max(length, hostOffset + count);
	};
	return {
		name: 'measure',
		get length() {
			return length;
		},
		get written() {
			return written;
		},
		add,
		async write(hostOffset, bytes) {
			add(hostOffset, bytes.length);
		},
		async resize(size) {
			length = size;
		},
	};
};
