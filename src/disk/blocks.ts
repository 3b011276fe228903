import type { Extent, Status } from '../core/disk.ts';
import { clip } from './clip.ts';

/** Neighbouring blocks with one status: for data, they lie side by side in the file too. */
export type BlockRun = { readonly blocks: number; readonly status: Status };

/**
 * The map of a disk whose blocks are found in a table. `look` is asked for the runs that begin with block `first`, `count` blocks at the
 * most; it may answer for fewer (what one piece of the table tells), but for one at least, and is then asked again.
 * @param blockSize in bytes; not always a power of two.
 */
export async function* blockExtents(
	blockSize: number,
	guestOffset: number,
	length: number,
	look: (first: number, count: number) => Promise<readonly BlockRun[]>,
): AsyncGenerator<Extent> {
	const end = guestOffset + length;
	const last = Math.ceil(end / blockSize);
	for (let block = Math.floor(guestOffset / blockSize); block < last; ) {
		for (const { blocks, status } of await look(block, last - block)) {
			yield clip({ ...status, offset: block * blockSize, length: blocks * blockSize }, guestOffset, end);
			block += blocks;
		}
	}
}

/** Table entries are read this many bytes at a time. */
export const TABLE_PIECE = 1 << 16;
