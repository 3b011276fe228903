// Where everything is in the one linear memory, which never grows: growing it would detach the views that JavaScript has of it.

/** The most that is packed at a time, in bytes: the largest cluster of QCOW2. */
export const MOST: usize = 2 << 20;

/** Input is parsed in pieces of so many bytes, and whatever the last token of one is longer by; blocks are made of them. */
export const PIECE_SIZE: usize = 4096;
/** A block of deflate covers no more than this: tokens have their room, and counts stay below 2^18. */
export const LONGEST_BLOCK: usize = 128 << 10;

/** Bits of a hash of 3 bytes: enough that few of them get in each other's way, for a match begins with one. */
export function head3Bits(windowBits: u32): u32 {
	return min(16, windowBits + 3);
}
/** Bits of a hash of 4 bytes, whose positions are in chains. */
export function head4Bits(windowBits: u32): u32 {
	return windowBits + 2;
}

/** For each hash of 3 bytes the position that last had it, modulo 64 KiB. */
export const HEAD3: usize = 1024;
/** The same of 4 bytes. */
export const HEAD4: usize = HEAD3 + (2 << 16);
/** For each position modulo the window the one before it with the same hash of 4 bytes. */
export const PREVIOUS: usize = HEAD4 + (2 << 17);

/** How many symbols of each kind have room: literals and lengths first, distances behind them. */
export const LITERALS: usize = 288;
export const SYMBOLS: usize = LITERALS + 32;
/** From the first literal's count or code to the first distance's. */
export const DISTANCES: usize = 4 * LITERALS;

/** Counts of a block's symbols, 32 bits each. */
export const BLOCK: usize = PREVIOUS + (2 << 15);
/** The same of the piece that was parsed last. */
export const PIECE: usize = BLOCK + 4 * SYMBOLS;
/** Counts of the symbols in which code lengths are written. */
export const LENGTHS: usize = PIECE + 4 * SYMBOLS;

/** Codes of a block's symbols, 32 bits each: the bits as they are written, and from bit 16 on how many they are. */
export const CODES: usize = LENGTHS + 4 * 32;
/** The codes that the format fixes. */
export const FIXED: usize = CODES + 4 * SYMBOLS;
/** Those of code lengths. */
export const LENGTH_CODES: usize = FIXED + 4 * SYMBOLS;

/** Code lengths as they will be written, 16 bits each: the symbol, and from bit 8 on what follows it. */
export const RUNS: usize = LENGTH_CODES + 4 * 32;
/** Room for building a code, 32 bits each: twice for leaves and inner nodes, once for leaves, once for the values of 9 bits. */
export const SCRATCH: usize = RUNS + 2 * SYMBOLS;
/** 32 bits each. */
export const LOGARITHMS: usize = SCRATCH + 4 * (2 * 2 * LITERALS + LITERALS + 512);

/** How many logarithms there are. */
export const LOGARITHMS_SIZE: u32 = 1024;

/** What the block and the piece behind it hold: 8 bytes for each run of literals and the match behind it, which is 3 bytes at least. */
export const TOKENS: usize = LOGARITHMS + 4 * LOGARITHMS_SIZE;
/** The input, with zeros behind it for those who read 8 bytes at a time. */
export const INPUT: usize = TOKENS + 8 * ((LONGEST_BLOCK + 2 * PIECE_SIZE) / 3 + LONGEST_BLOCK / PIECE_SIZE);
/** The output, with room behind it for those who write 8 bytes at a time. */
export const OUTPUT: usize = INPUT + MOST + 64;
export const END: usize = OUTPUT + MOST + (MOST >> 8) + 1024;
