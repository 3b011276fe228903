import { deflate, deflateRaw, Inflate } from 'pako';
import type { Codec } from '../core/codec.ts';
import { UnsupportedError } from '../errors.ts';
import { unpackZstd } from './zstd.ts';

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
