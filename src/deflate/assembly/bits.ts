// The end of the output, bit by bit.

/** The next whole byte goes here. */
export let out: usize = 0;
/** Bits that wait for more of them to make a byte … */
export let pending: u64 = 0;
/** … and how many they are: 0 … 7. */
export let held: u32 = 0;

/** Go on there. */
export function putFrom(at: usize, bits: u64, size: u32): void {
	out = at;
	pending = bits;
	held = size;
}

/** Write up to 48 bits. */
export function put(bits: u64, size: u32): void {
	pending |= bits << held;
	held += size;
	store<u64>(out, pending);
	out += held >> 3;
	pending >>= held & ~7;
	held &= 7;
}

/** Go on at a whole byte. */
export function align(): void {
	if (held > 0) put(0, 8 - held);
}

/** Write whole bytes, from a whole byte on. */
export function copy(from: usize, length: usize): void {
	memory.copy(out, from, length);
	out += length;
}
