import { expect, test } from 'vitest';
import { decodeAs } from '../../src/bytes/encoding.ts';

test('windows-1252 is not Latin-1, whatever the platform makes of it', () => {
	expect(decodeAs('windows-1252', Uint8Array.of(0x80, 0x92, 0x99, 0x9f, 0xe9, 0x41))).toBe('€’™ŸéA');
	expect(decodeAs('windows-1251', Uint8Array.of(0x80, 0xe9))).toBe('Ђй');
	expect(() => decodeAs('utf-8', Uint8Array.of(0x80))).toThrow(TypeError);
});
