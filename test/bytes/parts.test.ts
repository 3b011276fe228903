import { expect, test } from 'vitest';
import { hexDigits } from '../../src/bytes/hex.ts';
import { joinBytes } from '../../src/bytes/join.ts';
import { fileName } from '../../src/bytes/path.ts';
import { utf16Bytes } from '../../src/bytes/utf16.ts';

test('bytes are joined, and said in two digits each', () => {
	const joined = joinBytes([Uint8Array.of(0, 10), new Uint8Array(), Uint8Array.of(255)]);
	expect([hexDigits(joined), hexDigits(new Uint8Array())]).toEqual(['000aff', '']);
});

test('text is UTF-16 in either order', () => {
	expect(utf16Bytes('a😀', { littleEndian: true })).toEqual(Uint8Array.of(0x61, 0, 0x3d, 0xd8, 0, 0xde));
	expect(utf16Bytes('a', { littleEndian: false })).toEqual(Uint8Array.of(0, 0x61));
});

test('the last part of a path is behind the last slash of either kind', () => {
	expect(['C:\\vm\\a.vhd', '/vm/b.vhd', 'c.vhd', '/vm/'].map(fileName)).toEqual(['a.vhd', 'b.vhd', 'c.vhd', '']);
});
