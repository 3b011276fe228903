import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { diskFormats } from '../../formats/index.ts';
import { raw } from '../../formats/raw/index.ts';
import { vdi } from '../../formats/vdi/index.ts';
import { convertDisk } from '../../src/convert/convert.ts';
import { flatten, openChain } from '../../src/convert/open.ts';
import type { Disk } from '../../src/core/disk.ts';
import type { DiskFormat } from '../../src/core/format.ts';
import { limitsOf } from '../../src/core/limits.ts';
import { compareDisks } from '../../src/disk/compare.ts';
import { difference } from '../../src/disk/difference.ts';
import { pakoCodec } from '../../src/engine/pako.ts';
import { portableMover } from '../../src/engine/portable.ts';
import { AccessError } from '../../src/errors.ts';
import { openFile } from '../../src/node/file.ts';
import { gate, siblings } from '../../src/node/gate.ts';
import { createTarget } from '../../src/node/target.ts';
import { fixedStamp, type WriteOptions } from '../helpers/image.ts';
import { patternDisk } from '../helpers/pattern.ts';
import { has, run, temporaryFolder } from '../helpers/programs.ts';

const MiB = 2 ** 20;

const write = async (file: string, disk: Disk, format: DiskFormat, options: WriteOptions = {}): Promise<string> => {
	const target = await createTarget(file);
	await convertDisk({ disk, target, format, mover: portableMover(pakoCodec), stamp: fixedStamp(), ...options });
	return file;
};

const scattered = patternDisk({
	size: 9 * MiB + 1024,
	data: [
		[0, 512],
		[2 * MiB - 512, 1024],
		[5 * MiB + 4096, 2 * MiB],
		[9 * MiB, 1024],
	],
});

const disks: readonly (readonly [string, Disk])[] = [
	['an empty disk', patternDisk({ size: 64 * MiB, data: [] })],
	['one sector', patternDisk({ size: 512, data: [[0, 512]] })],
	['scattered data', scattered],
	['nothing but data', patternDisk({ size: 5 * MiB, data: [[0, 5 * MiB]] })],
	['a large disk', patternDisk({ size: 2 ** 41, data: [[2 ** 40 + 512, 4096]] })],
];

describe.for(['dynamic', 'fixed'])('a %s VDI of ours', (subformat) => {
	test.skipIf(!has('qemu-img')).for(disks)('is clean and equal to qemu-img, with %s', async ([, disk]) => {
		const folder = temporaryFolder();
		const image = await write(path.join(folder, 'disk.vdi'), disk, vdi, { options: { subformat } });
		const plain = await write(path.join(folder, 'disk.img'), disk, raw);
		expect(run('qemu-img', 'check', '-f', 'vdi', image)).toMatch(/No errors were found/);
		if (disk.size < 2 ** 30) expect(run('qemu-img', 'compare', '-f', 'vdi', '-F', 'raw', image, plain)).toMatch(/identical/);
		const info = JSON.parse(run('qemu-img', 'info', '--output=json', image));
		expect(info).toMatchObject({ format: 'vdi', 'virtual-size': disk.size, 'cluster-size': MiB });
	});

	test.skipIf(!has('7zz'))('is unpacked by 7-Zip to the same bytes', async () => {
		const folder = temporaryFolder();
		const image = await write(path.join(folder, 'disk.vdi'), scattered, vdi, { options: { subformat } });
		const plain = await write(path.join(folder, 'disk.img'), scattered, raw);
		run('7zz', 'x', '-tvdi', `-o${folder}/out`, image);
		const [unpacked = ''] = fs.readdirSync(`${folder}/out`);
		expect(fs.readFileSync(path.join(folder, 'out', unpacked)).equals(fs.readFileSync(plain))).toBe(true);
	});
});

describe('a parent known by its id', () => {
	const child = patternDisk({ size: 4 * MiB, data: [[MiB, 2 * MiB]] });
	const parent = patternDisk({ size: 4 * MiB, data: [[0, 2 * MiB]] });

	const chain = async () => {
		const folder = temporaryFolder();
		const base = await write(path.join(folder, 'base.vdi'), parent, vdi);
		const { id } = await vdi.open(await openFile(base), { follow: async () => openFile(base), note() {}, unpack: pakoCodec.unpack });
		const backing = { name: 'base.vdi', format: 'vdi', size: parent.size, id };
		const stamp = { now: new Date(0), id: () => new Uint8Array(16).fill(0x99) };
		const target = await createTarget(path.join(folder, 'child.vdi'));
		const disk = difference(child, parent, pakoCodec, MiB);
		await convertDisk({ disk, target, format: vdi, mover: portableMover(pakoCodec), stamp, backing });
		// Neighbours that are none of ours, and one that is broken.
		fs.writeFileSync(path.join(folder, 'broken.vdi'), fs.readFileSync(base).subarray(0, 100));
		fs.writeFileSync(path.join(folder, 'empty.vdi'), '');
		fs.mkdirSync(path.join(folder, 'folder.vdi'));
		fs.symlinkSync('/dev/zero', path.join(folder, 'link.vdi'));
		return { folder, base, name: path.join(folder, 'child.vdi') };
	};

	const open = async (name: string, untrusted = false, limits = limitsOf()): Promise<Disk> => {
		const options = { formats: diskFormats, gate: gate({ untrusted }), siblings: siblings(['vdi'], { untrusted, limits }) };
		return flatten(await openChain(await openFile(name), options));
	};

	test('is found in the folder', async () => {
		const { name, folder } = await chain();
		fs.renameSync(path.join(folder, 'base.vdi'), path.join(folder, 'renamed.VDI'));
		const disk = await open(name);
		expect(await compareDisks(disk, child, pakoCodec)).toBeUndefined();
		await disk.close();
	});

	test('is not looked for with --untrusted, nor elsewhere', async () => {
		const { name, base, folder } = await chain();
		await expect(open(name, true)).rejects.toThrow(AccessError);
		fs.mkdirSync(path.join(folder, 'elsewhere'));
		fs.renameSync(base, path.join(folder, 'elsewhere', 'base.vdi'));
		await expect(open(name)).rejects.toThrow(/no image in its folder/);
	});

	test('is not looked for in a folder of more files than the limit', async () => {
		const { name, folder } = await chain();
		for (let i = 0; i < 100; i++) fs.writeFileSync(path.join(folder, `${i}.vdi`), '');
		await expect(open(name, false, limitsOf({ limits: { 'folder-files': 100 } }))).rejects.toThrow(/the number of files in its folder/);
	});
});
