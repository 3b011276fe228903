// Input to tokens: hash chains, and a look at the next byte before a match is taken.

import { DISTANCES, HEAD3, HEAD4, head3Bits, head4Bits, INPUT, PIECE, PREVIOUS } from './layout';
import { distanceSymbol, lengthSymbol } from './symbols';

const SHORTEST: u32 = 3;
const LONGEST: u32 = 258;
const FACTOR: u32 = 0x9e3779b1; // 2^32 over the golden ratio

/** Where the tokens of the block end: the next one goes there. */
export let tokens: usize = 0;

/** Go on with tokens there. */
export function addFrom(to: usize): void {
	tokens = to;
}

function hash(bytes: u32, bits: u32): u32 {
	return (bytes * FACTOR) >> (32 - bits);
}

/** Make a position known to later ones. */
function remember(at: usize, windowBits: u32): void {
	const bytes = load<u32>(at);
	const position = <u32>(at - INPUT);
	const head = HEAD4 + 2 * hash(bytes, head4Bits(windowBits));
	store<u16>(PREVIOUS + 2 * (position & ((1 << windowBits) - 1)), load<u16>(head));
	store<u16>(head, <u16>position);
	store<u16>(HEAD3 + 2 * hash(bytes << 8, head3Bits(windowBits)), <u16>position);
}

/** How many bytes are the same at two places: at least 4, which are known to be, and at most `most`. */
function common(at: usize, other: usize, most: u32): u32 {
	for (let length: u32 = 4; length < most; length += 8) {
		const differ = load<u64>(at + length) ^ load<u64>(other + length);
		if (differ !== 0) return min(length + (<u32>ctz(differ) >> 3), most);
	}
	return most;
}

/**
 * The longest match for the bytes at `at` that is longer than `best`, and remember the position. Positions are known modulo 64 KiB:
 * what they lead to is compared, so that a mistaken one costs time and nothing else.
 * @returns the length in the upper half, the distance in the lower; 0 if there is none.
 */
function longest(at: usize, most: u32, best: u32, windowBits: u32, depth: u32, nice: u32): u32 {
	const position = <u32>(at - INPUT);
	const furthest = min<u32>(position, 1 << windowBits);
	const previous = PREVIOUS + 2 * (position & ((1 << windowBits) - 1));
	const bytes = load<u32>(at);
	const head3 = HEAD3 + 2 * hash(bytes << 8, head3Bits(windowBits));
	const head4 = HEAD4 + 2 * hash(bytes, head4Bits(windowBits));
	const newest3 = <u32>load<u16>(head3);
	const newest4 = load<u16>(head4);
	store<u16>(head3, <u16>position);
	store<u16>(head4, <u16>position);

	let found: u32 = 0;
	if (best < SHORTEST) {
		// Most positions end here, as literals: what has not been seen with 3 bytes was not seen with more.
		const distance = (position - newest3) & 0xffff;
		if (distance - 1 >= furthest || load<u32>(at - distance) << 8 !== bytes << 8) {
			store<u16>(previous, newest4);
			return 0;
		}
		found = (SHORTEST << 16) | distance;
		best = SHORTEST;
	}
	const enough = min(nice, most);
	let tail = load<u32>(at + best - 3);
	let candidate = <u32>newest4;
	do {
		const distance = (position - candidate) & 0xffff;
		if (distance - 1 >= furthest) break;
		const other = at - distance;
		if (load<u32>(other + best - 3) === tail && load<u32>(other) === bytes) {
			const length = common(at, other, most);
			if (length > best) {
				found = (length << 16) | distance;
				if (length >= enough) break;
				best = length;
				tail = load<u32>(at + best - 3);
			}
		}
		candidate = <u32>load<u16>(PREVIOUS + 2 * (candidate & ((1 << windowBits) - 1)));
	} while (--depth !== 0);
	// Only now: until here it told what is before the position one window back.
	store<u16>(previous, newest4);
	return found;
}

function count(symbol: usize): void {
	store<u32>(symbol, load<u32>(symbol) + 1);
}

function countLiteral(at: usize): void {
	count(PIECE + 4 * <usize>load<u8>(at));
}

/** Add a run of literals, which are counted already, and the match behind it, or none. */
function add(literals: usize, end: usize, match: u32): void {
	store<u32>(tokens, <u32>(end - literals));
	store<u32>(tokens + 4, match);
	tokens += 8;
	if (match === 0) return;
	count(PIECE + 4 * (257 + lengthSymbol(match >> 16)));
	count(PIECE + DISTANCES + 4 * distanceSymbol(match & 0xffff));
}

/** Worth more: 4 for each byte, 1 for each bit less of distance. */
function worth(match: u32): u32 {
	return 4 * (match >> 16) + clz(match & 0xffff);
}

/**
 * Parse from `at` until `until`, or as far behind it as the last match goes; the input ends at `end`. Tokens are added, their symbols
 * counted.
 * @param depth how many candidates are looked at for a match: 1 at least.
 * @param nice a match of so many bytes is taken without looking for a longer one.
 * @param lazy for a shorter match than this, the next byte may begin a better one.
 * @returns where it stopped.
 */
export function parse(at: usize, until: usize, end: usize, windowBits: u32, depth: u32, nice: u32, lazy: u32): usize {
	let literals = at;
	while (at < until) {
		if (end - at <= SHORTEST) {
			for (; at < end; at++) countLiteral(at);
			break;
		}
		let match = longest(at, min(<u32>(end - at), LONGEST), 0, windowBits, depth, nice);
		if (match === 0) {
			countLiteral(at++);
			continue;
		}
		let known = at + 1;
		while (match >> 16 < lazy && end - known > SHORTEST) {
			const next = longest(known, min(<u32>(end - known), LONGEST), match >> 16, windowBits, (depth + 1) >> 1, nice);
			known++;
			if (next === 0 || worth(next) <= worth(match) + 2) break;
			countLiteral(at++);
			match = next;
		}
		add(literals, at, match);
		at += match >> 16;
		literals = at;
		for (; known < at; known++) remember(known, windowBits);
	}
	if (literals < at) add(literals, at, 0);
	return at;
}
