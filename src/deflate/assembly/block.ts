// Tokens to a block of deflate: stored, with the codes that the format fixes or with its own, whichever is shortest.

import { align, copy, held, out, put } from './bits';
import { buildCode } from './huffman';
import { BLOCK, CODES, DISTANCES, FIXED, SYMBOLS, TOKENS } from './layout';
import { planLengths, putLengths } from './lengths';
import { distanceExtra, distanceSymbol, lengthExtra, lengthSymbol } from './symbols';

const END_OF_BLOCK: usize = 256;
const LONGEST_CODE: u32 = 15;
const MOST_STORED: usize = 65535;
// RFC 1951, section 3.2.3.
const STORED = 0;
const FIXED_CODES = 1;
const OWN_CODES = 2;

/** How many bits the tokens take with these codes. */
function cost(codes: usize): u32 {
	let bits: u32 = 0;
	for (let at: usize = 0; at < 4 * SYMBOLS; at += 4) bits += load<u32>(BLOCK + at) * (load<u32>(codes + at) >> 16);
	for (let symbol: u32 = 0; symbol < 29; symbol++) bits += load<u32>(BLOCK + 4 * (257 + symbol)) * lengthExtra(symbol);
	for (let symbol: u32 = 0; symbol < 30; symbol++) bits += load<u32>(BLOCK + DISTANCES + 4 * symbol) * distanceExtra(symbol);
	return bits;
}

function putLiterals(at: usize, end: usize, codes: usize): void {
	while (at < end) {
		// Three of them fit at a time.
		let bits: u64 = 0;
		let size: u32 = 0;
		for (const stop = min(at + 3, end); at < stop; at++) {
			const code = load<u32>(codes + 4 * <usize>load<u8>(at));
			bits |= (<u64>(code & 0xffff)) << size;
			size += code >> 16;
		}
		put(bits, size);
	}
}

/** The lowest bits of a value. */
function lowest(value: u32, size: u32): u64 {
	return value & ((1 << size) - 1);
}

function putMatch(length: u32, distance: u32, codes: usize): void {
	const lengths = lengthSymbol(length);
	const distances = distanceSymbol(distance);
	const first = load<u32>(codes + 4 * (257 + lengths));
	const second = load<u32>(codes + DISTANCES + 4 * distances);
	let bits = <u64>(first & 0xffff);
	let size = first >> 16;
	bits |= lowest(length - 3, lengthExtra(lengths)) << size;
	size += lengthExtra(lengths);
	bits |= (<u64>(second & 0xffff)) << size;
	size += second >> 16;
	bits |= lowest(distance - 1, distanceExtra(distances)) << size;
	put(bits, size + distanceExtra(distances));
}

function putTokens(from: usize, tokens: usize, codes: usize): void {
	for (let token = TOKENS; token < tokens; token += 8) {
		const end = from + load<u32>(token);
		const match = load<u32>(token + 4);
		putLiterals(from, end, codes);
		from = end + (match >> 16);
		if (match !== 0) putMatch(match >> 16, match & 0xffff, codes);
	}
	const code = load<u32>(codes + 4 * END_OF_BLOCK);
	put(code & 0xffff, code >> 16);
}

function putStored(from: usize, length: usize, last: bool): void {
	do {
		const part = min(length, MOST_STORED);
		length -= part;
		put(<u32>(last && length === 0) | (STORED << 1), 3);
		align();
		put(part | ((part ^ 0xffff) << 16), 32);
		copy(from, part);
		from += part;
	} while (length > 0);
}

/** How many bits that takes. */
function costStored(length: usize): u32 {
	const blocks = max(1, <u32>((length + MOST_STORED - 1) / MOST_STORED));
	return ((held + 3 + 7) & ~7) - held + 32 + (blocks - 1) * 40 + 8 * <u32>length;
}

/**
 * Write the block of the tokens up to `tokens`, which stand for `length` bytes of input at `from`. Nothing is written behind `limit`,
 * but for 8 bytes that do not count.
 * @returns whether it fits.
 */
export function putBlock(from: usize, length: usize, tokens: usize, last: bool, limit: usize): bool {
	store<u32>(BLOCK + 4 * END_OF_BLOCK, 1);
	buildCode(BLOCK, CODES, 286, LONGEST_CODE);
	buildCode(BLOCK + DISTANCES, CODES + DISTANCES, 30, LONGEST_CODE);
	const own = 3 + planLengths() + cost(CODES);
	const fixed = 3 + cost(FIXED);
	const stored = costStored(length);
	const bits = min(min(own, fixed), stored);
	if (out + ((held + bits + 7) >> 3) > limit) return false;

	if (bits === stored) {
		putStored(from, length, last);
	} else if (bits === fixed) {
		put(<u32>last | (FIXED_CODES << 1), 3);
		putTokens(from, tokens, FIXED);
	} else {
		put(<u32>last | (OWN_CODES << 1), 3);
		putLengths();
		putTokens(from, tokens, CODES);
	}
	return true;
}
