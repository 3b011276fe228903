import type { Disk, Extent, ImageInfo } from '../core/disk.ts';

/** Disks one after the other, as one. Closing it closes all of them. */
export const concat = (parts: readonly Disk[], info: ImageInfo): Disk => {
	const starts: number[] = [];
	let size = 0;
	for (const part of parts) {
		starts.push(size);
		size += part.size;
	}
	return {
		size,
		sectorSize: parts[0]?.sectorSize ?? 512,
		info,
		async *extents(guestOffset, length, signal) {
			const end = guestOffset + length;
			for (const [i, part] of parts.entries()) {
				const start = starts[i] ?? 0;
				const from = Math.max(guestOffset, start);
				const to = Math.min(end, start + part.size);
				if (from >= to) continue;
				for await (const extent of part.extents(from - start, to - from, signal)) yield moved(extent, start);
			}
		},
		async close() {
			for (const part of parts) await part.close();
		},
	};
};

/** The extent `by` bytes further up. */
const moved = (extent: Extent, by: number): Extent => {
	const offset = extent.offset + by;
	if (extent.kind !== 'computed') return { ...extent, offset };
	return { ...extent, offset, read: (guestOffset, length, signal) => extent.read(guestOffset - by, length, signal) };
};
