import { hex } from '../../src/bytes/size.ts';
import { CorruptError } from '../../src/errors.ts';
import { payloadBlock } from './geometry.ts';
import type { Image } from './image.ts';
import { MiB, STATE } from './layout.ts';

/** What a BAT entry says of its block (§2.5.1). */
export type Block =
	/** In the parent; without one it reads as zeros. */
	| { readonly kind: 'absent' }
	| { readonly kind: 'zero' }
	/** All of it is stored, from this host offset. */
	| { readonly kind: 'full'; readonly at: number }
	/** The sectors that its bitmap names are stored, in their places from this host offset. */
	| { readonly kind: 'partial'; readonly at: number };

/** An entry as two 32-bit halves: the state, reserved bits and the offset in MiB. */
export type Entry = { readonly state: number; readonly reserved: number; readonly offset: number };

/** Split the entry at `at` bytes of a piece of the BAT. The host offset is exact up to 2^53. */
export const splitEntry = (view: DataView, at: number): Entry => {
	const low = view.getUint32(at, true);
	const high = view.getUint32(at + 4, true);
	return { state: low & 7, reserved: (low >>> 3) & 0x1ffff, offset: (high * 4096 + (low >>> 20)) * MiB };
};

/** Decode payload entry `index` of the BAT. @throws CorruptError for one that no image of this type may have. */
export const decodePayload = (image: Image, entry: Entry, index: number): Block => {
	const { hasParent } = image.metadata;
	const fault = payloadFault(image, entry, index);
	if (fault) throw atEntry(image, index, fault);
	switch (entry.state) {
		case STATE.notPresent:
			return { kind: hasParent ? 'absent' : 'zero' };
		case STATE.fullyPresent:
			return { kind: 'full', at: entry.offset };
		case STATE.partiallyPresent:
			return { kind: 'partial', at: entry.offset };
		default:
			// Trimmed or never written: what a guest reads there is not defined, and zeros are always right.
			return { kind: 'zero' };
	}
};

/** The host offset of a sector bitmap block, by its entry; a partial block needs it. @throws CorruptError. */
export const decodeBitmap = (image: Image, entry: Entry, index: number): number => {
	const fault = bitmapFault(image, entry);
	if (fault) throw atEntry(image, index, fault);
	if (entry.state !== STATE.fullyPresent) throw atEntry(image, index, 'a block is partly present, and its sector bitmap is not there');
	return entry.offset;
};

/** Why payload entry `index` cannot be; undefined if it can. */
export const payloadFault = (image: Image, entry: Entry, index: number): string | undefined => {
	const { state, reserved } = entry;
	if (state === 4 || state === 5) return `a block has the state ${state}, which is reserved`;
	if (reserved !== 0) return 'reserved bits of a block are set';
	if (state === STATE.partiallyPresent && !image.metadata.hasParent) return 'a block is partly present, and there is no parent';
	return state === STATE.fullyPresent || state === STATE.partiallyPresent
		? placeFault(image, entry.offset, image.metadata.blockSize, visibleBytes(image, index))
		: undefined;
};

/** Why a sector bitmap entry cannot be; undefined if it can. */
export const bitmapFault = (image: Image, { state, reserved, offset }: Entry): string | undefined => {
	if (state === STATE.notPresent) return undefined;
	if (state !== STATE.fullyPresent) return `a sector bitmap has the state ${state}, which is reserved`;
	if (reserved !== 0) return 'reserved bits of a sector bitmap are set';
	if (!image.metadata.hasParent) return 'there is a sector bitmap, and no parent';
	return placeFault(image, offset, MiB);
};

/** How much of a block is on the disk: the last one may reach past its end, and QEMU's fixed images end where the disk does. */
const visibleBytes = ({ geometry, metadata }: Image, index: number): number => {
	const block = payloadBlock(geometry, index);
	return block === geometry.blocks - 1 ? metadata.size - block * geometry.blockSize : geometry.blockSize;
};

/** Why `length` bytes cannot be at `offset`, of which the first `stored` have to be in the file. */
const placeFault = ({ source, regions }: Image, offset: number, length: number, stored = length): string | undefined => {
	if (offset + stored > source.size) return `a block at ${hex(offset)} ends behind the file, which has ${hex(source.size)} bytes`;
	const met = regions.reserved.find((range) => offset < range.offset + range.length && range.offset < offset + length);
	return met && `a block at ${hex(offset)} lies in the headers, the log or a region`;
};

const atEntry = ({ source, regions }: Image, index: number, why: string): CorruptError =>
	new CorruptError(why, {
		path: source.name,
		offset: regions.bat.offset + index * 8,
		field: `BAT entry ${index}`,
		hint: `vconv check ${source.name}`,
	});
