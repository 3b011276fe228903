// RFC 1950, section 8.2.

const BASE: u32 = 65521;
/** The most bytes after which the sums still fit into 32 bits, and a multiple of 8. */
const RUN: usize = 5552;

/** Adler-32 of the bytes from `at` to `end`. */
export function adler(at: usize, end: usize): u32 {
	let a: u32 = 1;
	let b: u32 = 0;
	while (at < end) {
		const stop = min(at + RUN, end);
		for (; at + 8 <= stop; at += 8) {
			const bytes = load<u64>(at);
			const b0 = <u32>(bytes & 0xff);
			const b1 = <u32>((bytes >> 8) & 0xff);
			const b2 = <u32>((bytes >> 16) & 0xff);
			const b3 = <u32>((bytes >> 24) & 0xff);
			const b4 = <u32>((bytes >> 32) & 0xff);
			const b5 = <u32>((bytes >> 40) & 0xff);
			const b6 = <u32>((bytes >> 48) & 0xff);
			const b7 = <u32>(bytes >> 56);
			b += 8 * (a + b0) + 7 * b1 + 6 * b2 + 5 * b3 + 4 * b4 + 3 * b5 + 2 * b6 + b7;
			a += b0 + b1 + b2 + b3 + b4 + b5 + b6 + b7;
		}
		for (; at < stop; at++) {
			a += load<u8>(at);
			b += a;
		}
		a %= BASE;
		b %= BASE;
	}
	return (b << 16) | a;
}
