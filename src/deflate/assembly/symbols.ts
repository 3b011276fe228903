// RFC 1951, section 3.2.5: the symbols of lengths and distances. Each doubling of a length has four of them, of a distance two; the
// bits below those that tell them apart follow as they are.

/** The last one, for 258, stands alone. */
const LONGEST: u32 = 28;

/** Of a match of 3 … 258 bytes: 0 … 28, to be counted from symbol 257 on. */
export function lengthSymbol(length: u32): u32 {
	const value = length - 3;
	if (value < 8) return value;
	if (value === 255) return LONGEST;
	const top = 31 - clz(value);
	return 4 * (top - 1) + ((value >> (top - 2)) & 3);
}

/** How many bits follow a symbol of lengths. */
export function lengthExtra(symbol: u32): u32 {
	return symbol < 8 || symbol === LONGEST ? 0 : (symbol >> 2) - 1;
}

/** Of a distance of 1 … 32768: 0 … 29. */
export function distanceSymbol(distance: u32): u32 {
	const value = distance - 1;
	if (value < 4) return value;
	const top = 31 - clz(value);
	return 2 * top + ((value >> (top - 1)) & 1);
}

/** How many bits follow a symbol of distances. */
export function distanceExtra(symbol: u32): u32 {
	return symbol < 4 ? 0 : (symbol >> 1) - 1;
}
