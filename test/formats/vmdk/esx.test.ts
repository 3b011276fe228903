import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Disk } from '../../../src/core/disk.ts';
import { firstDifference, openImage } from '../../helpers/image.ts';
import { patternBytes, patternDisk } from '../../helpers/pattern.ts';
import { cowd, descriptor, files, type Grains, seSparse } from './build.ts';

const SECTORS = 3 * 4096 + 5;

/** Any sectors of a disk of a few COWD tables. */
const sectors = fc.uniqueArray(fc.nat(SECTORS - 1), { maxLength: 40 });
const sorted = (numbers: readonly number[]) => [...numbers].sort((a, b) => a - b);

const delta = async (type: 'VMFSSPARSE' | 'SESPARSE', size: number, file: Uint8Array): Promise<Disk> => {
	const createType = type === 'SESPARSE' ? 'seSparse' : 'vmfsSparse';
	const image = await files({
		'base.vmdk': descriptor('createType="vmfs"', `RW ${size} VMFS "base-flat.vmdk"`),
		'base-flat.vmdk': patternBytes(0, size * 512),
		'disk.vmdk': descriptor(
			'parentCID=1234abcd',
			'parentFileNameHint="base.vmdk"',
			`createType="${createType}"`,
			`RW ${size} ${type} "disk-delta.vmdk"`,
		),
		'disk-delta.vmdk': file,
	});
	return openImage(image, 'disk.vmdk');
};

/** The parent's pattern, with runs of the delta over it: a byte each, or zeros. */
const expected = (size: number, grains: ReadonlyMap<number, number>, grainSectors: number): Disk => {
	const base = patternDisk({ size: size * 512, data: [[0, size * 512]] });
	return {
		...base,
		async *extents(offset, length) {
			for (let at = offset; at < offset + length; at += 512) {
				const value = grains.get(Math.floor(at / 512 / grainSectors) * grainSectors);
				const read = async (o: number, n: number) => (value === undefined ? patternBytes(o, n) : new Uint8Array(n).fill(value));
				yield { kind: 'computed', offset: at, length: 512, read };
			}
		},
	};
};

test('a COWD delta shows its own sectors over its parent', async () => {
	await fc.assert(
		fc.asyncProperty(sectors, async (own) => {
			const grains: Grains = new Map(own.map((sector) => [sector, new Uint8Array(512).fill(7)]));
			const disk = await delta('VMFSSPARSE', SECTORS, cowd(SECTORS, grains));
			expect(await firstDifference(expected(SECTORS, new Map(own.map((sector) => [sector, 7])), 1), disk)).toBeUndefined();
		}),
		{ numRuns: 8 },
	);
});

test('a seSparse delta shows its own grains, zeros among them, over its parent', async () => {
	const size = 8 * 4096 + 64;
	const numbers = fc.uniqueArray(fc.nat(size / 8 - 1), { maxLength: 30 });
	await fc.assert(
		fc.asyncProperty(numbers, async (own) => {
			const kinds = sorted(own).map((grain, i) => [grain * 8, (['zero', 'unmapped', 'data', 'data'] as const)[i % 4]] as const);
			const grains: Grains = new Map(
				kinds.map(([sector, kind]) => [sector, kind === 'data' || kind === undefined ? new Uint8Array(4096).fill(9) : kind]),
			);
			const disk = await delta('SESPARSE', size, seSparse(size, grains));
			const values = new Map(kinds.map(([sector, kind]) => [sector, kind === 'data' ? 9 : 0]));
			expect(await firstDifference(expected(size, values, 8), disk)).toBeUndefined();
		}),
		{ numRuns: 5 },
	);
});

test('a seSparse extent with a journal to replay is refused', async () => {
	await expect(delta('SESPARSE', 64, seSparse(64, new Map(), 1))).rejects.toMatchObject({ exitCode: 3, field: 'replayJournal' });
});

test('an extent of a delta is not taken for the disk', async () => {
	const image = await files({ 'disk-000001-delta.vmdk': cowd(64, new Map()), 'disk-000001-sesparse.vmdk': seSparse(64, new Map()) });
	for (const name of image.keys()) await expect(openImage(image, name)).rejects.toThrow('part of a disk');
});
