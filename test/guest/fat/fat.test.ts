import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { CorruptError } from '../../../src/errors.ts';
import { sourceDevice } from '../../../src/guest/device.ts';
import { openFat } from '../../../src/guest/fat/reader.ts';
import { fileTree } from '../../../src/guest/tree.ts';
import { memorySource } from '../../../src/io/memory.ts';
import { has, run, temporaryFolder } from '../../helpers/programs.ts';
import { survivesDamage } from '../damage.ts';
import { contentsOf, contentsOfFolder } from '../ext/walk.ts';

const open = (bytes: Uint8Array) => openFat(sourceDevice(memorySource(bytes, 'fat')));

/** A tree such as a system partition has, and what is hard about names. */
const makeTree = (root: string, many: number): void => {
	for (const folder of ['EFI/BOOT', 'EFI/Microsoft/Boot', 'many', 'empty']) fs.mkdirSync(path.join(root, folder), { recursive: true });
	fs.writeFileSync(
		path.join(root, 'EFI/BOOT/BOOTX64.EFI'),
		new Uint8Array(70_000).map((_, index) => index % 253),
	);
	fs.writeFileSync(path.join(root, 'EFI/Microsoft/Boot/BCD'), 'x'.repeat(300));
	for (const name of [
		'UPPER.TXT',
		'lower.txt',
		'Mixed.Txt',
		'no extension',
		'ünïcödé Ελλάδα.txt',
		`${'long '.repeat(40)}.txt`,
		'a.b.c',
		'thirteenchars',
	]) {
		fs.writeFileSync(path.join(root, name), name);
	}
	fs.writeFileSync(path.join(root, 'nothing'), '');
	for (let index = 0; index < many; index++) fs.writeFileSync(path.join(root, 'many', `a file with a long name ${index}`), `${index}`);
};

const makeVolume = (size: string, ...options: string[]): { image: string; tree: string } => {
	const folder = temporaryFolder();
	const [image, tree] = [path.join(folder, 'fat.img'), path.join(folder, 'tree')];
	makeTree(tree, 60);
	run('truncate', '-s', size, image);
	run('mkfs.vfat', '-i', 'CAFE0123', ...options, image);
	run('mcopy', '-s', '-i', image, ...fs.readdirSync(tree).map((name) => path.join(tree, name)), '::');
	return { image, tree };
};

describe.skipIf(!has('mkfs.vfat') || !has('mcopy'))('a FAT volume', () => {
	test.for<[name: string, size: string, ...options: string[]]>([
		['12', '2M', '-F', '12'],
		['16', '16M', '-F', '16', '-s', '4'],
		['32', '34M', '-F', '32', '-s', '1'],
		['16 with sectors of 4 KiB', '24M', '-F', '16', '-S', '4096', '-s', '1'],
		['16 with one table', '20M', '-F', '16', '-f', '1', '-r', '1024'],
	])('of kind %s reads as it was filled', async ([, size, ...options]) => {
		const { image, tree } = makeVolume(size, '-n', 'ESP VOL', ...options);
		const volume = await open(fs.readFileSync(image));
		expect(await contentsOf(volume)).toEqual(contentsOfFolder(tree));
		expect(volume).toMatchObject({ type: 'vfat', label: 'ESP VOL', uuid: 'CAFE-0123', clean: true, state: [] });
		const free = /([\d ]+) bytes free/.exec(run('mdir', '-i', image, '::'))?.[1]?.replaceAll(' ', '');
		expect(volume.free).toBe(Number(free));
	});

	test('is found by names of any case, long and short', async () => {
		const tree = fileTree(await open(fs.readFileSync(makeVolume('2M', '-F', '12').image)));
		expect(await tree.isFile('/efi/boot/bootx64.efi')).toBe(true);
		expect(await tree.readText('/NO EXTENSION')).toBe('no extension');
		expect(await tree.isFile('/efi/boot/other.efi')).toBe(false);
	});

	test('that is in use or met errors says so', async () => {
		const { image } = makeVolume('16M', '-F', '16', '-s', '4');
		const bytes = fs.readFileSync(image);
		const table = bytes.readUInt16LE(14) * 512;
		bytes.writeUInt16LE(0x3fff, table + 2);
		expect(await open(bytes)).toMatchObject({ clean: false, state: ['dirty', 'errors'], label: undefined });
		bytes.writeUInt16LE(0xffff, table + 2);
		bytes[0x25] = 1;
		expect(await open(bytes)).toMatchObject({ clean: false, state: ['dirty'] });
		expect(await open(bytes.subarray(0, 8 << 20))).toMatchObject({ state: ['dirty', 'larger-than-device'] });
	});

	test('refuses chains that end too early, leave the volume or come back to themselves', async () => {
		const { image } = makeVolume('16M', '-F', '16', '-s', '4');
		const bytes = fs.readFileSync(image);
		const table = bytes.readUInt16LE(14) * 512;
		const tree = () => open(bytes).then(fileTree);
		const entry = bytes.readUInt16LE(bytes.indexOf('BOOTX64 EFI') + 26);
		for (const [next, message] of [
			[0xffff, /ends after/],
			[0, /leads to cluster 0/],
			[0xfff0, /leads to cluster/],
			[entry, /comes back to itself/],
		] as const) {
			bytes.writeUInt16LE(next, table + entry * 2);
			await expect((await tree()).readFile('/EFI/BOOT/BOOTX64.EFI')).rejects.toThrow(message);
		}
	});

	test.for<[name: string, size: string, ...options: string[]]>([
		['12', '256k', '-F', '12'],
		['32', '34M', '-F', '32', '-s', '1'],
	])('of kind %s that is damaged is read or refused, and soon', async ([, size, ...options]) => {
		const bytes = fs.readFileSync(makeVolume(size, ...options).image);
		await survivesDamage(bytes, async (damaged) => contentsOf(await open(damaged), 1000), { runs: 40 });
	});
});

test('what is no FAT volume is refused', async () => {
	await expect(open(new Uint8Array(4096))).rejects.toThrow(CorruptError);
	await expect(open(new Uint8Array(20))).rejects.toThrow(CorruptError);
});
