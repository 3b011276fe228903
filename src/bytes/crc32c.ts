/** The Castagnoli polynomial 0x1edc6f41, bits reversed. */
const POLYNOMIAL = 0x82f63b78;

const TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
	let crc = byte;
	for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
	return crc;
});

/** What a byte does to the sum when one, two and three more have followed it: four are taken at a time. */
const [TABLE1, TABLE2, TABLE3] = [1, 2, 3].map((more) =>
	TABLE.map((crc) => {
		for (let step = 0; step < more; step++) crc = (TABLE[crc & 0xff] as number) ^ (crc >>> 8);
		return crc;
	}),
) as [Int32Array, Int32Array, Int32Array];

/**
 * The CRC-32C (RFC 3720, appendix B.4) of `bytes`, unsigned. With `hole`, the four bytes at that offset count as zeros: where a
 * structure keeps its own checksum.
 */
export const crc32c = (bytes: Uint8Array, hole?: number): number => {
	if (hole === undefined) return ~extendCrc32c(-1, bytes) >>> 0;
	const before = extendCrc32c(-1, bytes.subarray(0, hole));
	return ~extendCrc32c(extendCrc32c(before, new Uint8Array(4)), bytes.subarray(hole + 4)) >>> 0;
};

/**
 * The bare sum, neither begun nor ended with an inversion: `state` continued over `bytes`. For file systems that chain seeds; -1 begins one.
 */
export const extendCrc32c = (state: number, bytes: Uint8Array): number => {
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	let crc = state;
	let at = 0;
	for (; at + 4 <= bytes.length; at += 4) {
		const word = crc ^ view.getInt32(at, true);
		const low = (TABLE3[word & 0xff] as number) ^ (TABLE2[(word >>> 8) & 0xff] as number);
		crc = low ^ (TABLE1[(word >>> 16) & 0xff] as number) ^ (TABLE[word >>> 24] as number);
	}
	for (; at < bytes.length; at++) crc = (TABLE[(crc ^ (bytes[at] as number)) & 0xff] as number) ^ (crc >>> 8);
	return crc;
};
