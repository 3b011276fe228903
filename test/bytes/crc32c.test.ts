import { expect, test } from 'vitest';
import { crc32c } from '../../src/bytes/crc32c.ts';

test('CRC-32C gives the values of RFC 3720, appendix B.4', () => {
	expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
	expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
	expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
	expect(crc32c(new TextEncoder().encode('123456789'))).toBe(0xe3069283);
});

test('the place of the checksum itself counts as zeros', () => {
	const bytes = new Uint8Array(32);
	bytes.set([1, 2, 3, 4], 4);
	expect(crc32c(bytes, 4)).toBe(0x8a9136aa);
});

test('it is the same wherever the bytes begin and end', () => {
	const bytes = Uint8Array.from({ length: 64 }, (_, i) => i * 37);
	/** Bit by bit, as the polynomial is defined. */
	const plain = (part: Uint8Array): number => {
		let crc = -1;
		for (const byte of part) {
			crc ^= byte;
			for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
		}
		return ~crc >>> 0;
	};
	for (let start = 0; start < 8; start++) {
		for (let end = start; end < 64; end++) expect(crc32c(bytes.subarray(start, end))).toBe(plain(bytes.subarray(start, end)));
	}
});
