import type { Packing } from '../core/format.ts';

const FIELD_SIZE = { guestSector64: 8, length32: 4 } as const;

/** The most that a block can come to when packed, in bytes: what deflate adds to noise, with some to spare. */
export const packRoom = (block: number): number => block + (block >> 8) + 256;

/** How many bytes stand before the packed ones. */
export const frameHead = (packing: Packing): number => (packing.frame?.fields ?? []).reduce((sum, field) => sum + FIELD_SIZE[field], 0);

/** Write the fields of a frame at `at`. */
export const writeFrame = (packing: Packing, view: DataView, at: number, guestOffset: number, length: number): void => {
	for (const field of packing.frame?.fields ?? []) {
		if (field === 'guestSector64') view.setBigUint64(at, BigInt(guestOffset / 512), true);
		else view.setUint32(at, length, true);
		at += FIELD_SIZE[field];
	}
};
