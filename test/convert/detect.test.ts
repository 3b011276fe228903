import { expect, test } from 'vitest';
import { diskFormats } from '../../formats/index.ts';
import { detect } from '../../src/convert/detect.ts';
import { memorySource } from '../../src/io/memory.ts';

const luks = Uint8Array.of(...new TextEncoder().encode('LUKS'), 0xba, 0xbe, 0, 1, ...new Uint8Array(1000));

const found = (bytes: Uint8Array, name: string) => detect(diskFormats, memorySource(bytes, name));

test('a LUKS container is named, and not offered as a raw disk alone', async () => {
	await expect(found(luks, 'disk.luks')).rejects.toMatchObject({
		code: 'UNRECOGNIZED',
		message: 'it is encrypted: a LUKS container, of which vconv has no key',
		path: 'disk.luks',
		hint: expect.stringContaining('--object secret'),
	});
});

test('a raw disk that its guest encrypts is a raw disk', async () => {
	expect((await found(luks, 'disk.img')).id).toBe('raw');
});

test('what is shorter than any mark is of no format', async () => {
	await expect(found(luks.slice(0, 5), 'disk.luks')).rejects.toThrow('begins or ends like this');
	await expect(found(new Uint8Array(), 'disk')).rejects.toThrow('it is empty');
});
