// Deflate (RFC 1951) for a block of a disk at a time: what JavaScript sees of it.

import { adler } from './adler';
import { held, out, putFrom } from './bits';
import { putBlock } from './block';
import { fixCodes } from './huffman';
import {
	BLOCK,
	END,
	FIXED,
	HEAD3,
	HEAD4,
	head3Bits,
	head4Bits,
	INPUT,
	LONGEST_BLOCK,
	OUTPUT,
	PIECE,
	PIECE_SIZE,
	SYMBOLS,
	TOKENS,
} from './layout';
import { addFrom, parse, tokens } from './parse';
import { apart, prepareLogarithms } from './split';

export { INPUT, MOST, OUTPUT } from './layout';

memory.grow((<i32>END >> 16) + 1 - memory.size());
fixCodes(FIXED);
prepareLogarithms();

/** Add the counts of the piece to those of the block, and begin the next piece. */
function join(): void {
	for (let at: usize = 0; at < 4 * SYMBOLS; at += 4) store<u32>(BLOCK + at, load<u32>(BLOCK + at) + load<u32>(PIECE + at));
	memory.fill(PIECE, 0, 4 * SYMBOLS);
}

/**
 * Deflate the `length` bytes at INPUT, at most MOST, to OUTPUT. What came before does not matter.
 * @param windowBits 9 … 15: no match is further away than 2 to this power.
 * @param depth see `parse`, as `nice` and `lazy`.
 * @returns how many bytes came of it; 0 if they are more than `room`.
 */
export function deflate(length: u32, room: u32, windowBits: u32, depth: u32, nice: u32, lazy: u32): u32 {
	const end = INPUT + length;
	const limit = min(OUTPUT + room, END - 8);
	store<u64>(end, 0);
	windowBits = min(windowBits, max(9, 32 - clz(length))); // for what is short, tables need not be large
	memory.fill(HEAD3, 0, 2 << head3Bits(windowBits));
	memory.fill(HEAD4, 0, 2 << head4Bits(windowBits));
	memory.fill(BLOCK, 0, 4 * SYMBOLS);
	memory.fill(PIECE, 0, 4 * SYMBOLS);
	putFrom(OUTPUT, 0, 0);
	addFrom(TOKENS);
	let block = INPUT;
	let at = INPUT;
	while (at < end) {
		const piece = at;
		const known = tokens;
		at = parse(at, min(at + PIECE_SIZE, end), end, windowBits, depth, nice, lazy);
		if (piece > block && (at - block > LONGEST_BLOCK || apart())) {
			if (!putBlock(block, piece - block, known, false, limit)) return 0;
			memory.copy(TOKENS, known, tokens - known);
			addFrom(TOKENS + (tokens - known));
			memory.fill(BLOCK, 0, 4 * SYMBOLS);
			block = piece;
		}
		join();
	}
	if (!putBlock(block, end - block, tokens, true, limit)) return 0;
	return <u32>(out - OUTPUT) + (held > 0 ? 1 : 0);
}

/** Adler-32 of the `length` bytes at INPUT. */
export function adler32(length: u32): u32 {
	return adler(INPUT, INPUT + length);
}
