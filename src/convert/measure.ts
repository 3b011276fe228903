import { alignUp } from '../bytes/align.ts';
import type { Disk } from '../core/disk.ts';
import type { Layout } from '../core/format.ts';
import type { Sink } from '../core/sink.ts';
import { blocks, chunkSize, steps } from '../engine/chunks.ts';
import { frameHead, packRoom } from '../engine/frame.ts';

/**
 * How many bytes of data and tables the image of a disk will take, summed over its files: exact where blocks are not compressed and
 * the map tells all zeros, and the most it can be otherwise. The layout is used up by it.
 */
export const measureImage = async (disk: Disk, layout: Layout, signal?: AbortSignal): Promise<number> => {
	let written = 0;
	const packed = layout.packing?.always ?? false;
	for await (const step of steps(disk, layout, chunkSize(disk, layout.block), signal)) {
		if (step.kind === 'zero') layout.zero?.(step.offset, step.length);
		if (step.kind !== 'chunk') continue;
		for (const { offset, length, data } of blocks(step, layout)) {
			if (!data) {
				layout.zero?.(offset, length);
				continue;
			}
			const stored = storedAtMost(layout, length);
			if (layout.fixedAt === undefined) layout.place(offset, length, stored, packed);
			written += stored;
		}
	}
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
