import { hex } from '../../src/bytes/size.ts';
import type { Source } from '../../src/core/source.ts';
import { COMPRESSED, type Header, header } from './layout.ts';

/** A table's entry as two numbers of 32 bits, the upper first. */
export const halves = (table: Uint8Array, index: number): readonly [number, number] => {
	const view = new DataView(table.buffer, table.byteOffset + index * 8, 8);
	return [view.getUint32(0), view.getUint32(4)];
};

/** Where an L2 entry other than 0 says that its cluster is. */
export type Place = {
	/** Host offset. */
	readonly at: number;
	/** Bytes that it takes deflated; undefined where it is stored as it is. */
	readonly packed?: number | undefined;
};

/** In a deflated cluster's entry, bit 63 is the flag; the length in bytes has clusterBits bits below it, and the host offset what is left. */
export const placeOf = ({ clusterBits }: Header, high: number, low: number): Place => {
	if ((high & COMPRESSED) === 0) return { at: high * 2 ** 32 + low };
	const lengthShift = 31 - clusterBits;
	return { at: (high & (2 ** lengthShift - 1)) * 2 ** 32 + low, packed: (high >>> lengthShift) & (2 ** clusterBits - 1) };
};

/** Why a cluster cannot be at a place; undefined if it can. `guestBytes` of it are the disk's. */
export const misplaced = (source: Source, { at, packed }: Place, guestBytes: number): string | undefined => {
	if (packed === 0) return 'is compressed to no bytes at all';
	if (packed === undefined && at % 512 !== 0) return `is at ${hex(at)}, not on a sector boundary`;
	return outside(source, at, packed ?? guestBytes);
};

/** The same for any structure. */
export const outside = (source: Source, at: number, length: number): string | undefined =>
	at < header.size || at + length > source.size ? `is at ${hex(at)}, inside the header or past the end of the file` : undefined;
