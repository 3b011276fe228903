import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { raw } from '../../formats/raw/index.ts';
import { vmdk } from '../../formats/vmdk/index.ts';
import { SUBFORMATS } from '../../formats/vmdk/options.ts';
import { convertDisk } from '../../src/convert/convert.ts';
import type { Disk } from '../../src/core/disk.ts';
import type { BackingReference, DiskFormat, OptionValues } from '../../src/core/format.ts';
import { pakoCodec } from '../../src/engine/pako.ts';
import { portableMover } from '../../src/engine/portable.ts';
import { convertFile } from '../../src/node/convert.ts';
import { createTarget } from '../../src/node/target.ts';
import { fixedStamp } from '../helpers/image.ts';
import { patternBytes, patternDisk, type Runs } from '../helpers/pattern.ts';
import { has, run, temporaryFolder } from '../helpers/programs.ts';
import { rawFile } from '../helpers/raw.ts';

const KiB = 2 ** 10;
const MiB = 2 ** 20;
const GiB = 2 ** 30;
const TiB = 2 ** 40;

const write = async (
	file: string,
	disk: Disk,
	format: DiskFormat,
	rest: { options?: OptionValues; compress?: boolean; backing?: BackingReference } = {},
): Promise<string> => {
	const target = await createTarget(file);
	await convertDisk({ disk, target, format, mover: portableMover(pakoCodec), stamp: fixedStamp(), ...rest });
	return file;
};

const LAYOUTS: Record<string, { readonly size: number; readonly data: Runs }> = {
	'a disk of one sector': { size: 512, data: [[0, 512]] },
	'an empty disk': { size: 100 * MiB, data: [] },
	'a disk that ends within a grain': {
		size: 3 * MiB + 512,
		data: [
			[0, 70 * KiB],
			[1 * MiB + 512, 512],
			[3 * MiB, 512],
		],
	},
	'a disk of three extent files': {
		size: 5 * GiB,
		data: [
			[0, 512],
			[2047 * MiB - 64 * KiB, 128 * KiB],
			[4094 * MiB - 512, 1024],
			[5 * GiB - 4096, 4096],
		],
	},
};

describe.skipIf(!has('qemu-img'))('qemu-img', () => {
	test.for(['twoGbMaxExtentFlat', 'twoGbMaxExtentSparse'])('finds the data of hundreds of %s files in their own', async (subformat) => {
		const folder = temporaryFolder();
		const [first, further, last] = [0, 256, 300].map((file) => file * 2047 * MiB + 64 * KiB) as [number, number, number];
		const size = last + MiB;
		const plain = rawFile(path.join(folder, 'disk.img'), size, [
			[first, 64 * KiB],
			[further, 64 * KiB],
			[last, 64 * KiB],
		]);
		const image = path.join(folder, 'disk.vmdk');
		await convertFile(plain, image, { options: { subformat } });
		expect(fs.readdirSync(folder)).toHaveLength(301 + 2);
		for (const start of [first, further, last]) {
			const part = (file: string, driver: string) =>
				`json:${JSON.stringify({ driver: 'raw', offset: start - 64 * KiB, size: 256 * KiB, file: { driver, file: { driver: 'file', filename: file } } })}`;
			expect(run('qemu-img', 'compare', part(image, 'vmdk'), part(plain, 'raw'))).toContain('identical');
		}
		expect(fs.readdirSync(folder).reduce((sum, name) => sum + fs.statSync(path.join(folder, name)).blocks * 512, 0)).toBeLessThan(64 * MiB);
	});

	describe.each(SUBFORMATS)('finds %s clean and every byte in its place', (subformat) => {
		test.each(Object.entries(LAYOUTS))('of %s', async (_, layout) => {
			const folder = temporaryFolder();
			const disk = patternDisk(layout);
			const image = await write(path.join(folder, 'disk.vmdk'), disk, vmdk, { options: { subformat } });
			const plain = await write(path.join(folder, 'disk.img'), disk, raw);
			expect(run('qemu-img', 'check', '-f', 'vmdk', image)).toContain('No errors');
			expect(run('qemu-img', 'compare', '-f', 'vmdk', '-F', 'raw', image, plain)).toContain('identical');
			const info = JSON.parse(run('qemu-img', 'info', '-f', 'vmdk', '--output=json', image));
			expect(info['virtual-size']).toBe(layout.size);
			expect(info['format-specific'].data['create-type']).toBe(subformat);
		});
	});

	test.each(['monolithicSparse', 'streamOptimized', 'monolithicFlat', 'vmfs'])('reads the ends of %s of 1 TiB', async (subformat) => {
		const folder = temporaryFolder();
		const disk = patternDisk({
			size: TiB,
			data: [
				[0, MiB],
				[TiB - 2 * MiB - 512, MiB],
			],
		});
		const image = await write(path.join(folder, 'disk.vmdk'), disk, vmdk, { options: { subformat } });
		const plain = await write(path.join(folder, 'disk.img'), disk, raw);
		for (const offset of [0, TiB - 4 * MiB]) {
			const part = (driver: string, filename: string): string =>
				`json:${JSON.stringify({ driver: 'raw', offset, size: 4 * MiB, file: { driver, file: { driver: 'file', filename } } })}`;
			expect(run('qemu-img', 'compare', part('vmdk', image), part('raw', plain))).toContain('identical');
		}
		const blocks = fs.readdirSync(folder).map((name) => fs.statSync(path.join(folder, name)).blocks);
		expect(blocks.reduce((sum, count) => sum + count * 512, 0)).toBeLessThan(16 * MiB);
	});

	test.each([
		['monolithicSparse', 'off'],
		['monolithicSparse', 'on'],
		['twoGbMaxExtentSparse', 'off'],
		['twoGbMaxExtentSparse', 'on'],
	])('reads a delta (%s, zeroed_grain=%s) through its parent', async (subformat, zeroed_grain) => {
		const folder = temporaryFolder();
		const edge = 2047 * MiB;
		const size = edge + 192 * KiB + 512;
		const parent = patternDisk({
			size,
			data: [
				[0, 64 * KiB],
				[128 * KiB, 64 * KiB],
				[edge - MiB, size - edge + MiB],
			],
		});
		const base = await write(path.join(folder, 'base.vmdk'), parent, vmdk);
		const { cid } = JSON.parse(run('qemu-img', 'info', '--output=json', base))['format-specific'].data;
		const child = await write(path.join(folder, 'child.vmdk'), withHoles(size, edge), vmdk, {
			options: { subformat, zeroed_grain },
			backing: { name: 'base.vmdk', format: 'vmdk', size, id: cid.toString(16).padStart(8, '0') },
		});
		const seen = patternDisk({
			size,
			data: [
				[0, 256 * KiB],
				[edge - MiB, MiB - 128 * KiB],
				[edge + 128 * KiB, size - edge - 128 * KiB],
			],
		});
		const plain = await write(path.join(folder, 'seen.img'), seen, raw);
		expect(run('qemu-img', 'check', child)).toContain('No errors');
		expect(run('qemu-img', 'compare', '-F', 'raw', child, plain)).toContain('identical');
		expect(JSON.parse(run('qemu-img', 'info', '--output=json', child))['backing-filename']).toBe('base.vmdk');
	});
});

/** A layer with data in its second and fourth 64 KiB and zeros 128 KiB to either side of `edge`; the rest is the parent's. */
const withHoles = (size: number, edge: number): Disk => {
	const data = patternDisk({ size, data: [[0, 256 * KiB]] });
	return {
		...data,
		async *extents() {
			yield { kind: 'absent', offset: 0, length: 64 * KiB };
			yield* data.extents(64 * KiB, 64 * KiB);
			yield { kind: 'absent', offset: 128 * KiB, length: 64 * KiB };
			yield* data.extents(192 * KiB, 64 * KiB);
			yield { kind: 'absent', offset: 256 * KiB, length: edge - 384 * KiB };
			yield { kind: 'zero', offset: edge - 128 * KiB, length: 256 * KiB };
			yield { kind: 'absent', offset: edge + 128 * KiB, length: size - edge - 128 * KiB };
		},
	};
};

describe.skipIf(!has('7zz'))('7-Zip', () => {
	test.each(SUBFORMATS)('unpacks the disk from %s', async (subformat) => {
		const folder = temporaryFolder();
		const layout = LAYOUTS['a disk that ends within a grain'] as (typeof LAYOUTS)[string];
		const image = await write(path.join(folder, 'disk.vmdk'), patternDisk(layout), vmdk, { options: { subformat } });
		run('7zz', 'e', '-tVMDK', `-o${path.join(folder, 'out')}`, image);
		const [file] = fs.readdirSync(path.join(folder, 'out'));
		const expected = new Uint8Array(layout.size);
		for (const [offset, length] of layout.data) expected.set(patternBytes(offset, length), offset);
		expect(sha256(fs.readFileSync(path.join(folder, 'out', file as string)))).toBe(sha256(expected));
	});
});

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

describe.skipIf(!has('vmdkinfo'))('libvmdk', () => {
	test.each(SUBFORMATS)('describes %s', async (subformat) => {
		const folder = temporaryFolder();
		const layout = LAYOUTS['a disk of three extent files'] as (typeof LAYOUTS)[string];
		const image = await write(path.join(folder, 'disk.vmdk'), patternDisk(layout), vmdk, { options: { subformat } });
		const said = run('vmdkinfo', image);
		expect(said).toContain('(5368709120 bytes)');
		expect(said).toContain(`Number of extents:\t\t${subformat.startsWith('twoGb') ? 3 : 1}`);
	});
});
