import { expect, test } from 'vitest';
import { diskFormats } from '../../formats/index.ts';
import { planImage } from '../../src/convert/convert.ts';
import { measureFull, measureImage } from '../../src/convert/measure.ts';
import { fixedStamp } from '../helpers/image.ts';
import { patternDisk } from '../helpers/pattern.ts';

const MiB = 1 << 20;
const written = diskFormats.filter(({ writer }) => writer);

test.for(written)('a $id whose blocks all hold data takes what a full disk takes', async (format) => {
	const disk = patternDisk({ size: 5 * MiB, data: [[0, 5 * MiB]] });
	const plan = () => planImage({ disk, format, name: 'disk', stamp: fixedStamp() });
	expect(await measureFull(disk.size, plan())).toBe(await measureImage(disk, plan()));
});

test.for(written)('measuring a large $id can be interrupted', async (format) => {
	const disk = patternDisk({ size: 256 * 1024 * MiB, data: [] });
	const plan = () => planImage({ disk, format, name: 'disk', stamp: fixedStamp() });
	const controller = new AbortController();
	setTimeout(() => controller.abort(new Error('enough')), 1);
	if (plan().fixedAt === undefined) await expect(measureFull(disk.size, plan(), controller.signal)).rejects.toThrow('enough');
});
