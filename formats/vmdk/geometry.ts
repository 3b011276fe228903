import { SECTOR } from './layout.ts';

/** What a BIOS shows of a disk: `ddb.geometry` of the descriptor. */
export type Geometry = { readonly cylinders: number; readonly heads: number; readonly sectors: number };

const GiB = 2 ** 30;

/**
 * The geometry that VMware gives to a disk of `size` bytes: for IDE what ATA can say at the most, for SCSI what its controllers'
 * BIOSes use.
 */
export const geometryOf = (size: number, adapterType: string): Geometry => {
	const ide = adapterType === 'ide';
	const [heads, sectors] = ide ? [16, 63] : size < GiB ? [64, 32] : size < 2 * GiB ? [128, 32] : [255, 63];
	const cylinders = Math.max(1, Math.floor(size / (heads * sectors * SECTOR)));
	return { cylinders: ide ? Math.min(cylinders, 16383) : cylinders, heads, sectors };
};
