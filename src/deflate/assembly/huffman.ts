// Counts to codes of limited length.

import { DISTANCES, LITERALS, SCRATCH } from './layout';

// 32 bits each. Leaves are in order of weight, the nodes above them behind them in the order in which they are made.
const WEIGHT: usize = SCRATCH;
const PARENT: usize = WEIGHT + 4 * 2 * LITERALS;
/** The leaves' symbols. */
const ORDER: usize = PARENT + 4 * 2 * LITERALS;
/** For each digit, and later for each length, how many have it, then where the next one goes, or what its code is. */
const TALLY: usize = ORDER + 4 * LITERALS;

const DIGIT: u32 = 9;

/** Sort by the digit from bit `shift` on, keeping the order of equals. */
function sortByDigit(from: usize, to: usize, size: u32, shift: u32): void {
	memory.fill(TALLY, 0, 4 << DIGIT);
	for (let i: usize = 0; i < size; i++) {
		const slot = TALLY + 4 * ((load<u32>(from + 4 * i) >> shift) & ((1 << DIGIT) - 1));
		store<u32>(slot, load<u32>(slot) + 1);
	}
	let sum: u32 = 0;
	for (let slot = TALLY; slot < TALLY + (4 << DIGIT); slot += 4) {
		const size = load<u32>(slot);
		store<u32>(slot, sum);
		sum += size;
	}
	for (let i: usize = 0; i < size; i++) {
		const entry = load<u32>(from + 4 * i);
		const slot = TALLY + 4 * ((entry >> shift) & ((1 << DIGIT) - 1));
		const place = load<u32>(slot);
		store<u32>(slot, place + 1);
		store<u32>(to + 4 * place, entry);
	}
}

/** The symbols that occur, the rarest first, in ORDER, their weights in WEIGHT. At least two: a code of one symbol is not complete. */
function sorted(counts: usize, symbols: u32): u32 {
	let size: u32 = 0;
	for (let symbol: u32 = 0; symbol < symbols; symbol++) {
		const weight = load<u32>(counts + 4 * symbol);
		if (weight !== 0) store<u32>(ORDER + 4 * size++, (weight << DIGIT) | symbol);
	}
	for (let symbol: u32 = 0; size < 2; symbol++) {
		if (load<u32>(counts + 4 * symbol) === 0) store<u32>(ORDER + 4 * size++, (1 << DIGIT) | symbol);
	}
	sortByDigit(ORDER, PARENT, size, DIGIT);
	sortByDigit(PARENT, ORDER, size, 2 * DIGIT);
	for (let i: usize = 0; i < size; i++) {
		const entry = load<u32>(ORDER + 4 * i);
		store<u32>(WEIGHT + 4 * i, entry >> DIGIT);
		store<u32>(ORDER + 4 * i, entry & ((1 << DIGIT) - 1));
	}
	return size;
}

/** Join the two lightest nodes until one is left. New nodes come in order of weight, so that the lightest are at the front of two queues. */
function joinNodes(leaves: u32): void {
	let leaf: u32 = 0;
	let node = leaves;
	for (let made = leaves; made < 2 * leaves - 1; made++) {
		let weight: u32 = 0;
		for (let child = 0; child < 2; child++) {
			const takeLeaf = leaf < leaves && (node === made || load<u32>(WEIGHT + 4 * leaf) <= load<u32>(WEIGHT + 4 * node));
			const taken = takeLeaf ? leaf++ : node++;
			weight += load<u32>(WEIGHT + 4 * taken);
			store<u32>(PARENT + 4 * taken, made);
		}
		store<u32>(WEIGHT + 4 * made, weight);
	}
}

/** How many codes have each length, in TALLY. Those that would be longer than `longest` get it, and others grow to make up for it. */
function countLengths(leaves: u32, longest: u32): void {
	const depth = WEIGHT; // the weights are done with
	memory.fill(TALLY, 0, 4 * 16);
	const root = 2 * leaves - 2;
	store<u32>(depth + 4 * root, 0);
	let used: u32 = 0; // in units of the longest code
	for (let node = root - 1; node !== <u32>-1; node--) {
		const own = load<u32>(depth + 4 * load<u32>(PARENT + 4 * node)) + 1;
		store<u32>(depth + 4 * node, own);
		if (<u32>node >= leaves) continue;
		const length = min(own, longest);
		used += 1 << (longest - length);
		store<u32>(TALLY + 4 * length, load<u32>(TALLY + 4 * length) + 1);
	}
	for (; used > (<u32>1) << longest; used--) {
		// One of the longest codes becomes the sibling of a shorter one, which so grows by a bit.
		let length = longest - 1;
		while (load<u32>(TALLY + 4 * length) === 0) length--;
		store<u32>(TALLY + 4 * length, load<u32>(TALLY + 4 * length) - 1);
		store<u32>(TALLY + 4 * (length + 1), load<u32>(TALLY + 4 * (length + 1)) + 2);
		store<u32>(TALLY + 4 * longest, load<u32>(TALLY + 4 * longest) - 1);
	}
}

/** Codes are sent from their first bit on, all else from the lowest. */
function reversed(code: u32, length: u32): u32 {
	code = ((code & 0x5555) << 1) | ((code >> 1) & 0x5555);
	code = ((code & 0x3333) << 2) | ((code >> 2) & 0x3333);
	code = ((code & 0x0f0f) << 4) | ((code >> 4) & 0x0f0f);
	return (((code & 0xff) << 8) | (code >> 8)) >> (16 - length);
}

/** RFC 1951, section 3.2.2: codes follow from lengths. TALLY has how many have each; in `codes`, lengths are from bit 16 on. */
function assignCodes(codes: usize, symbols: u32, longest: u32): void {
	let next: u32 = 0;
	for (let length: u32 = 1; length <= longest; length++) {
		const slot = TALLY + 4 * length;
		const size = load<u32>(slot);
		store<u32>(slot, next);
		next = (next + size) << 1;
	}
	for (let entry = codes; entry < codes + 4 * symbols; entry += 4) {
		const length = load<u32>(entry) >> 16;
		if (length === 0) continue;
		const slot = TALLY + 4 * length;
		const code = load<u32>(slot);
		store<u32>(slot, code + 1);
		store<u32>(entry, (length << 16) | reversed(code, length));
	}
}

/** Give each symbol that occurs a code of at most `longest` bits, and the others none. */
export function buildCode(counts: usize, codes: usize, symbols: u32, longest: u32): void {
	const leaves = sorted(counts, symbols);
	joinNodes(leaves);
	countLengths(leaves, longest);
	memory.fill(codes, 0, 4 * symbols);
	let at = ORDER;
	for (let length = longest; length > 0; length--) {
		for (let left = load<u32>(TALLY + 4 * length); left > 0; left--, at += 4) store<u32>(codes + 4 * load<u32>(at), length << 16);
	}
	assignCodes(codes, symbols, longest);
}

/** RFC 1951, section 3.2.6. */
export function fixCodes(codes: usize): void {
	memory.fill(TALLY, 0, 4 * 16);
	for (let symbol: u32 = 0; symbol < <u32>LITERALS; symbol++) {
		const length: u32 = symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8;
		store<u32>(codes + 4 * symbol, length << 16);
		store<u32>(TALLY + 4 * length, load<u32>(TALLY + 4 * length) + 1);
	}
	assignCodes(codes, <u32>LITERALS, 9);
	for (let symbol: u32 = 0; symbol < 32; symbol++) store<u32>(codes + DISTANCES + 4 * symbol, (5 << 16) | reversed(symbol, 5));
}
