import type { ByteStream } from '../../core/expand.ts';

// LZ4's legacy frame, which is what `lz4 -l` and the scripts of distributions make:
// https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md#legacy-frame

/** A block unpacks to so much, in bytes; the last to less. */
const BLOCK = 8 << 20;

const MAGIC = 0x184c2102;

/** What a packed block can come to, in bytes. */
const LARGEST_PACKED = BLOCK + Math.floor(BLOCK / 255) + 16;

/** Expand frames that follow each other. They have no end but a length that is none: zeros, or the beginning of something else. */
export async function* expandLz4(stream: ByteStream): AsyncGenerator<Uint8Array> {
	for (;;) {
		const head = await stream.peek(4);
		if (head.length < 4) return;
		const size = new DataView(head.buffer, head.byteOffset).getUint32(0, true);
		if (size !== MAGIC && (size === 0 || size > LARGEST_PACKED)) return;
		await stream.skip(4);
		if (size === MAGIC) continue;
		const packed = await stream.take(size);
		if (packed.length < size) throw new Error('the lz4 stream is cut short');
		yield unpackBlock(packed, BLOCK);
	}
}

/**
 * One block: https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md
 * @param capacity what it may unpack to at the most, in bytes.
 * @throws Error if it is damaged.
 */
const unpackBlock = (packed: Uint8Array, capacity: number): Uint8Array => {
	const out = new Uint8Array(capacity);
	let at = 0;
	let filled = 0;
	const damaged = (): Error => new Error('the lz4 stream makes no sense');
	const longer = (short: number): number => {
		let length = short;
		if (short !== 15) return length;
		for (let more = 255; more === 255; length += more) {
			const byte = packed[at++];
			if (byte === undefined) throw damaged();
			more = byte;
		}
		return length;
	};
	while (at < packed.length) {
		const token = packed[at++] as number;
		const literals = longer(token >> 4);
		if (at + literals > packed.length || filled + literals > capacity) throw damaged();
		out.set(packed.subarray(at, at + literals), filled);
		at += literals;
		filled += literals;
		if (at === packed.length) break; // the last sequence has literals alone
		if (at + 2 > packed.length) throw damaged();
		const distance = (packed[at] as number) | ((packed[at + 1] as number) << 8);
		at += 2;
		const match = longer(token & 15) + 4;
		if (distance === 0 || distance > filled || filled + match > capacity) throw damaged();
		if (distance >= match) {
			out.copyWithin(filled, filled - distance, filled - distance + match);
			filled += match;
		} else {
			for (const end = filled + match; filled < end; filled++) out[filled] = out[filled - distance] as number; // it repeats what it is writing
		}
	}
	return out.subarray(0, filled);
};
