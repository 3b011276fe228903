import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { describe, expect, test } from 'vitest';
import { diskFormats } from '../../formats/index.ts';
import { convertDisk } from '../../src/convert/convert.ts';
import { detect } from '../../src/convert/detect.ts';
import { contextFor, flatten, openChain } from '../../src/convert/open.ts';
import { readDisk } from '../../src/disk/read.ts';
import { pakoCodec } from '../../src/engine/pako.ts';
import { portableMover } from '../../src/engine/portable.ts';
import { AccessError, UnsupportedError, VconvError } from '../../src/errors.ts';
import { memorySource, memoryTarget } from '../../src/io/memory.ts';
import { firstDifference, fixedStamp, openImage, writeImage } from '../helpers/image.ts';
import { patternDisk } from '../helpers/pattern.ts';
import { sampleDisk, sampleImage, samples } from '../helpers/samples.ts';

const KiB = 1024;
const MiB = 1024 * KiB;
const gate = async (): Promise<never> => Promise.reject(new AccessError('there is no other file'));

const openSample = async (file: string) => {
	const sample = samples.find((one) => one.file === file);
	if (!sample) throw new Error(`no sample ${file}`);
	const { name, bytes } = sampleImage(sample);
	return flatten(
		await openChain(memorySource(bytes, name), { formats: diskFormats, gate, format: sample.format === 'raw' ? 'raw' : undefined }),
	);
};

test('every format has a sample', () => {
	expect(new Set(samples.map(({ format }) => format))).toEqual(new Set(diskFormats.map(({ id }) => id)));
});

describe.for(samples)('$file', (sample) => {
	test('is recognised by its format and by no other', async () => {
		const { name, bytes } = sampleImage(sample);
		expect((await detect(diskFormats, memorySource(bytes, name))).id).toBe(sample.format);
		const head = bytes.subarray(0, 4096);
		const claims = diskFormats.filter(({ probe }) => probe(head, bytes.subarray(-4096), bytes.length)).map(({ id }) => id);
		expect(claims).toEqual(sample.format === 'raw' ? [] : [sample.format]);
	});

	test('holds the disk that the manifest says', async () => {
		const disk = await openSample(sample.file);
		const bytes = await readDisk(disk, pakoCodec, 0, disk.size);
		expect(disk.size).toBe(sampleDisk.virtualSize);
		expect(createHash('sha256').update(bytes).digest('hex')).toBe(sampleDisk.sha256);
	});

	test('has a map that covers any range exactly and in order', async () => {
		const disk = await openSample(sample.file);
		for (const [offset, length] of [
			[0, disk.size],
			[511, 2],
			[256 * KiB - 7, 70 * KiB],
			[disk.size - 1, 1],
		] as const) {
			let at = offset;
			for await (const extent of disk.extents(offset, length)) {
				expect(extent.offset).toBe(at);
				expect(extent.length).toBeGreaterThan(0);
				at += extent.length;
			}
			expect(at).toBe(offset + length);
		}
	});

	test('is found sound by its own check', async () => {
		const { name, bytes } = sampleImage(sample);
		const format = diskFormats.find(({ id }) => id === sample.format);
		const report = await format?.check?.(memorySource(bytes, name), contextFor(memorySource(bytes, name), { formats: diskFormats, gate }));
		expect(report?.findings.filter(({ severity }) => severity !== 'note') ?? []).toEqual([]);
	});
});

/** Sizes and runs of data that have an edge in them: of a sector, a cluster, a grain, a block, a table. */
const layouts = {
	'one sector': { size: 512, data: [[0, 512]] },
	'no data at all': { size: 5 * MiB, data: [] },
	'data throughout': { size: 300 * KiB, data: [[0, 300 * KiB]] },
	'alternating blocks': { size: 4 * MiB, data: Array.from({ length: 16 }, (_, i) => [i * 256 * KiB, 64 * KiB] as const) },
	'a last block cut short': {
		size: 3 * MiB + 512,
		data: [
			[0, 4096],
			[MiB, 512],
			[3 * MiB, 512],
		],
	},
	'single bytes at edges': {
		size: 70 * MiB,
		data: [
			[64 * KiB - 8, 16],
			[2 * MiB - 8, 16],
			[32 * MiB - 8, 16],
			[70 * MiB - 8, 8],
		],
	},
} as const;

describe.for(diskFormats.filter(({ writer }) => writer))('$id, written', (format) => {
	test.for(Object.keys(layouts) as (keyof typeof layouts)[])('keeps every byte where it was: %s', async (name) => {
		const disk = patternDisk(layouts[name]);
		const files = await writeImage(format, disk);
		const copy = await openImage(files, `disk.${format.extensions[0]}`, { format: format.id });
		expect(await firstDifference(disk, copy)).toBeUndefined();
	});

	test('gives the same bytes for the same input', async () => {
		const sums = [];
		for (let i = 0; i < 2; i++) {
			const image = (await writeImage(format, patternDisk(layouts['alternating blocks']))).get(`disk.${format.extensions[0]}`)?.source();
			sums.push(
				createHash('sha256')
					.update((await image?.read(0, image.size)) ?? '')
					.digest('hex'),
			);
		}
		expect(sums[0]).toBe(sums[1]);
	});

	test('leaves nothing when it is aborted', async () => {
		const target = memoryTarget('disk');
		const abort = new AbortController();
		const request = {
			disk: patternDisk({ size: 64 * MiB, data: [[0, 64 * MiB]] }),
			target,
			format,
			mover: portableMover(pakoCodec),
			stamp: fixedStamp(),
		};
		const aborted = convertDisk({ ...request, signal: abort.signal, onProgress: () => abort.abort(new Error('enough')) });
		await expect(aborted).rejects.toThrow('enough');
		expect(target.files.size).toBe(0);
	});

	test('names what is wrong with an option', async () => {
		await expect(writeImage(format, patternDisk(layouts['one sector']), { options: { nonsense: 'on' } })).rejects.toThrow(
			/has no option 'nonsense'/,
		);
		for (const [name, option] of Object.entries(format.writer?.options ?? {})) {
			expect(option.help).not.toBe('');
			if (option.values) expect(option.values).toContain(option.default);
			if (!option.values) continue;
			await expect(writeImage(format, patternDisk(layouts['one sector']), { options: { [name]: 'nonsense' } })).rejects.toThrow(VconvError);
		}
	});

	test('has a README that names all of its options', () => {
		const readme = fs.readFileSync(`formats/${format.id}/README.md`, 'utf8');
		for (const name of Object.keys(format.writer?.options ?? {})) expect(readme).toMatch(new RegExp(`\\b${name}\\b`));
	});

	test('takes a disk of 64 TiB or says that it cannot', async () => {
		const disk = patternDisk({ size: 64 * 1024 ** 4, data: [[32 * 1024 ** 4, 4096]] });
		const written = writeImage(format, disk).then(
			() => 'written',
			(error) => error,
		);
		const result = await written;
		if (result !== 'written') expect(result).toBeInstanceOf(UnsupportedError);
	});

	test('takes a larger one, or names the format that does', async () => {
		const written = writeImage(format, patternDisk({ size: 65 * 1024 ** 4, data: [] }));
		if (format.id === 'raw') await expect(written).resolves.toBeDefined();
		else
			await expect(written).rejects.toMatchObject({
				code: 'UNSUPPORTED',
				message: expect.stringMatching(/holds at most .* 65 TiB$/),
				hint: '-O raw',
			});
	});
});
