/** Which of `length` numbered things were met: a bit each. */
export type Bitset = {
	/** Whether it is met for the first time. The number must be below `length`. */
	add(index: number): boolean;
	has(index: number): boolean;
};

export const bitset = (length: number): Bitset => {
	const bits = new Uint8Array(Math.ceil(length / 8));
	const has = (index: number): boolean => (((bits[index >>> 3] ?? 0) >> (index & 7)) & 1) === 1;
	return {
		has,
		add(index) {
			if (has(index)) return false;
			bits[index >>> 3] = (bits[index >>> 3] ?? 0) | (1 << (index & 7));
			return true;
		},
	};
};
