/** The Castagnoli polynomial 0x1edc6f41, bits reversed. */
const POLYNOMIAL = 0x82f63b78;

const TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
	let crc = byte;
	for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
	return crc;
});

/**
 * The CRC-32C (RFC 3720, appendix B.4) of `bytes`, unsigned. With `hole`, the four bytes at that offset count as zeros: where a
 * structure keeps its own checksum.
 */
export const crc32c = (bytes: Uint8Array, hole = Number.POSITIVE_INFINITY): number => {
	let crc = -1;
	for (let at = 0; at < bytes.length; at++) {
		const byte = at >= hole && at < hole + 4 ? 0 : (bytes[at] as number);
		crc = (TABLE[(crc ^ byte) & 0xff] as number) ^ (crc >>> 8);
	}
	return ~crc >>> 0;
};
