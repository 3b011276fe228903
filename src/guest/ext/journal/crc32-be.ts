/** CRC-32 as Ethernet has it, most significant bit first. */
const POLYNOMIAL = 0x04c11db7;

const TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
	let crc = byte << 24;
	for (let bit = 0; bit < 8; bit++) crc = crc < 0 ? (crc << 1) ^ POLYNOMIAL : crc << 1;
	return crc;
});

/** What the first kind of checksums of a log is: `state` continued over `bytes`, not inverted; -1 begins one. */
export const crc32be = (state: number, bytes: Uint8Array): number => {
	let crc = state;
	for (const byte of bytes) crc = (TABLE[(crc >>> 24) ^ byte] as number) ^ (crc << 8);
	return crc;
};
