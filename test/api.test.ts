import { expect, test } from 'vitest';
import { raw } from '../formats/raw/index.ts';
import { type Conversion, convert, memoryTarget, type Note, type Progress } from '../src/index.ts';
import { firstDifference, openImage, writeImage } from './helpers/image.ts';
import { patternDisk } from './helpers/pattern.ts';

const MiB = 1 << 20;
const disk = patternDisk({ size: 4 * MiB, data: [[MiB, 65536]] });

const rawSource = async () => {
	const image = (await writeImage(raw, disk, { name: 'disk.raw' })).get('disk.raw');
	if (!image) throw new Error('nothing was written');
	return image.source();
};

test('an image in memory becomes another one', async () => {
	const target = memoryTarget('disk.qcow2');
	const progress: Progress[] = [];
	const made: Conversion = await convert({ from: await rawSource(), to: target, onProgress: (seen) => progress.push(seen) });
	expect(made).toMatchObject({ format: 'qcow2', size: 4 * MiB });
	expect(progress.at(-1)).toMatchObject({ done: 4 * MiB, total: 4 * MiB });
	expect(await firstDifference(disk, await openImage(target.files, 'disk.qcow2'))).toBeUndefined();
});

test('the format may be said, with its options', async () => {
	const target = memoryTarget('disk');
	await convert({ from: await rawSource(), to: target, format: 'qcow2', options: { cluster_size: '4096' }, compress: true });
	const made = await openImage(target.files, 'disk');
	expect(made.info.clusterSize).toBe(4096);
	expect(await firstDifference(disk, made)).toBeUndefined();
});

test('the plan knows how much will be written, and may refuse', async () => {
	const target = memoryTarget('disk.raw');
	let measured = 0;
	const refused = convert({
		from: await rawSource(),
		to: target,
		async onPlan({ layout, reads, measure }) {
			measured = await measure();
			expect(layout.size).toBe(4 * MiB);
			expect([...reads]).toHaveLength(1);
			throw new Error('no room');
		},
	});
	await expect(refused).rejects.toThrow('no room');
	expect(measured).toBeGreaterThanOrEqual(65536);
	expect(target.files.size).toBe(0);
});

test('a delta names its backing image, which need not be opened to write it again', async () => {
	const base = await rawSource();
	const target = memoryTarget('delta.qcow2');
	await convert({ from: await rawSource(), to: target, backing: { source: base, name: 'base.raw', format: 'raw' } });
	const delta = target.files.get('delta.qcow2')?.source();
	if (!delta) throw new Error('nothing was written');
	const notes: Note[] = [];
	await expect(convert({ from: delta, to: memoryTarget('x.raw'), onNote: (note) => notes.push(note) })).rejects.toThrow(
		'none may be opened',
	);
	const whole = memoryTarget('whole.raw');
	await convert({ from: delta, to: whole, follow: async () => base });
	expect(await firstDifference(disk, await openImage(whole.files, 'whole.raw'))).toBeUndefined();
});

test('sources are closed and the target is abandoned when it fails', async () => {
	const from = await rawSource();
	let closed = 0;
	let abandoned = 0;
	const target = memoryTarget('disk.none');
	const failed = convert({
		from: { ...from, close: async () => void closed++ },
		to: {
			...target,
			async abandon() {
				abandoned++;
				throw new Error('cannot be taken away');
			},
		},
	});
	await expect(failed).rejects.toThrow('does not say a format');
	expect(closed).toBeGreaterThan(0);
	expect(abandoned).toBe(1);
});
