import { CorruptError } from '../../errors.ts';

/** What a chunk unpacks to, in bytes. */
const CHUNK = 4096;

/**
 * LZNT1 (MS-XCA 2.5): chunks of 4 KiB, each packed alone. What the chunks do not fill is zeros.
 * @param size what it unpacks to, in bytes; it may end before.
 * @throws CorruptError.
 */
export const unpackLznt1 = (packed: Uint8Array, size: number, path: string): Uint8Array => {
	const out = new Uint8Array(size);
	const word = (at: number): number => (packed[at] ?? 0) | ((packed[at + 1] ?? 0) << 8);
	let from = 0;
	for (let to = 0; to < size; to += CHUNK) {
		const head = word(from);
		if (head === 0) break;
		const end = from + 3 + (head & 0x0fff);
		if (end > packed.length) throw new CorruptError('a compressed chunk ends after its unit', { path });
		from += 2;
		if (head & 0x8000) unpackChunk(packed.subarray(from, end), out.subarray(to, to + CHUNK), path);
		else out.set(packed.subarray(from, Math.min(end, from + size - to)), to);
		from = end;
	}
	return out;
};

const unpackChunk = (packed: Uint8Array, out: Uint8Array, path: string): void => {
	let to = 0;
	for (let from = 0; from < packed.length && to < out.length; ) {
		const flags = packed[from++] ?? 0;
		for (let bit = 0; bit < 8 && from < packed.length && to < out.length; bit++) {
			if (((flags >> bit) & 1) === 0) {
				out[to++] = packed[from++] ?? 0;
				continue;
			}
			// The further into the chunk, the more bits say how far back, and the fewer how long.
			const lengthBits = 12 - Math.max(0, 28 - Math.clz32(Math.max(to - 1, 0)));
			const token = (packed[from] ?? 0) | ((packed[from + 1] ?? 0) << 8);
			from += 2;
			const back = (token >> lengthBits) + 1;
			const length = (token & ((1 << lengthBits) - 1)) + 3;
			if (back > to) throw new CorruptError('a compressed chunk refers to what is in front of it', { path });
			for (let end = Math.min(out.length, to + length); to < end; to++) out[to] = out[to - back] ?? 0;
		}
	}
};
