/** Zeros to compare with, and to hash. */
export const ZEROS = Buffer.alloc(1 << 16);

/** Buffer.compare against zeros: 30 to 40 GB/s, where a loop over words reaches 6. */
export const isZero = (bytes: Buffer, at: number, length: number): boolean => {
	if (bytes[at] !== 0 || bytes[at + length - 1] !== 0) return false;
	for (let done = 0; done < length; done += ZEROS.length) {
		const part = Math.min(ZEROS.length, length - done);
		if (bytes.compare(ZEROS, 0, part, at + done, at + done + part) !== 0) return false;
	}
	return true;
};
