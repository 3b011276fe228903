import { SECTORS_PER_BITMAP } from './layout.ts';

/** How a disk is cut into payload blocks, and where each has its entry in the BAT (§2.4, §2.5). */
export type Geometry = {
	/** Bytes of a payload block. */
	readonly blockSize: number;
	readonly sectorSize: 512 | 4096;
	/** Payload blocks of the disk. */
	readonly blocks: number;
	/** The chunk ratio: payload blocks per sector bitmap block. */
	readonly ratio: number;
	/** Sector bitmap blocks of the disk. Only a differencing image has any, but every BAT has their entries. */
	readonly chunks: number;
	/** Entries that the BAT needs. */
	readonly entries: number;
	/** Bytes that one payload block has in its sector bitmap block. */
	readonly bitmapSize: number;
};

export const geometry = (size: number, blockSize: number, sectorSize: 512 | 4096, differencing: boolean): Geometry => {
	const blocks = Math.ceil(size / blockSize);
	const ratio = (SECTORS_PER_BITMAP * sectorSize) / blockSize;
	const chunks = Math.ceil(blocks / ratio);
	const entries = differencing ? chunks * (ratio + 1) : blocks + Math.max(0, chunks - 1);
	return { blockSize, sectorSize, blocks, ratio, chunks, entries, bitmapSize: blockSize / sectorSize / 8 };
};

/** The BAT index of a payload block: behind each chunk stands the entry of its sector bitmap block. */
export const payloadIndex = ({ ratio }: Geometry, block: number): number => block + Math.floor(block / ratio);

/** The payload block of a BAT index that is no sector bitmap block's. */
export const payloadBlock = ({ ratio }: Geometry, index: number): number => index - Math.floor(index / (ratio + 1));

/** The BAT index of the sector bitmap block of a chunk. */
export const bitmapIndex = ({ ratio }: Geometry, chunk: number): number => chunk * (ratio + 1) + ratio;
