import { alignUp } from '../bytes/align.ts';
import type { Disk } from '../core/disk.ts';
import type { Layout } from '../core/format.ts';
import type { Sink } from '../core/sink.ts';
import { blocks, chunkSize, steps } from '../engine/chunks.ts';
import { frameHead, packRoom } from '../engine/frame.ts';
import { breather } from '../io/breathe.ts';

/**
 * How many bytes of data and tables the image of a disk will take, summed over its files: exact where blocks are not compressed and
 * the map tells all zeros, and the most it can be otherwise. The layout is used up by it.
 */
export const measureImage = async (disk: Disk, layout: Layout, signal?: AbortSignal): Promise<number> => {
	let written = 0;
	const breathe = breather();
	for await (const step of steps(disk, layout, chunkSize(disk, layout.block), signal)) {
		await breathe();
		signal?.throwIfAborted();
		if (step.kind === 'zero') layout.zero?.(step.offset, step.length);
		if (step.kind !== 'chunk') continue;
		for (const { offset, length, data } of blocks(step, layout)) {
			if (!data) {
				layout.zero?.(offset, length);
				continue;
			}
			written += place(layout, offset, length);
		}
	}
	return written + (await tables(layout));
};

/** The same for a disk of `size` bytes, all of them data that does not shrink. */
export const measureFull = async (size: number, layout: Layout, signal?: AbortSignal): Promise<number> => {
	let written = layout.fixedAt === undefined ? 0 : size;
	const breathe = breather();
	for (let at = written; at < size; at += layout.block) {
		if (at % BREATH === 0) {
			await breathe();
			signal?.throwIfAborted();
		}
		written += place(layout, at, Math.min(layout.block, size - at));
	}
	return written + (await tables(layout));
};

/** How many guest bytes are placed between two looks at the clock. */
const BREATH = 1 << 24;

/** Have a block placed, packed or not as it would be if it did not shrink. Gives the bytes it takes. */
const place = (layout: Layout, guestOffset: number, length: number): number => {
	const stored = storedAtMost(layout, length);
	if (layout.fixedAt === undefined) layout.place(guestOffset, length, stored, layout.packing?.always ?? false);
	return stored;
};

/** The bytes that are written when all blocks have their places. */
const tables = async (layout: Layout): Promise<number> => {
	let written = 0;
	const counter = (): Sink => ({
		name: 'measure',
		async write(_, bytes) {
			written += bytes.byteLength;
		},
		async resize() {},
	});
	await layout.finish([counter(), ...(layout.files ?? []).map(counter)]);
	return written;
};

/** A block that must be packed has a frame around it, and grows where nothing can be saved. */
const storedAtMost = ({ packing, block }: Layout, length: number): number =>
	packing?.always ? alignUp(frameHead(packing) + packRoom(block), packing.frame?.align ?? 1) : length;
