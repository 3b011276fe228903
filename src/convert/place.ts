import { alignUp } from '../bytes/align.ts';
import type { Disk } from '../core/disk.ts';
import type { Layout } from '../core/format.ts';
import { blocks, chunkSize, steps } from '../engine/chunks.ts';
import { frameHead, packRoom } from '../engine/frame.ts';
import { breather } from '../io/breathe.ts';

/** A block of data, and where it goes. All in bytes. */
export type Placed = { readonly guestOffset: number; readonly length: number; readonly hostOffset: number; readonly stored: number };

/**
 * Lay a disk out by its map alone, in guest order: what the map calls data takes the most it can, and nothing is read.
 * @param take hears of each block of data.
 * @throws UnsupportedError where the format cannot hold so much.
 */
export const placeAll = async (disk: Disk, layout: Layout, take: (placed: Placed) => void, signal?: AbortSignal): Promise<void> => {
	const { fixedAt, packing } = layout;
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
			const stored = storedAtMost(layout, length);
			const hostOffset = fixedAt === undefined ? layout.place(offset, length, stored, packing?.always ?? false) : fixedAt + offset;
			take({ guestOffset: offset, length, hostOffset, stored });
		}
	}
};

/** A block that must be packed has a frame around it, and grows where nothing can be saved; one that need not be is stored as it is. */
export const storedAtMost = ({ packing, block }: Layout, length: number): number =>
	packing?.always ? alignUp(frameHead(packing) + packRoom(block), packing.frame?.align ?? 1) : length;
