import { humanSize } from '../bytes/size.ts';
import type { Sink } from '../core/sink.ts';
import { firstDifference } from '../disk/compare.ts';
import { UnsupportedError } from '../errors.ts';

/** What is remembered of one image at the most, in bytes. */
const MOST = 256 * 1024 * 1024;
/** What remembering a piece takes besides its bytes, about. */
const PIECE = 64;

/** A run of the bytes of an image: bytes that are known, or the guest's from `guestOffset` on. Whatever is in none is zeros. */
type Piece = {
	/** Host offset. */
	readonly at: number;
	length: number;
	readonly bytes?: Uint8Array;
	readonly guestOffset: number;
};

/** An image as it will be, piece by piece, before any of it is written. */
export type Pieces = {
	/** Remembers what is written to it. */
	readonly sink: Sink;
	/** Guest bytes are to be at a host offset. */
	guest(at: number, guestOffset: number, length: number): void;
	ascending(): readonly Piece[];
	/** Of the whole image, in bytes. */
	size(): number;
};

/** @param hint what to do where it would be too much to remember, which is an UnsupportedError. */
export const pieces = (name: string, hint: string): Pieces => {
	const all: Piece[] = [];
	let held = 0;
	let size = 0;
	let last: Uint8Array | undefined;

	const add = (piece: Piece, bytes: number): void => {
		held += PIECE + bytes;
		if (held > MOST) {
			throw new UnsupportedError(`what must be known of this image before its first byte takes more than ${humanSize(MOST)}`, {
				hint,
			});
		}
		all.push(piece);
		size = Math.max(size, piece.at + piece.length);
	};

	return {
		sink: {
			name,
			async write(at, bytes) {
				const copy = bytes.slice();
				// The sector bitmaps of a VHD are a million times the same bytes.
				const again = last?.length === copy.length && firstDifference(last, copy) < 0;
				if (!again) last = copy;
				add({ at, length: copy.length, bytes: last as Uint8Array, guestOffset: 0 }, again ? 0 : copy.length);
			},
			async resize(length) {
				size = Math.max(size, length);
			},
		},
		guest(at, guestOffset, length) {
			const before = all.at(-1);
			if (before && !before.bytes && before.at + before.length === at && before.guestOffset + before.length === guestOffset) {
				before.length += length;
				size = Math.max(size, at + length);
			} else add({ at, length, guestOffset }, 0);
		},
		ascending: () => all.sort((a, b) => a.at - b.at),
		size: () => size,
	};
};
