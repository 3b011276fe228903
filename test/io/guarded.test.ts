import { expect, test } from 'vitest';
import { qcow2 } from '../../formats/qcow2/index.ts';
import { raw } from '../../formats/raw/index.ts';
import {
	AccessError,
	type ConvertOptions,
	convert,
	convertStream,
	detect,
	diskFormats,
	memorySource,
	memoryTarget,
	openLayer,
	type Source,
} from '../../src/index.ts';
import { forwardStream } from '../../src/io/forward.ts';
import { writeImage } from '../helpers/image.ts';
import { patternDisk } from '../helpers/pattern.ts';

const disk = patternDisk({ size: 1 << 20, data: [[0, 1 << 20]] });

const imageOf = async (format: typeof raw | typeof qcow2): Promise<Source> => {
	const image = (await writeImage(format, disk, { name: 'disk.img' })).get('disk.img');
	if (!image) throw new Error('nothing was written');
	return image.source();
};

const gate = async () => Promise.reject(new Error('nothing is named'));

test.for([
	['too few', 40000],
	['too many', 1 << 20],
] as const)('a source that gives %s bytes is an error that names it, and not zeros or a loop without end', async ([_, count]) => {
	for (const format of [raw, qcow2]) {
		const image = await imageOf(format);
		const from: Source = { ...image, name: 'odd.img', read: (offset) => image.read(offset, Math.min(count, image.size - offset)) };
		const target = memoryTarget('disk.vhd');
		const failure = { path: 'odd.img', offset: expect.any(Number), hint: expect.stringContaining('read') };
		await expect(convert({ from, to: target, inputFormat: format.id })).rejects.toMatchObject(failure);
		expect(target.files.size).toBe(0);
		await expect(convert({ from: image, to: target, inputFormat: 'raw', backing: { source: from, name: 'odd.img' } })).rejects.toThrow();
		const streamed: Omit<ConvertOptions, 'to'> = { from, format: 'raw', inputFormat: format.id };
		await expect(convertStream({ ...streamed, append: async () => {} })).rejects.toBeInstanceOf(AccessError);
	}
});

test('a format is not told by bytes that were not asked for', async () => {
	const image = await imageOf(qcow2);
	await expect(detect(diskFormats, { ...image, read: async () => new Uint8Array(512) })).rejects.toBeInstanceOf(AccessError);
});

test('a stream that gives too few bytes is an error too', async () => {
	const made = memoryTarget('disk.vmdk');
	await convert({ from: await imageOf(raw), to: made, inputFormat: 'raw', options: { subformat: 'streamOptimized' } });
	const image = made.files.get('disk.vmdk')?.source() as Source;
	const pieces = async function* () {
		yield await image.read(0, image.size);
	};
	const stream = forwardStream(pieces(), 'pipe');
	const short = { ...stream, read: async (length: number) => (await stream.read(length)).subarray(1) };
	await expect(convert({ from: short, to: memoryTarget('a.qcow2'), inputFormat: 'vmdk' })).rejects.toMatchObject({
		name: 'AccessError',
		path: 'pipe',
	});
});

test('a source of any kind is closed once, be it an object of a class', async () => {
	class Held implements Source {
		readonly #image: Source;
		closes = 0;
		constructor(image: Source) {
			this.#image = image;
		}
		get name() {
			return 'held.img';
		}
		get size() {
			return this.#image.size;
		}
		get identity() {
			return this.#image.identity;
		}
		read(offset: number, length: number) {
			return this.#image.read(offset, length);
		}
		allocated(offset: number, length: number) {
			return this.#image.allocated?.(offset, length) as ReturnType<NonNullable<Source['allocated']>>;
		}
		async close() {
			this.closes++;
		}
	}
	for (const format of [raw, qcow2]) {
		const from = new Held(await imageOf(format));
		const over = new Held(await imageOf(raw));
		const backing = { source: over, name: 'base.raw', format: 'raw' };
		await convert({ from, to: memoryTarget('disk.qcow2'), inputFormat: format.id, backing });
		expect([from.closes, over.closes]).toEqual([1, 1]);
		const failed = new Held(memorySource(new Uint8Array(100)));
		await expect(convert({ from: failed, to: memoryTarget('disk.vhd'), inputFormat: 'qcow2' })).rejects.toThrow();
		expect(failed.closes).toBe(1);
		const alone = new Held(await imageOf(format));
		const layer = await openLayer(alone, { formats: diskFormats, format: format.id, gate });
		await layer.disk.close();
		await layer.disk.close();
		expect(alone.closes).toBe(1);
	}
});

test('that a source does not close is no failure of a conversion that is done, and hides none', async () => {
	const unwilling = async (format: typeof raw): Promise<Source> => ({
		...(await imageOf(format)),
		close: async () => Promise.reject(new Error('EBADF')),
	});
	const target = memoryTarget('disk.qcow2');
	await convert({ from: await unwilling(raw), to: target, inputFormat: 'raw' });
	expect([...target.files.keys()]).toEqual(['disk.qcow2']);
	await expect(convert({ from: await unwilling(raw), to: memoryTarget('b.raw'), inputFormat: 'vdi' })).rejects.not.toThrow('EBADF');
});

test('a source that never answers, and then does not close either, holds up no conversion that is aborted', async () => {
	const { readInto: _, ...image } = await imageOf(qcow2);
	const reads: number[] = [];
	for (let answers = 0; answers < 20; answers++) {
		const controller = new AbortController();
		let asked = 0;
		const from: Source = {
			...image,

			read(offset, length) {
				if (asked++ < answers) return image.read(offset, length);
				setTimeout(() => controller.abort(new Error('enough')), 5);
				return new Promise(() => {});
			},
			close: () => (asked > answers ? new Promise(() => {}) : Promise.resolve()),
		};
		const end = await convert({ from, to: memoryTarget('disk.raw'), inputFormat: 'qcow2', signal: controller.signal }).then(
			() => 'done',
			({ message }: Error) => message,
		);
		reads.push(asked);
		expect(end).toBe(asked > answers ? 'enough' : 'done');
	}
	expect(reads[0]).toBe(1);
	expect(Math.max(...reads)).toBeGreaterThan(3);
});
