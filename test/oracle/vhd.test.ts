import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { diskFormats } from '../../formats/index.ts';
import { raw } from '../../formats/raw/index.ts';
import { vhd } from '../../formats/vhd/index.ts';
import { convertDisk } from '../../src/convert/convert.ts';
import { flatten, openChain } from '../../src/convert/open.ts';
import type { Disk } from '../../src/core/disk.ts';
import type { BackingReference, DiskFormat, OptionValues } from '../../src/core/format.ts';
import { pakoCodec } from '../../src/engine/pako.ts';
import { portableMover } from '../../src/engine/portable.ts';
import { openFile } from '../../src/node/file.ts';
import { gate } from '../../src/node/gate.ts';
import { createTarget } from '../../src/node/target.ts';
import { fixedStamp } from '../helpers/image.ts';
import { patternBytes, patternDisk, type Runs } from '../helpers/pattern.ts';
import { has, run, temporaryFolder } from '../helpers/programs.ts';

const KiB = 2 ** 10;
const MiB = 2 ** 20;
const GiB = 2 ** 30;

const write = async (
	file: string,
	disk: Disk,
	format: DiskFormat = vhd,
	rest: { options?: OptionValues; backing?: BackingReference } = {},
): Promise<string> => {
	const target = await createTarget(file);
	await convertDisk({ disk, target, format, mover: portableMover(pakoCodec), stamp: fixedStamp(), ...rest });
	return file;
};

const open = async (file: string): Promise<Disk> => flatten(await openChain(await openFile(file), { formats: diskFormats, gate: gate() }));

const sha256 = (file: string): string => createHash('sha256').update(fs.readFileSync(file)).digest('hex');

/** Sizes that are no whole number of cylinders are where readers go wrong. */
const LAYOUTS: Record<string, { readonly size: number; readonly data: Runs }> = {
	'one sector': { size: 512, data: [[0, 512]] },
	'an empty disk': { size: 100 * MiB, data: [] },
	'a disk that ends within a block': {
		size: 5 * MiB + 512,
		data: [
			[0, 70 * KiB],
			[2 * MiB - 512, 1024],
			[5 * MiB, 512],
		],
	},
	'a disk over 127 GiB': {
		size: 200 * GiB + MiB,
		data: [
			[0, 512],
			[128 * GiB, 4096],
			[200 * GiB + MiB - 512, 512],
		],
	},
};

const OPTIONS = [{ subformat: 'dynamic' }, { subformat: 'dynamic', block_size: '512k' }, { subformat: 'fixed' }];

describe.skipIf(!has('qemu-img'))('qemu-img', () => {
	const sizeBy = (image: string): number => JSON.parse(run('qemu-img', 'info', '--output=json', '-f', 'vpc', image))['virtual-size'];

	describe.each(OPTIONS)('reads every byte of what is written with %o', (options) => {
		test.each(Object.entries(LAYOUTS))('%s', async (_, layout) => {
			const folder = temporaryFolder();
			const disk = patternDisk(layout);
			const image = await write(path.join(folder, 'disk.vhd'), disk, vhd, { options });
			const plain = await write(path.join(folder, 'disk.raw'), disk, raw);
			expect(sizeBy(image)).toBe(layout.size);
			run('qemu-img', 'compare', '-f', 'vpc', '-F', 'raw', image, plain);
		});
	});

	test('reads the largest disk', async () => {
		const size = 2040 * GiB;
		const image = await write(path.join(temporaryFolder(), 'disk.vhd'), patternDisk({ size, data: [[size - 512, 512]] }));
		expect(sizeBy(image)).toBe(size);
		const map = JSON.parse(run('qemu-img', 'map', '--output=json', '-f', 'vpc', image)) as { start: number; data: boolean }[];
		expect(map.filter(({ data }) => data).map(({ start }) => start)).toEqual([size - 2 * MiB]);
	});

	test.each([
		['dynamic', 'off'],
		['dynamic', 'on'],
		['fixed', 'off'],
		['fixed', 'on'],
	])('writes %s with force_size=%s, and vconv reads it', async (subformat, force) => {
		const folder = temporaryFolder();
		const plain = await write(path.join(folder, 'disk.raw'), patternDisk({ size: 5 * MiB + 512, data: [[MiB, 3 * MiB]] }), raw);
		const image = path.join(folder, 'disk.vhd');
		run('qemu-img', 'convert', '-f', 'raw', '-O', 'vpc', '-o', `subformat=${subformat},force_size=${force}`, plain, image);
		const back = await write(path.join(folder, 'back.raw'), await open(image), raw);
		expect(fs.statSync(back).size).toBe(sizeBy(image));
		run('qemu-img', 'compare', '-f', 'vpc', '-F', 'raw', image, back);
	});
});

describe.skipIf(!has('7zz'))('7-Zip', () => {
	const extracted = (folder: string, image: string): string => {
		run('7zz', 'x', '-y', '-tVHD', `-o${path.join(folder, 'out')}`, image);
		return sha256(path.join(folder, 'out', fs.readdirSync(path.join(folder, 'out'))[0] ?? ''));
	};

	test.each(OPTIONS)('reads every byte of what is written with %o', async (options) => {
		const folder = temporaryFolder();
		const disk = patternDisk(LAYOUTS['a disk that ends within a block'] ?? { size: 0, data: [] });
		const image = await write(path.join(folder, 'disk.vhd'), disk, vhd, { options });
		expect(extracted(folder, image)).toBe(sha256(await write(path.join(folder, 'disk.raw'), disk, raw)));
	});

	test.each(['dynamic', 'fixed'])('reads a differencing image through its %s parent', async (subformat) => {
		const folder = temporaryFolder();
		const size = 6 * MiB;
		const base = await write(path.join(folder, 'base.vhd'), patternDisk({ size, data: [[0, size]] }), vhd, { options: { subformat } });
		const parent = await open(base);
		const backing = { name: 'base.vhd', format: 'vhd', size, id: parent.id };
		const child = await write(path.join(folder, 'child.vhd'), delta(size), vhd, { backing });
		const ours = await write(path.join(folder, 'child.raw'), await open(child), raw);
		expect(extracted(folder, child)).toBe(sha256(ours));
		const bytes = fs.readFileSync(ours);
		expect(bytes.subarray(0, MiB).equals(patternBytes(0, MiB))).toBe(true);
		expect(bytes.subarray(MiB, MiB + 1536).equals(Buffer.alloc(1536, 0x5a))).toBe(true);
		expect(bytes.subarray(3 * MiB, 4 * MiB).equals(Buffer.alloc(MiB))).toBe(true);
	});
});

/** Sectors of its own, its parent's, and a run of zeros over it. */
const delta = (size: number): Disk => ({
	size,
	sectorSize: 512,
	info: { format: 'pattern' },
	async *extents() {
		const read = async (_: number, length: number) => new Uint8Array(length).fill(0x5a);
		yield { kind: 'absent', offset: 0, length: MiB };
		yield { kind: 'computed', offset: MiB, length: 1536, read };
		yield { kind: 'absent', offset: MiB + 1536, length: 2 * MiB - 1536 };
		yield { kind: 'zero', offset: 3 * MiB, length: MiB + 512 };
		yield { kind: 'absent', offset: 4 * MiB + 512, length: size - 4 * MiB - 512 };
	},
	async close() {},
});

describe.skipIf(!has('vhdiinfo'))('libvhdi', () => {
	test.each([
		['dynamic', 'Dynamic'],
		['fixed', 'Fixed'],
	])('knows what is written as %s', async (subformat, type) => {
		const size = 5 * MiB + 512;
		const image = await write(path.join(temporaryFolder(), 'disk.vhd'), patternDisk({ size, data: [[0, 512]] }), vhd, {
			options: { subformat },
		});
		const told = run('vhdiinfo', image);
		expect(told).toMatch(new RegExp(`Disk type\\s*: ${type}`));
		expect(told).toContain(`(${size} bytes)`);
		expect(told).toContain((await open(image)).id ?? '');
	});

	test('knows a differencing image, and its parent', async () => {
		const size = 6 * MiB;
		const backing = { name: 'base.vhd', format: 'vhd', size, id: '00112233-4455-6677-8899-aabbccddeeff' };
		const told = run('vhdiinfo', await write(path.join(temporaryFolder(), 'child.vhd'), delta(size), vhd, { backing }));
		expect(told).toMatch(/Disk type\s*: Differential/);
		expect(told).toMatch(/Parent identifier\s*: 00112233-4455-6677-8899-aabbccddeeff/);
		expect(told).toMatch(/Parent filename\s*: base\.vhd/);
	});
});
