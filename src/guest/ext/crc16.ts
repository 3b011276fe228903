/** The polynomial 0x8005, bits reversed. */
const POLYNOMIAL = 0xa001;

const TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
	let crc = byte;
	for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
	return crc;
});

/** The CRC-16 (ANSI) that group descriptors have without metadata_csum: `state` continued over `bytes`, not inverted. */
export const crc16 = (state: number, bytes: Uint8Array): number => {
	let crc = state;
	for (const byte of bytes) crc = (TABLE[(crc ^ byte) & 0xff] as number) ^ (crc >>> 8);
	return crc;
};
