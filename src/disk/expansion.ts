import type { Disk, Extent } from '../core/disk.ts';
import { type Limits, limitsOf, refuseOver } from '../core/limits.ts';
import type { Source } from '../core/source.ts';

/** Below this, in bytes, it does not matter how little an image shows so much from. */
const FLOOR = 64 * 1024 * 1024;

/** A block of zstd's that repeats one byte yields 32 times as much from a byte as deflate ever does: RFC 8878, section 3.1.1.2.2. */
const ZSTD = 32;

/**
 * A disk of which no file may show more than `limits.expansion` times its own bytes: tables that name the same few bytes again and again
 * show a guest, or an output, terabytes of them.
 * @param source the image. Where the limit cannot be met, its disk is given back as it is, and costs nothing more.
 * @returns a disk whose `extents` throw UnsupportedError that names the limit.
 */
export const boundExpansion = (disk: Disk, source: Source, limits: Limits = limitsOf()): Disk => {
	if (disk.size <= Math.max(FLOOR, source.size * limits.expansion)) return disk;
	const shown = new Map<Source, number>();
	/** Up to where it has been counted: what is asked for again counts once. */
	let seen = 0;
	const count = (extent: Extent): void => {
		const end = extent.offset + extent.length;
		if ((extent.kind === 'data' || extent.kind === 'packed') && end > seen) {
			const length = end - Math.max(seen, extent.offset);
			const zstd = extent.kind === 'packed' && extent.method === 'zstd';
			const sum = (shown.get(extent.source) ?? 0) + (zstd ? length / ZSTD : length);
			shown.set(extent.source, sum);
			if (sum > FLOOR) refuseOver('expansion', Math.ceil(sum / extent.source.size), extent.source.name, limits);
		}
		seen = Math.max(seen, end);
	};
	return {
		...disk,
		async *extents(guestOffset, length, signal) {
			for await (const extent of disk.extents(guestOffset, length, signal)) {
				count(extent);
				yield extent;
			}
		},
	};
};
