import { expect, test } from 'vitest';
import { vdi } from '../../formats/vdi/index.ts';
import { vhd } from '../../formats/vhd/index.ts';
import { vmdk } from '../../formats/vmdk/index.ts';
import { firstDifference, openImage, writeImage } from '../helpers/image.ts';
import { patternDisk } from '../helpers/pattern.ts';

const MiB = 1 << 20;

test.for([
	[vhd, { subformat: 'fixed' }],
	[vdi, { subformat: 'fixed' }],
	[vmdk, { subformat: 'monolithicFlat' }],
] as const)('holes of a $0.id in which every block has its place are not data', async ([format, options]) => {
	const disk = patternDisk({ size: 400 * MiB, data: [[200 * MiB, 512]] });
	const copy = await openImage(await writeImage(format, disk, { options }), `disk.${format.extensions[0]}`);
	let data = 0;
	for await (const extent of copy.extents(0, copy.size)) data += extent.kind === 'data' ? extent.length : 0;
	expect(data).toBeGreaterThan(0);
	expect(data).toBeLessThan(3 * MiB);
	expect(await firstDifference(disk, copy)).toBeUndefined();
});
