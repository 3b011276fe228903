import type { PackMethod } from './disk.ts';
import type { Packing } from './format.ts';

/** Compression, which each platform does its own way: pako anywhere, node:zlib in Node. */
export interface Codec {
	/**
	 * Exactly `size` bytes: bytes behind the end of the stream are passed over.
	 * @throws Error (without a place; the caller knows it) if the stream is damaged or yields fewer or more bytes.
	 */
	unpack(method: PackMethod, bytes: Uint8Array, size: number): Uint8Array;
	/** The packed bytes without their frame; undefined where they would be more than `atMost`, unless all are to be packed. */
	pack(packing: Packing, bytes: Uint8Array): Uint8Array | undefined;
}
