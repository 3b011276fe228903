import { decompress } from 'fzstd';
import { deflate, deflateRaw, Inflate } from 'pako';
import type { Codec } from '../core/codec.ts';
import { UnsupportedError } from '../errors.ts';

/** The codec that runs anywhere. It packs no zstd: nothing portable does that well. */
export const pakoCodec: Codec = {
	unpack(method, bytes, size) {
		if (method === 'zstd') return unpackZstd(bytes, size);
		const inflate = new Inflate({ raw: method === 'deflate', chunkSize: size });
		const out = new Uint8Array(size);
		let filled = 0;
		inflate.onData = (part: Uint8Array) => {
			if (filled + part.length > size) throw new Error(`it yields more than ${size} bytes`);
			out.set(part, filled);
			filled += part.length;
		};
		inflate.push(bytes, true);
		if (inflate.err) throw new Error(inflate.msg || 'the stream makes no sense');
		if (filled !== size) throw new Error(`it yields ${filled} of ${size} bytes`);
		return out;
	},
	pack(packing, bytes) {
		if (packing.method === 'zstd') throw new UnsupportedError('compressing with zstd needs Node', { hint: 'compression_type=zlib' });
		const options = { level: packing.level as 6, windowBits: packing.windowBits, memLevel: 9 as const };
		const packed = packing.method === 'zlib' ? deflate(bytes, options) : deflateRaw(bytes, options);
		return packed.length <= packing.atMost || packing.always ? packed : undefined;
	},
};

const unpackZstd = (bytes: Uint8Array, size: number): Uint8Array => {
	const frame = bytes.subarray(0, zstdFrameLength(bytes));
	// One byte more than there should be, so that a longer frame shows itself.
	const out = decompress(frame, new Uint8Array(size + 1));
	if (out.length !== size) throw new Error(`it yields ${out.length > size ? 'more than' : `${out.length} of`} ${size} bytes`);
	return out;
};

/**
 * How long the first frame is: bytes follow it up to the next sector of a QCOW2 image, and decoders refuse those.
 * RFC 8878, sections 3.1.1 (frame header) and 3.1.1.2 (blocks).
 */
export const zstdFrameLength = (bytes: Uint8Array): number => {
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	if (bytes.length < 6 || view.getUint32(0, true) !== 0xfd2fb528) throw new Error('no zstd frame begins there');
	const descriptor = view.getUint8(4);
	const single = (descriptor & 0x20) !== 0;
	const contentSize = [single ? 1 : 0, 2, 4, 8][descriptor >> 6] as number;
	const dictionary = [0, 1, 2, 4][descriptor & 3] as number;
	let at = 5 + (single ? 0 : 1) + dictionary + contentSize;
	for (;;) {
		if (at + 3 > bytes.length) throw new Error('the zstd frame is cut short');
		const header = view.getUint16(at, true) | (view.getUint8(at + 2) << 16);
		const type = (header >> 1) & 3;
		if (type === 3) throw new Error('a zstd block has a reserved type');
		at += 3 + (type === 1 ? 1 : header >>> 3);
		if (header & 1) break;
	}
	if (descriptor & 4) at += 4;
	if (at > bytes.length) throw new Error('the zstd frame is cut short');
	return at;
};
