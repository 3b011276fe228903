import type { Disk, Extent } from '../core/disk.ts';
import { clip } from './clip.ts';

/**
 * `top`, with what it does not have taken from `base`. A chain is this, folded. Beyond the end of a smaller base the
 * guest reads zeros.
 */
export const overlay = (top: Disk, base: Disk): Disk => ({
	size: top.size,
	sectorSize: top.sectorSize,
	parent: base.parent,
	id: top.id,
	info: top.info,
	async *extents(guestOffset, length, signal) {
		for await (const extent of top.extents(guestOffset, length, signal)) {
			if (extent.kind !== 'absent') {
				yield extent;
				continue;
			}
			const end = extent.offset + extent.length;
			const inside = Math.max(extent.offset, Math.min(end, base.size));
			if (inside > extent.offset) yield* deeper(base.extents(extent.offset, inside - extent.offset, signal));
			if (inside < end) yield clip({ ...extent, kind: 'zero', beyond: true }, inside, end);
		}
	},
	async close() {
		await top.close();
		await base.close();
	},
});

async function* deeper(extents: AsyncIterable<Extent>): AsyncGenerator<Extent> {
	for await (const extent of extents) yield { ...extent, depth: (extent.depth ?? 0) + 1 };
}
