import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Progress } from '../../src/core/mover.ts';
import { convertFile } from '../../src/node/convert.ts';
import type { ConvertFileOptions } from '../../src/node/convert-options.ts';
import { fixedStamp } from '../helpers/image.ts';
import { patternBytes } from '../helpers/pattern.ts';
import { temporaryFolder } from '../helpers/programs.ts';

const MiB = 1 << 20;

/** Data that packs, data that does not, zeros and holes. */
const makeSource = (name: string, size = 6 * MiB): string => {
	const fd = fs.openSync(name, 'w');
	for (let at = 0, i = 0; at < size; at += 96 * 1024, i++) {
		const length = Math.min(96 * 1024, size - at);
		const bytes = [undefined, patternBytes(at, length), Buffer.alloc(length), randomBytes(length)][i % 4];
		if (bytes) fs.writeSync(fd, bytes, 0, length, at);
	}
	fs.ftruncateSync(fd, size);
	fs.closeSync(fd);
	return name;
};

/** Interrupt a conversion when it has come to a guest offset. */
const interrupted = async (input: string, output: string, at: number, options: ConvertFileOptions = {}): Promise<{ kept: boolean }> => {
	const controller = new AbortController();
	const reason = new Error('enough');
	let kept = false;
	const made = convertFile(input, output, {
		...options,
		signal: controller.signal,
		onKept: () => {
			kept = true;
		},
		onProgress: ({ done }) => done > at && controller.abort(reason),
	});
	await expect(made).rejects.toBe(reason);
	return { kept };
};

const SHAPES: readonly (readonly [format: string, options: Record<string, string>, compress?: boolean])[] = [
	['raw', {}],
	['qcow2', {}],
	['qcow2', { extended_l2: 'on' }],
	['qcow2', { preallocation: 'metadata' }],
	['qcow2', {}, true],
	['vmdk', {}],
	['vmdk', { subformat: 'streamOptimized' }],
	['vmdk', { subformat: 'twoGbMaxExtentSparse' }],
	['vmdk', { subformat: 'monolithicFlat' }],
	['vhd', {}],
	['vhd', { subformat: 'fixed' }],
	['vhdx', {}],
	['vdi', {}],
];

test.for(SHAPES)(
	'%s %o, compressed: %s: interrupted twice, it becomes the image of an undisturbed run',
	async ([format, options, compress]) => {
		const folder = temporaryFolder();
		const at = (name: string): string => path.join(folder, name);
		makeSource(at('in.raw'));
		for (const name of ['undisturbed', 'resumed']) fs.mkdirSync(at(name));
		const wanted = { format, options, compress, threads: 1 };
		await convertFile(at('in.raw'), at('undisturbed/disk'), { ...wanted, stamp: fixedStamp() });
		const files = fs.readdirSync(at('undisturbed'));
		let earlier: Progress['earlier'];
		for (const stop of [2 * MiB, 4 * MiB]) {
			expect(await interrupted(at('in.raw'), at('resumed/disk'), stop, { ...wanted, stamp: fixedStamp() })).toEqual({ kept: true });
			expect(files.some((file) => fs.existsSync(at(`resumed/${file}`)))).toBe(false);
		}
		// What the second run would say of time and ids does not matter: the first one has said it.
		await convertFile(at('in.raw'), at('resumed/disk'), {
			...wanted,
			onProgress: (progress) => {
				earlier ??= progress.earlier;
			},
		});
		expect(earlier?.done).toBeGreaterThan(2 * MiB);
		expect(fs.readdirSync(at('resumed'))).toEqual(files);
		for (const file of files)
			expect(fs.readFileSync(at(`resumed/${file}`)).equals(fs.readFileSync(at(`undisturbed/${file}`))), file).toBe(true);
	},
);

describe('what an interrupted run has left', () => {
	const setUp = async () => {
		const folder = temporaryFolder();
		const [input, output] = [path.join(folder, 'in.raw'), path.join(folder, 'out.qcow2')];
		makeSource(input, 4 * MiB);
		await interrupted(input, output, 2 * MiB);
		return { folder, input, output, left: fs.readdirSync(folder) };
	};

	test('is a partial file and its journal', async () => {
		const { left } = await setUp();
		expect(left).toEqual(['.out.qcow2.vconv-partial', '.out.qcow2.vconv-partial.journal', 'in.raw']);
	});

	test('is refused when the source has changed, and stays; --restart begins anew', async () => {
		const { folder, input, output, left } = await setUp();
		fs.writeFileSync(input, patternBytes(1, 4 * MiB));
		await expect(convertFile(input, output)).rejects.toMatchObject({
			code: 'OUTDATED',
			exitCode: 5,
			hint: expect.stringContaining('--restart'),
		});
		expect(fs.readdirSync(folder)).toEqual(left);
		await convertFile(input, output, { restart: true });
		await convertFile(output, path.join(folder, 'back.raw'));
		expect(fs.readFileSync(path.join(folder, 'back.raw')).equals(fs.readFileSync(input))).toBe(true);
		expect(fs.readdirSync(folder).sort()).toEqual(['back.raw', 'in.raw', 'out.qcow2']);
	});

	test.for<[string, ConvertFileOptions]>([
		['other options', { compress: true }],
		['another format', { format: 'vhdx' }],
	])('is refused for %s, and stays', async ([, options]) => {
		const { folder, input, output, left } = await setUp();
		await expect(convertFile(input, output, options)).rejects.toMatchObject({
			code: 'OUTDATED',
			hint: expect.stringContaining('--restart'),
		});
		expect(fs.readdirSync(folder)).toEqual(left);
	});

	test('is not taken up without its partial file: all is done anew', async () => {
		const { folder, input, output } = await setUp();
		fs.rmSync(path.join(folder, '.out.qcow2.vconv-partial'));
		await convertFile(input, output);
		await convertFile(output, path.join(folder, 'back.raw'));
		expect(fs.readFileSync(path.join(folder, 'back.raw')).equals(fs.readFileSync(input))).toBe(true);
	});

	test.for<[what: string, file: string, by: number]>([
		['a part of its partial file', '.out.vmdk', -1],
		['a part of a further file', '.out-flat.vmdk', -4096],
		['nothing, and more is behind it', '.out.vmdk', 70_000],
	])('is not taken up for what it is not: missing is %s', async ([, file, by]) => {
		const folder = temporaryFolder();
		const [input, output] = [path.join(folder, 'in.raw'), path.join(folder, 'out.vmdk')];
		makeSource(input, 4 * MiB);
		const subformat = file === '.out.vmdk' ? 'streamOptimized' : 'monolithicFlat';
		const wanted = { options: { subformat } };
		await interrupted(input, output, 2 * MiB, wanted);
		const partial = path.join(folder, `${file}.vconv-partial`);
		const { size } = fs.statSync(partial);
		expect(size).toBeGreaterThan(MiB / 2);
		fs.truncateSync(partial, size + by);
		await convertFile(input, output, wanted);
		await convertFile(output, path.join(folder, 'back.raw'));
		expect(fs.readFileSync(path.join(folder, 'back.raw')).equals(fs.readFileSync(input))).toBe(true);
	});

	test('is nothing where it is not to be kept, nor after a damaged source', async () => {
		const folder = temporaryFolder();
		const input = makeSource(path.join(folder, 'in.raw'), 4 * MiB);
		expect(await interrupted(input, path.join(folder, 'out.qcow2'), 2 * MiB, { keepPartial: false })).toEqual({ kept: false });
		expect(fs.readdirSync(folder)).toEqual(['in.raw']);
		await convertFile(input, path.join(folder, 'packed.qcow2'), { compress: true });
		const bytes = fs.readFileSync(path.join(folder, 'packed.qcow2'));
		bytes.fill(0xff, 0x90000, 0xa0000);
		fs.writeFileSync(path.join(folder, 'packed.qcow2'), bytes);
		await expect(convertFile(path.join(folder, 'packed.qcow2'), path.join(folder, 'out.raw'))).rejects.toThrow();
		expect(fs.readdirSync(folder)).toEqual(['in.raw', 'packed.qcow2']);
	});
});
