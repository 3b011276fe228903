/** The polynomial 0x04c11db7, bits reversed. */
const POLYNOMIAL = 0xedb88320;

const TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
	let crc = byte;
	for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
	return crc;
});

/** The CRC-32 of `bytes` (ISO 3309, as gzip and GPT have it), unsigned. */
export const crc32 = (bytes: Uint8Array): number => ~extendCrc32(-1, bytes) >>> 0;

/** The bare register after `bytes`, from one that was before them, signed: LVM begins with another and inverts nothing. */
export const extendCrc32 = (start: number, bytes: Uint8Array): number => {
	let crc = start;
	for (const byte of bytes) crc = (TABLE[(crc ^ byte) & 0xff] as number) ^ (crc >>> 8);
	return crc;
};
