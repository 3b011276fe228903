import { CorruptError } from '../../errors.ts';
import { DESCRIPTOR, LIMIT } from './layout.ts';
import type { Volume } from './volume.ts';

/** What is free, in bytes and in inodes. */
export type Free = { readonly free: number; readonly freeInodes: number };

/**
 * What the descriptors of all groups say is free, as Linux counts when it mounts: the superblock's own counts are of the last time that it
 * was written, which in a file system in use may be long ago. Undefined where descriptors are damaged, or too many.
 */
export const countFree = async ({ geometry, descriptor }: Volume): Promise<Free | undefined> => {
	if (geometry.groups > LIMIT.countedGroups) return undefined;
	const isWide = geometry.descriptorSize >= DESCRIPTOR.wide;
	let clusters = 0;
	let inodes = 0;
	try {
		for (let group = 0; group < geometry.groups; group++) {
			const data = await descriptor(group);
			const count = (low: number, high: number): number => data.u16(low) + (isWide ? data.u16(high) * 2 ** 16 : 0);
			clusters += count(DESCRIPTOR.freeBlocksLow, DESCRIPTOR.freeBlocksHigh);
			inodes += count(DESCRIPTOR.freeInodesLow, DESCRIPTOR.freeInodesHigh);
		}
	} catch (error) {
		if (error instanceof CorruptError) return undefined;
		throw error;
	}
	const blocks = clusters * geometry.clusterBlocks;
	if (!Number.isInteger(blocks) || blocks > geometry.blocks || inodes > geometry.inodes) return undefined;
	return { free: blocks * geometry.blockSize, freeInodes: inodes };
};
