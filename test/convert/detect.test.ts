import { execSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { diskFormats } from '../../formats/index.ts';
import { detect, formatNamed } from '../../src/convert/detect.ts';
import { openLayer } from '../../src/convert/open.ts';
import { memorySource } from '../../src/io/memory.ts';
import { has, temporaryFolder } from '../helpers/programs.ts';
import { sampleImage, samples } from '../helpers/samples.ts';

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

const here = has('tar') && has('gzip') && has('xz') && has('zstd') && has('bzip2') && has('7zz');
test.skipIf(!here).for([
	['a.ova', 'tar -cf a.ova a', 'a tar archive', 'tar -xf a.ova'],
	['a.gz', 'gzip -k a', 'gzip', 'gzip -dc a.gz > DISK'],
	['a.xz', 'xz -k a', 'xz', 'xz -dc a.xz > DISK'],
	['a.zst', 'zstd -q a', 'zstd', 'zstd -dc a.zst > DISK'],
	['a.bz2', 'bzip2 -k a', 'bzip2', 'bzip2 -dc a.bz2 > DISK'],
	['a.zip', '7zz a a.zip a', 'zip', 'unzip a.zip'],
	['a.7z', '7zz a a.7z a', '7z', '7zz x a.7z'],
] as const)('an image within %s is to be taken out of it first', async ([name, make, what, unwrap]) => {
	const folder = temporaryFolder();
	fs.writeFileSync(path.join(folder, 'a'), 'KDMV'.repeat(1000));
	execSync(make, { cwd: folder, stdio: 'ignore' });
	const bytes = new Uint8Array(fs.readFileSync(path.join(folder, name)));
	await expect(found(bytes, name)).rejects.toMatchObject({
		code: 'UNRECOGNIZED',
		message: expect.stringContaining(what),
		hint: `${unwrap}, and the disk that comes out of it`,
	});
});

test("a disk image of Apple's is told by its end", async () => {
	const bytes = new Uint8Array(4096);
	bytes.set(new TextEncoder().encode('koly'), 4096 - 512);
	await expect(found(bytes, 'a.dmg')).rejects.toMatchObject({
		hint: expect.stringContaining('qemu-img convert -f dmg -O qcow2 a.dmg DISK'),
	});
});

test('what is shorter than any mark is of no format', async () => {
	await expect(found(luks.slice(0, 5), 'disk.luks')).rejects.toThrow('begins or ends like this');
	await expect(found(new Uint8Array(), 'disk')).rejects.toThrow('it is empty');
});

test('a format that is said wrongly is told so in the same words for all, with what it is', async () => {
	const options = { formats: diskFormats, gate: async () => Promise.reject(new Error('nothing is named')) };
	for (const one of samples.filter(({ format }) => format !== 'raw')) {
		const { name, bytes } = sampleImage(one);
		const { id: actual } = formatNamed(diskFormats, one.format);
		for (const { id, name: called } of diskFormats) {
			if (id === 'raw' || id === actual) continue;
			await expect(openLayer(memorySource(bytes, name), { ...options, format: id }), id).rejects.toMatchObject({
				code: 'UNRECOGNIZED',
				message: `it is no ${called}: it neither begins nor ends like one`,
				path: name,
				hint: `-f ${actual}`,
			});
		}
	}
	const damaged = memorySource(new Uint8Array(512).fill(0xff).with(0, 0x51).with(1, 0x46).with(2, 0x49).with(3, 0xfb), 'a.qcow2');
	await expect(openLayer(damaged, { ...options, format: 'qcow2' })).rejects.not.toThrow('it is no');
});
