import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { VconvError } from '../../src/errors.ts';
import { convertChain } from '../../src/node/chain.ts';
import { convertFile } from '../../src/node/convert.ts';
import type { ConvertFileOptions } from '../../src/node/convert-options.ts';
import { nodeFiles } from '../../src/node/files.ts';
import { parseProof } from '../../src/proof/file.ts';
import { filesWith } from '../helpers/faults.ts';
import { fixedStamp } from '../helpers/image.ts';
import { patternBytes } from '../helpers/pattern.ts';
import { temporaryFolder } from '../helpers/programs.ts';
import { rawFile } from '../helpers/raw.ts';
import { slowRoot } from '../helpers/tree.ts';

const MiB = 1 << 20;

/** Data that packs, data that does not, zeros and holes; whole MiB of zeros too. */
const makeSource = (name: string, size = 7 * MiB + 512 * 9): Buffer => {
	const bytes = Buffer.alloc(size);
	for (let at = 0, i = 0; at < size; at += 96 * 1024, i++) {
		const length = Math.min(96 * 1024, size - at);
		const part = [undefined, patternBytes(at, length), undefined, randomBytes(length)][i % 4];
		if (part) bytes.set(part, at);
	}
	if (size > 5 * MiB) bytes.fill(0, 2 * MiB, 4 * MiB + 70_000);
	fs.writeFileSync(name, bytes);
	return bytes;
};

const rootOf = (proof: string): string => Buffer.from(parseProof(fs.readFileSync(proof), proof).root).toString('hex');

const SHAPES: readonly ConvertFileOptions[] = [
	{ format: 'raw' },
	{ format: 'raw', options: { sparse: '0' } },
	{ format: 'qcow2' },
	{ format: 'qcow2', options: { cluster_size: '2M' } },
	{ format: 'qcow2', compress: true },
	{ format: 'vmdk' },
	{ format: 'vmdk', options: { subformat: 'streamOptimized' } },
	{ format: 'vmdk', options: { subformat: 'monolithicFlat' } },
	{ format: 'vhdx' },
	{ format: 'vdi' },
	{ format: 'vhd', options: { force_size: 'on' } },
];

test.for(SHAPES)('as %o it is verified, and has the root of the raw disk', async (shape) => {
	const at = (name: string) => path.join(folder, name);
	const folder = temporaryFolder();
	const bytes = makeSource(at('in.raw'));
	const { size } = await convertFile(at('in.raw'), at('out'), { ...shape, proof: true, verify: 'full', durable: false });
	const disk = Buffer.alloc(size);
	bytes.copy(disk);
	expect(rootOf(at('out.vconv.json'))).toBe(slowRoot(disk));
	expect(fs.statSync(at('out.vconv.json')).mode & 0o777).toBe(0o600);
	expect(fs.readdirSync(folder).filter((name) => name.includes('partial'))).toEqual([]);
});

const RUNS = process.env['VCONV_THOROUGH'] ? 100 : 5;

/** File calls that flip a bit of one byte on its way to the image. */
const flipping = (write: number, place: number, bit: number): ConvertFileOptions => {
	let calls = 0;
	const files = filesWith({
		write(fd, bytes, start, length, position) {
			if (calls++ !== write) return nodeFiles.write(fd, bytes, start, length, position);
			const copy = bytes.slice();
			const at = start + (place % length);
			copy[at] = (copy[at] ?? 0) ^ (1 << bit);
			return nodeFiles.write(fd, copy, start, length, position);
		},
	});
	return { files, keepPartial: false } as ConvertFileOptions;
};

test('a bit that is flipped on its way to the disk is found: nothing is published', async () => {
	const folder = temporaryFolder();
	const at = (name: string) => path.join(folder, name);
	makeSource(at('in.raw'), 3 * MiB);
	const found = convertFile(at('in.raw'), at('out.raw'), { ...flipping(3, 99_999, 5), verify: 'full', proof: true });
	await expect(found).rejects.toMatchObject({
		exitCode: 6,
		path: at('out.raw'),
		message: expect.stringMatching(/bytes from guest offset 0x/),
	});
	expect(fs.readdirSync(folder)).toEqual(['in.raw']);
});

test.for<ConvertFileOptions>([{ format: 'qcow2' }, { format: 'vmdk' }, { format: 'vhd' }, { format: 'vhdx' }])(
	'as %o: whatever bit is flipped on its way, what is published is what was read',
	async (shape) => {
		const folder = temporaryFolder();
		const at = (name: string) => path.join(folder, name);
		const bytes = makeSource(at('in.raw'), 2 * MiB);
		await fc.assert(
			fc.asyncProperty(fc.nat(14), fc.nat(), fc.nat(7), async (write, place, bit) => {
				const options = { ...shape, ...flipping(write, place, bit), verify: 'full', force: true, durable: false } as const;
				try {
					await convertFile(at('in.raw'), at('out'), options);
				} catch (error) {
					expect(error).toBeInstanceOf(VconvError);
					expect(error).toMatchObject({ exitCode: 6 });
					return;
				}
				await convertFile(at('out'), at('back.raw'), { format: 'raw', inputFormat: shape.format, force: true, durable: false });
				expect(fs.readFileSync(at('back.raw')).subarray(0, bytes.length).equals(bytes)).toBe(true);
			}),
			{ numRuns: RUNS },
		);
	},
);

test('fast looks at the tables: a damaged one is not published', async () => {
	const folder = temporaryFolder();
	const at = (name: string) => path.join(folder, name);
	makeSource(at('in.raw'), MiB);
	const files = filesWith({
		// The tables of a QCOW2 image, whose entries are far behind its end then.
		write(fd, bytes, start, length, position) {
			const isTable = length <= 65536 && position > 0;
			return nodeFiles.write(fd, isTable ? bytes.map((byte, i) => (i % 8 === 2 ? 0x7f : byte)) : bytes, start, length, position);
		},
	});
	const options = { files, keepPartial: false } as ConvertFileOptions;
	await expect(convertFile(at('in.raw'), at('out.qcow2'), { ...options, verify: 'fast' })).rejects.toMatchObject({ exitCode: 6 });
	expect(fs.readdirSync(folder)).toEqual(['in.raw']);
	await convertFile(at('in.raw'), at('out.qcow2'), { verify: 'fast' });
});

test.for<ConvertFileOptions>([{ format: 'qcow2' }, { format: 'qcow2', compress: true }, { format: 'vhd' }])(
	'as %o, interrupted twice: the proof is that of an undisturbed run, and nothing is hashed twice',
	async (shape) => {
		const folder = temporaryFolder();
		const at = (name: string) => path.join(folder, name);
		makeSource(at('in.raw'));
		for (const name of ['a', 'b']) fs.mkdirSync(at(name));
		const wanted = { ...shape, proof: true, verify: 'full', threads: 1, stamp: fixedStamp() } as const;
		await convertFile(at('in.raw'), at('a/out'), wanted);
		const begun: number[] = [];
		for (const stop of [2 * MiB, 5 * MiB, Number.POSITIVE_INFINITY]) {
			const controller = new AbortController();
			let first: number | undefined;
			const options: ConvertFileOptions = {
				...wanted,
				stamp: fixedStamp(),
				signal: controller.signal,
				onProgress({ stage, done }) {
					if (stage === 'copy') first ??= done;
					if (done > stop) controller.abort(new Error('enough'));
				},
			};
			const made = convertFile(at('in.raw'), at('b/out'), options);
			if (Number.isFinite(stop)) await expect(made).rejects.toThrow('enough');
			else await made;
			begun.push(first ?? 0);
		}
		expect(begun[2]).toBeGreaterThan(begun[0] ?? 0);
		expect(fs.readdirSync(at('b'))).toEqual(['out', 'out.vconv.json']);
		for (const file of ['out', 'out.vconv.json']) {
			expect(fs.readFileSync(at(`b/${file}`)).equals(fs.readFileSync(at(`a/${file}`)))).toBe(true);
		}
	},
);

test('deltas and chains are verified as the guest sees them', async () => {
	const folder = temporaryFolder();
	const at = (name: string) => path.join(folder, name);
	for (const name of ['base', 'new']) fs.mkdirSync(at(name));
	const bytes = makeSource(at('top.raw'), 3 * MiB);
	fs.writeFileSync(at('base/base.raw'), Buffer.alloc(3 * MiB, 'x'));
	for (const format of ['qcow2', 'vhdx', 'vdi']) {
		await convertFile(at('base/base.raw'), at(`base/base.${format}`), { verify: 'full', durable: false });
		const delta = at(`delta.${format}`);
		await convertFile(at('top.raw'), delta, { backing: at(`base/base.${format}`), verify: 'full', proof: true, durable: false });
		expect(rootOf(`${delta}.vconv.json`)).toBe(slowRoot(bytes));
	}
	const chain = await convertChain(at('delta.qcow2'), at('new/delta.qcow2'), { verify: 'full', durable: false, allow: [at('base')] });
	expect(chain).toHaveLength(2);
});

test('a proof that is there already is not replaced, and nothing is written', async () => {
	const folder = temporaryFolder();
	const at = (name: string) => path.join(folder, name);
	makeSource(at('in.raw'), MiB);
	fs.writeFileSync(at('out.qcow2.vconv.json'), 'mine');
	await expect(convertFile(at('in.raw'), at('out.qcow2'), { proof: true })).rejects.toMatchObject({
		exitCode: 5,
		path: at('out.qcow2.vconv.json'),
	});
	expect(fs.readdirSync(folder)).toEqual(['in.raw', 'out.qcow2.vconv.json']);
	await convertFile(at('in.raw'), at('out.qcow2'), { proof: true, force: true });
	expect(rootOf(at('out.qcow2.vconv.json'))).toBe(slowRoot(fs.readFileSync(at('in.raw'))));
});

test('a level that there is none of is refused before anything is written', async () => {
	const folder = temporaryFolder();
	const input = rawFile(path.join(folder, 'in.raw'), 4096);
	const refused = convertFile(input, path.join(folder, 'out.raw'), { verify: 'fulll' as 'full' });
	await expect(refused).rejects.toMatchObject({ code: 'USAGE', hint: 'one of none, fast, full' });
	expect(fs.readdirSync(folder)).toEqual(['in.raw']);
});
