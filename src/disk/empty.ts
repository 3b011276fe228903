import type { Disk } from '../core/disk.ts';

/** A disk of zeros, as a new machine has one. @param size in bytes. */
export const emptyDisk = (size: number): Disk => ({
	size,
	sectorSize: 512,
	info: { format: 'raw' },
	async *extents(offset, length) {
		yield { kind: 'zero', offset, length };
	},
	async close() {},
});
