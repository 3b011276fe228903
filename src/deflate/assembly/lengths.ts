// RFC 1951, section 3.2.7: the codes of a block are given by their lengths, in runs, which have a code themselves.

import { put } from './bits';
import { buildCode } from './huffman';
import { CODES, DISTANCES, LENGTH_CODES, LENGTHS, RUNS } from './layout';

// Symbols above the lengths 0 … 15.
const REPEAT: u32 = 16;
const ZEROS: u32 = 17;
const MANY_ZEROS: u32 = 18;
const LENGTH_SYMBOLS: u32 = 19;

/** Where the runs end. */
let runs: usize = 0;
/** How many literals and lengths, distances, and code lengths there are, up to the last one that has a code. */
let literals: u32 = 0;
let distances: u32 = 0;
let lengths: u32 = 0;

/** The order in which lengths of the code of code lengths are given, from the middle outwards: 16 17 18 0 8 7 9 6 10 5 11 4 12 3 13 2 14 1 15. */
function inOrder(index: u32): u32 {
	if (index < 3) return REPEAT + index;
	if (index === 3) return 0;
	return index & 1 ? 8 - (index - 3) / 2 : 8 + (index - 4) / 2;
}

/** How many bits follow a symbol of code lengths. */
function extra(symbol: u32): u32 {
	return symbol < REPEAT ? 0 : symbol === REPEAT ? 2 : symbol === ZEROS ? 3 : 7;
}

function lengthOf(code: usize): u32 {
	return load<u32>(code) >> 16;
}

function used(codes: usize, symbols: u32): u32 {
	while (load<u32>(codes + 4 * (symbols - 1)) === 0) symbols--;
	return symbols;
}

function addRun(symbol: u32, rest: u32): void {
	store<u8>(runs, <u8>symbol);
	store<u8>(runs + 1, <u8>rest);
	runs += 2;
	store<u32>(LENGTHS + 4 * symbol, load<u32>(LENGTHS + 4 * symbol) + 1);
}

function addRuns(length: u32, size: u32): void {
	if (length === 0) {
		for (; size >= 11; size -= min(size, 138)) addRun(MANY_ZEROS, min(size, 138) - 11);
		if (size >= 3) {
			addRun(ZEROS, size - 3);
			size = 0;
		}
	} else {
		addRun(length, 0);
		for (size--; size >= 3; size -= min(size, 6)) addRun(REPEAT, min(size, 6) - 3);
	}
	for (; size > 0; size--) addRun(length, 0);
}

/** The code at index of both, one behind the other. */
function codeAt(index: u32): usize {
	return index < literals ? CODES + 4 * index : CODES + DISTANCES + 4 * (index - literals);
}

/** Find out how the codes of the block are best given. @returns how many bits that takes. */
export function planLengths(): u32 {
	memory.fill(LENGTHS, 0, 4 * LENGTH_SYMBOLS);
	runs = RUNS;
	literals = used(CODES, 286);
	distances = used(CODES + DISTANCES, 30);
	for (let at: u32 = 0, end = at; at < literals + distances; at = end) {
		const length = lengthOf(codeAt(at));
		for (end = at + 1; end < literals + distances && lengthOf(codeAt(end)) === length; ) end++;
		addRuns(length, end - at);
	}
	buildCode(LENGTHS, LENGTH_CODES, LENGTH_SYMBOLS, 7);
	lengths = LENGTH_SYMBOLS;
	while (load<u32>(LENGTH_CODES + 4 * inOrder(lengths - 1)) === 0) lengths--;
	let bits = 14 + 3 * lengths;
	for (let symbol: u32 = 0; symbol < LENGTH_SYMBOLS; symbol++) {
		bits += load<u32>(LENGTHS + 4 * symbol) * (lengthOf(LENGTH_CODES + 4 * symbol) + extra(symbol));
	}
	return bits;
}

/** Write what was planned. */
export function putLengths(): void {
	put((literals - 257) | ((distances - 1) << 5) | ((lengths - 4) << 10), 14);
	for (let index: u32 = 0; index < lengths; index++) put(lengthOf(LENGTH_CODES + 4 * inOrder(index)), 3);
	for (let run = RUNS; run < runs; run += 2) {
		const symbol = <u32>load<u8>(run);
		const code = load<u32>(LENGTH_CODES + 4 * symbol);
		put(code & 0xffff, code >> 16);
		put(load<u8>(run + 1), extra(symbol));
	}
}
