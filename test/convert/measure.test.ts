import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { diskFormats } from '../../formats/index.ts';
import { planImage } from '../../src/convert/convert.ts';
import { type Measure, measureFull, measureImage } from '../../src/convert/measure.ts';
import type { Disk } from '../../src/core/disk.ts';
import type { BackingReference, DiskFormat, Layout, OptionValues } from '../../src/core/format.ts';
import { difference } from '../../src/disk/difference.ts';
import { pakoCodec } from '../../src/engine/pako.ts';
import { UnsupportedError, VconvError } from '../../src/errors.ts';
import { fixedStamp, openImage, writeImage } from '../helpers/image.ts';
import { patternDisk } from '../helpers/pattern.ts';

const MiB = 1 << 20;
const TiB = 2 ** 40;
const THOROUGH = process.env['VCONV_THOROUGH'] ? 10 : 1;

type Shape = { readonly format: DiskFormat; readonly options: OptionValues; readonly compress: boolean; readonly title: string };

/** Options that are numbers, at their ends. */
const NUMBERS: Readonly<Record<string, readonly string[]>> = {
	cluster_size: ['512', '4k', '2M'],
	block_size: ['1M', '8M', '512k'],
	align: ['1M', '4096'],
	sparse: ['0', '64k'],
	log_size: ['3M'],
};
/** Options that do not change how long a file becomes. */
const IDLE = [
	...['compression_type', 'compression_level', 'lazy_refcounts', 'physical_sector_size', 'static', 'thin_provisioned'],
	...['adapter_type', 'compat6'],
];

const laidOut = ({ format, options, compress }: Shape, disk: Disk, backing?: BackingReference): Layout =>
	planImage({ disk, format, options, compress, backing, name: `disk.${format.extensions[0]}`, stamp: fixedStamp() });

/** Every writer with every value of each option, and compressed. */
const shapes: readonly Shape[] = diskFormats.flatMap((format) => {
	const { writer } = format;
	if (!writer) return [];
	const said: OptionValues[] = [{}];
	for (const [name, { values = NUMBERS[name] ?? [], default: usual }] of Object.entries(writer.options)) {
		for (const value of values) if (value !== usual && !IDLE.includes(name)) said.push({ [name]: value });
	}
	if (format.id === 'qcow2') said.push({ extended_l2: 'on', cluster_size: '16k' }, { preallocation: 'metadata', cluster_size: '512' });
	const all = said.flatMap((options) => [false, true].map((compress) => ({ format, options, compress })));
	return all
		.map((shape) => ({ ...shape, title: `${format.id}${shape.compress ? ' -c' : ''} ${JSON.stringify(shape.options)}` }))
		.filter((shape) => {
			try {
				laidOut(shape, patternDisk({ size: MiB, data: [] }));
				return !shape.compress || laidOut(shape, patternDisk({ size: MiB, data: [] })).packing !== undefined;
			} catch (error) {
				if (error instanceof VconvError) return false;
				throw error;
			}
		});
});

const runs = (most: number) =>
	fc
		.array(fc.tuple(fc.nat(most / 512), fc.integer({ min: 1, max: 300 })), { maxLength: 5 })
		.map((all) => all.map(([at, count]) => [at * 512, count * 512] as const).sort((a, b) => a[0] - b[0]));

/** Small ones, and sparse ones of several extent files. */
const disks = fc
	.oneof({ weight: 4, arbitrary: fc.integer({ min: 1, max: 4096 }) }, { weight: 1, arbitrary: fc.integer({ min: 4096, max: 12_000_000 }) })
	.chain((sectors) => runs(sectors * 512).map((data) => patternDisk({ size: sectors * 512, data })));

const lengthOf = async ({ format, ...rest }: Omit<Shape, 'title'>, disk: Disk, backing?: BackingReference): Promise<number> => {
	let length = 0;
	for (const file of (await writeImage(format, disk, { ...rest, ...(backing && { backing }) })).values()) length += file.size;
	return length;
};

describe.for(shapes)('$title', (shape) => {
	test('is measured to the byte', async () => {
		await fc.assert(
			fc.asyncProperty(disks, async (disk) => {
				const layout = laidOut(shape, disk);
				if (layout.dense && disk.size > 8 * MiB) return;
				const { length, written } = await measureImage(disk, layout);
				const made = await lengthOf(shape, disk);
				if (layout.packing) expect(length).toBeGreaterThanOrEqual(made);
				else expect(length).toBe(made);
				expect(written).toBeLessThanOrEqual(length);
				expect((await measureImage(disk, { ...laidOut(shape, disk), outline: undefined })).length).toBe(length);
			}),
			{ numRuns: 3 * THOROUGH },
		);
	});

	test('is measured full', async () => {
		const size = 3 * MiB + 512;
		const disk = patternDisk({ size, data: [[0, size]] });
		const { length } = await measureFull(patternDisk({ size, data: [] }), laidOut(shape, disk));
		expect(length).toBe((await measureImage(disk, laidOut(shape, disk))).length);
		if (!laidOut(shape, disk).packing) expect(length).toBe(await lengthOf(shape, disk));
	});

	test('is measured at once, however large', async () => {
		const sizes = [64 * TiB, 4 * TiB, 2 * TiB - MiB, 64 * 1024 * MiB];
		const size = sizes.find((one) => !(attempt(() => laidOut(shape, patternDisk({ size: one, data: [] }))) instanceof UnsupportedError));
		const disk = patternDisk({ size: size ?? 0, data: [[2 * MiB, 512]] });
		const sparse = await measureImage(disk, laidOut(shape, disk));
		const full: Measure | UnsupportedError = await measureFull(disk, laidOut(shape, disk)).catch((error) => error);
		if (full instanceof UnsupportedError) return;
		expect(full.length).toBeGreaterThanOrEqual(Math.max(size ?? 0, sparse.length));
	});
});

const attempt = (act: () => unknown): unknown => {
	try {
		return act();
	} catch (error) {
		return error;
	}
};

const deltas = shapes.filter((shape) => {
	const id = shape.format.id === 'vmdk' ? '12345678' : '00112233-4455-6677-8899-aabbccddeeff';
	const backing = { name: 'base', format: shape.format.id, size: MiB, id: shape.format.id === 'vdi' ? `${id}/${id}` : id };
	const layout = attempt(() => laidOut(shape, patternDisk({ size: MiB, data: [] }), backing));
	return !(layout instanceof Error) && !(layout as Layout).packing;
});

test.for(deltas)('a delta in $title is measured to the byte', async (shape) => {
	const size = 3 * MiB;
	await fc.assert(
		fc.asyncProperty(runs(size), runs(size), async (below, above) => {
			const { format } = shape;
			const name = `base.${format.extensions[0]}`;
			const files = await writeImage(format, patternDisk({ size, data: below }), { name });
			const base = await openImage(files, name);
			const backing = { name, format: format.id, size: base.size, id: base.id };
			const top = patternDisk({ size: base.size, data: above });
			const delta = difference(top, base, pakoCodec, laidOut(shape, top, backing).block);
			expect((await measureImage(delta, laidOut(shape, delta, backing))).length).toBe(await lengthOf(shape, delta, backing));
		}),
		{ numRuns: 2 * THOROUGH },
	);
});

test('a conversion and its measure are interrupted alike', async () => {
	const controller = new AbortController();
	controller.abort(new Error('enough'));
	for (const shape of shapes) {
		const disk = patternDisk({ size: MiB, data: [[0, MiB]] });
		await expect(measureImage(disk, laidOut(shape, disk), controller.signal)).rejects.toThrow('enough');
	}
});
