import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { qcow2 } from '../../formats/qcow2/index.ts';
import { raw } from '../../formats/raw/index.ts';
import { convertDisk, planImage } from '../../src/convert/convert.ts';
import type { Disk } from '../../src/core/disk.ts';
import type { DiskFormat } from '../../src/core/format.ts';
import { difference } from '../../src/disk/difference.ts';
import { portableMover } from '../../src/engine/portable.ts';
import { nodeCodec } from '../../src/node/packer.ts';
import { createTarget } from '../../src/node/target.ts';
import { fixedStamp, type WriteOptions } from '../helpers/image.ts';
import { mixedDisk, patternDisk, type Runs } from '../helpers/pattern.ts';
import { has, run, temporaryFolder } from '../helpers/programs.ts';

const KiB = 2 ** 10;
const MiB = 2 ** 20;
const GiB = 2 ** 30;
const TiB = 2 ** 40;

const codec = nodeCodec();

const write = async (file: string, disk: Disk, format: DiskFormat, options: WriteOptions = {}): Promise<string> => {
	const target = await createTarget(file);
	await convertDisk({ disk, target, format, mover: portableMover(codec), stamp: fixedStamp(), ...options });
	return file;
};

/** Write the disk, and have qemu-img find the image clean, every byte of the file accounted for, and the bytes of it right. */
const judged = async (disk: Disk, options: WriteOptions = {}, folder = temporaryFolder()) => {
	const image = await write(path.join(folder, 'disk.qcow2'), disk, qcow2, options);
	return judge(image, await write(path.join(folder, 'disk.img'), disk, raw));
};

/** The same of an image that is there, against its bytes as a raw disk. */
const judge = (image: string, plain: string) => {
	const check = JSON.parse(run('qemu-img', 'check', '--output=json', image));
	expect(check).not.toHaveProperty('leaks');
	expect(check).not.toHaveProperty('corruptions');
	expect(check).toMatchObject({ 'check-errors': 0, 'image-end-offset': fs.statSync(image).size });
	expect(run('qemu-img', 'compare', '-f', 'qcow2', '-F', 'raw', image, plain)).toMatch(/identical/);
	const info = JSON.parse(run('qemu-img', 'info', '--output=json', image));
	return { image, check, info, about: info['format-specific'].data };
};

const scattered: Runs = [
	[0, 4 * KiB],
	[70 * KiB, 3],
	[128 * KiB, 200 * KiB],
	[MiB - 512, KiB],
	[3 * MiB + 4 * KiB, 600 * KiB],
	[5 * MiB, 512],
];
const scatteredDisk = patternDisk({ size: 5 * MiB + 512, data: scattered });

describe.skipIf(!has('qemu-img'))('qemu-img finds our QCOW2 clean and equal', () => {
	test.for([
		{},
		{ compat: '0.10' },
		{ compat: 'v3', lazy_refcounts: 'on' },
		{ cluster_size: '512' },
		{ cluster_size: '4k', refcount_bits: '1' },
		{ cluster_size: '2M', refcount_bits: '64' },
		{ cluster_size: '1k', refcount_bits: '64' },
		{ refcount_bits: '8' },
		{ extended_l2: 'on' },
		{ extended_l2: 'on', cluster_size: '16k', refcount_bits: '2' },
		{ extended_l2: 'on', cluster_size: '2M' },
		{ preallocation: 'metadata' },
		{ preallocation: 'metadata', extended_l2: 'on' },
		{ preallocation: 'falloc', compat: '0.10', cluster_size: '128k' },
		{ preallocation: 'full', cluster_size: '512', refcount_bits: '32' },
	])('with %o', async (options) => {
		const { about, info, check } = await judged(scatteredDisk, { options });
		const { compat = '1.1', refcount_bits = '16', lazy_refcounts = 'off', extended_l2 = 'off' } = options;
		expect(about).toMatchObject({ compat: compat === '0.10' ? '0.10' : '1.1' });
		if (compat !== '0.10') {
			expect(about).toMatchObject({
				'refcount-bits': Number(refcount_bits),
				'lazy-refcounts': lazy_refcounts === 'on',
				'extended-l2': extended_l2 === 'on',
				corrupt: false,
			});
		}
		expect(info).toMatchObject({ 'virtual-size': scatteredDisk.size, 'dirty-flag': false });
		if ('preallocation' in options) expect(check['allocated-clusters']).toBe(check['total-clusters']);
	});

	test.for([
		{},
		{ compat: '0.10' },
		{ cluster_size: '512' },
		{ cluster_size: '1k', refcount_bits: '4' },
		{ cluster_size: '2M' },
		{ cluster_size: '8k', refcount_bits: '1' },
		{ cluster_size: '8k', refcount_bits: '2' },
		{ extended_l2: 'on', cluster_size: '32k' },
		{ compression_level: '9' },
		{ compression_type: 'zstd' },
		{ compression_type: 'zstd', compression_level: '1', cluster_size: '512' },
		{ compression_type: 'zstd', cluster_size: '2M', extended_l2: 'on' },
	])('compressed, with %o', async (options) => {
		const { about, check } = await judged(mixedDisk(2 * MiB + 512), { options, compress: true });
		if (!('compat' in options)) expect(about).toMatchObject({ 'compression-type': options.compression_type ?? 'zlib' });
		expect(check['compressed-clusters']).toBeGreaterThan(0);
		if (options.cluster_size !== '2M') expect(check['compressed-clusters']).toBeLessThan(check['allocated-clusters']);
	});

	test.for([
		['nothing', { size: 0, data: [] }],
		['one sector', { size: 512, data: [[0, 512]] }],
		['no whole sector', { size: 1000, data: [[0, 1000]] }],
		['exactly one L2 table', { size: 512 * MiB, data: [[512 * MiB - 512, 512]] }],
		['one sector more than an L2 table', { size: 512 * MiB + 512, data: [[512 * MiB - 512, KiB]] }],
	] as const)('of %s', async ([, layout]) => {
		for (const compress of [false, true]) {
			const { info } = await judged(patternDisk(layout), { compress });
			expect(info['virtual-size']).toBe(Math.ceil(layout.size / 512) * 512);
		}
		await judged(patternDisk(layout), { options: { preallocation: 'metadata' } });
	});

	test('of a TiB that is nearly empty', async () => {
		const data: Runs = [
			[0, 512],
			[300 * GiB, MiB],
			[TiB - 512, 512],
		];
		const { image } = await judged(patternDisk({ size: TiB, data }));
		expect(fs.statSync(image).size).toBeLessThan(2 * MiB);
	});
});

describe.skipIf(!has('7zz'))('7-Zip unpacks our QCOW2 to the same bytes', () => {
	test.for([
		[{}, false],
		[{ compat: '0.10', cluster_size: '512' }, false],
		[{ cluster_size: '2M', refcount_bits: '1' }, false],
		[{ preallocation: 'metadata' }, false],
		[{}, true],
		[{ compat: '0.10', cluster_size: '4k', compression_level: '9' }, true],
	] as const)('with %o, compressed: %s', async ([options, compress]) => {
		const folder = temporaryFolder();
		const image = await write(path.join(folder, 'disk.qcow2'), scatteredDisk, qcow2, { options, compress });
		const plain = await write(path.join(folder, 'disk.img'), scatteredDisk, raw);
		const out = path.join(folder, 'out');
		run('7zz', 'e', '-tqcow', `-o${out}`, image);
		const [file = ''] = fs.readdirSync(out);
		expect(fs.readFileSync(path.join(out, file)).equals(fs.readFileSync(plain))).toBe(true);
	});
});

describe.skipIf(!has('qemu-img'))('qemu-img reads our delta over its backing file', () => {
	const base = patternDisk({ size: MiB, data: [[0, 700 * KiB]] });
	/** Zeros where the base has data, data where it has none, one sector on a border, and more behind its end. */
	const changed = patternDisk({
		size: 2 * MiB + 512,
		data: [
			[0, 100 * KiB],
			[300 * KiB, 600 * KiB],
			[MiB - 512, KiB],
			[2 * MiB, 512],
		],
	});

	test.for([
		{},
		{ compat: '0.10' },
		{ compat: '0.10', cluster_size: '512' },
		{ cluster_size: '2M' },
		{ extended_l2: 'on' },
		{ extended_l2: 'on', cluster_size: '16k' },
	])('with %o', async (options) => {
		for (const compress of [false, true]) {
			const folder = temporaryFolder();
			await write(path.join(folder, 'base.img'), base, raw);
			const how = { options, compress, backing: { name: 'base.img', format: 'raw', size: base.size } };
			const { block } = planImage({ disk: changed, format: qcow2, name: 'disk.qcow2', stamp: fixedStamp(), ...how });
			const delta = difference(changed, base, codec, block);
			const image = await write(path.join(folder, 'disk.qcow2'), delta, qcow2, how);
			const { info } = judge(image, await write(path.join(folder, 'plain.img'), changed, raw));
			expect(info).toMatchObject({ 'backing-filename': 'base.img', 'backing-filename-format': 'raw' });
		}
	});

	test('with more clusters of zeros in version 2 than one refcount can count', async () => {
		const folder = temporaryFolder();
		const size = 65536 * 512 + 512;
		const backing = { name: 'base.img', format: 'raw', size };
		await write(path.join(folder, 'base.img'), patternDisk({ size, data: [[0, 64 * KiB]] }), raw);
		const zeros = patternDisk({ size, data: [] });
		const image = await write(path.join(folder, 'disk.qcow2'), zeros, qcow2, {
			options: { compat: '0.10', cluster_size: '512' },
			backing,
		});
		judge(image, await write(path.join(folder, 'plain.img'), zeros, raw));
	});
});
