import { expect, test } from 'vitest';
import { guidBytes, guidText, uuidBytes, uuidText } from '../../src/bytes/guid.ts';

const counted = Uint8Array.from({ length: 16 }, (_, i) => i);

test('a GUID has its first three groups little-endian, a UUID has none', () => {
	expect(guidText(counted)).toBe('03020100-0504-0706-0809-0a0b0c0d0e0f');
	expect(uuidText(counted)).toBe('00010203-0405-0607-0809-0a0b0c0d0e0f');
});

test('text of either case, with or without braces, gives the bytes back', () => {
	expect(guidBytes('{03020100-0504-0706-0809-0A0B0C0D0E0F}')).toEqual(counted);
	expect(uuidBytes('00010203-0405-0607-0809-0a0b0c0d0e0f')).toEqual(counted);
});

test('what is no GUID is none', () => {
	for (const text of ['', '{}', '03020100-0504-0706-0809-0a0b0c0d0e0', '03020100050407060809-0a0b0c0d0e0f', 'g'.repeat(36)]) {
		expect(guidBytes(text)).toBeUndefined();
	}
});
