import type { Disk } from '../core/disk.ts';
import type { Layout } from '../core/format.ts';
import type { Sink } from '../core/sink.ts';
import { chunkSize, steps } from '../engine/chunks.ts';

/**
 * How many bytes of data and tables the image of a disk will take, summed over its files: exact where blocks are not compressed and
 * the map tells all zeros, and the most it can be otherwise. The layout is used up by it.
 */
export const measureImage = async (disk: Disk, layout: Layout, signal?: AbortSignal): Promise<number> => {
	let written = 0;
	for await (const step of steps(disk, layout, chunkSize(disk, layout.block), signal)) {
		if (step.kind === 'zero') layout.zero?.(step.offset, step.length);
		if (step.kind !== 'chunk') continue;
		if (layout.fixedAt === undefined) {
			for (let at = 0; at < step.length; at += layout.block) {
				const length = Math.min(layout.block, step.length - at);
				layout.place(step.offset + at, length, length, false);
			}
		}
		written += step.length;
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
