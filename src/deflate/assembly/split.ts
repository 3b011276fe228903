// Whether a piece of input is better in a block of its own: by the entropy of its symbols.

import { BLOCK, DISTANCES, LITERALS, LOGARITHMS, LOGARITHMS_SIZE, PIECE, SYMBOLS } from './layout';

/** What a further block costs beyond its tokens, in bits: the description of its codes, mostly. */
const HEAD: i64 = 800;
const FRACTION: u32 = 16;

/** Fill the table: base-2 logarithms of what is less than 1024, with 16 bits of fraction, by squaring. */
export function prepareLogarithms(): void {
	for (let value: u32 = 1; value < LOGARITHMS_SIZE; value++) {
		let logarithm = 31 - clz(value);
		let mantissa = (<u64>value) << clz(value);
		for (let bit: u32 = 0; bit < FRACTION; bit++) {
			mantissa = (mantissa * mantissa) >> 31;
			const carry = mantissa >> 32;
			mantissa >>= carry;
			logarithm = (logarithm << 1) | <u32>carry;
		}
		store<u32>(LOGARITHMS + 4 * value, logarithm);
	}
}

/** n log n, in 65536ths of a bit. */
function weighted(value: u32): i64 {
	const shift = <u32>max(0, <i32>clz(LOGARITHMS_SIZE - 1) - <i32>clz(value));
	return <i64>value * (load<u32>(LOGARITHMS + 4 * (value >> shift)) + (shift << FRACTION));
}

/** How much more the symbols of the block and the piece take with one code than with two, in 65536ths of a bit: the entropy of their counts. */
function gain(offset: usize, symbols: usize): i64 {
	let block: u32 = 0;
	let piece: u32 = 0;
	let bits: i64 = 0;
	for (let at = offset; at < offset + 4 * symbols; at += 4) {
		const own = load<u32>(PIECE + at);
		if (own === 0) {
			block += load<u32>(BLOCK + at);
			continue;
		}
		const other = load<u32>(BLOCK + at);
		block += other;
		piece += own;
		bits += weighted(own) + weighted(other) - weighted(own + other);
	}
	return weighted(block + piece) - weighted(block) - weighted(piece) + bits;
}

/** Whether the block should end before the piece. */
export function apart(): bool {
	return gain(0, LITERALS) + gain(DISTANCES, SYMBOLS - LITERALS) > HEAD << FRACTION;
}
