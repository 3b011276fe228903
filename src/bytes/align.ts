/** `value` rounded up to a multiple of `unit`. Both are whole numbers of bytes; `unit` need not be a power of two. */
export const alignUp = (value: number, unit: number): number => Math.ceil(value / unit) * unit;

/** `value` rounded down to a multiple of `unit`. */
export const alignDown = (value: number, unit: number): number => value - (value % unit);

export const isPowerOfTwo = (value: number): boolean => value > 0 && Number.isInteger(Math.log2(value));

/** Whether every byte is zero. Words first: this runs over whole disks. Node's mover has a faster one. */
export const isZero = (bytes: Uint8Array): boolean => {
	let at = 0;
	while (at < bytes.length && (bytes.byteOffset + at) % 4 !== 0) if (bytes[at++] !== 0) return false;
	const words = new Int32Array(bytes.buffer, bytes.byteOffset + at, (bytes.length - at) >> 2);
	for (const word of words) if (word !== 0) return false;
	for (at += words.byteLength; at < bytes.length; at++) if (bytes[at] !== 0) return false;
	return true;
};
