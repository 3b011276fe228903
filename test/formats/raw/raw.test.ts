import { expect, test } from 'vitest';
import { raw } from '../../../formats/raw/index.ts';
import type { ByteRange } from '../../../src/core/source.ts';
import { firstDifference, openImage, writeImage } from '../../helpers/image.ts';
import { patternDisk } from '../../helpers/pattern.ts';

const MiB = 1 << 20;

test.for([
	{ size: 0, data: [] },
	{ size: 511, data: [[0, 511]] },
	{
		size: 3 * MiB + 512,
		data: [
			[0, 4096],
			[MiB, 512],
			[3 * MiB, 512],
		],
	},
	{ size: 1024 * MiB, data: [[1000 * MiB - 8, 16]] },
] as const)('a raw disk keeps every byte of %o', async (layout) => {
	const disk = patternDisk(layout);
	const files = await writeImage(raw, disk);
	expect(await firstDifference(disk, await openImage(files, 'disk.raw'))).toBeUndefined();
});

test('zeros are not written unless asked for', async () => {
	const disk = patternDisk({ size: 8 * MiB, data: [[4 * MiB, 4096]] });
	const image = (await writeImage(raw, disk)).get('disk.raw')?.source();
	const runs: ByteRange[] = [];
	for await (const run of image?.allocated?.(0, 8 * MiB) ?? []) runs.push(run);
	expect(runs).toEqual([{ offset: 4 * MiB, length: MiB }]);
});

test('the size is rounded up where asked for', async () => {
	const disk = patternDisk({ size: MiB + 511, data: [[0, MiB + 511]] });
	const files = await writeImage(raw, disk, { options: { align: '1M' } });
	expect(files.get('disk.raw')?.size).toBe(2 * MiB);
	expect(await firstDifference(disk, await openImage(files, 'disk.raw'))).toBe(MiB + 511);
	await expect(writeImage(raw, disk, { options: { align: '0' } })).rejects.toThrow('align=0 is not a number of bytes');
});
