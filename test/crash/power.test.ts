import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { diskFormats } from '../../formats/index.ts';
import { convertDisk } from '../../src/convert/convert.ts';
import type { Codec } from '../../src/core/codec.ts';
import type { OptionValues } from '../../src/core/format.ts';
import { portableMover } from '../../src/engine/portable.ts';
import { AccessError } from '../../src/errors.ts';
import type { Files } from '../../src/node/files.ts';
import { createTarget } from '../../src/node/target.ts';
import { fixedStamp } from '../helpers/image.ts';
import { memoryDisk, patternBytes } from '../helpers/pattern.ts';
import { Crash, type Model, model } from './model.ts';

const CASES = process.env['VCONV_THOROUGH'] ? 20_000 : 600;

/** A disk in which data, packable data and zeros take turns. */
const bytes = new Uint8Array(24 * 1024 + 512);
for (let at = 0; at < bytes.length; at += 1536) if (at % 4608 !== 0) bytes.set(patternBytes(at, Math.min(1536, bytes.length - at)), at);
const disk = memoryDisk(bytes);

/** Packs to something shorter, at no cost: nobody unpacks it. */
const codec: Codec = {
	pack: (_, whole) => whole.subarray(0, whole[0] === 0 ? 60 : 100 + (whole[1] ?? 0) / 2),
	unpack() {
		throw new Error('nothing is packed in the source');
	},
};

type Shape = { readonly format: string; readonly options?: OptionValues; readonly compress?: boolean };

const SHAPES: readonly Shape[] = [
	{ format: 'raw' },
	{ format: 'qcow2', options: { cluster_size: '512' } },
	{ format: 'qcow2', options: { cluster_size: '512' }, compress: true },
	{ format: 'vmdk', options: { subformat: 'monolithicFlat' } },
];

type Run = { readonly crashAt: number; readonly power: boolean; readonly force: boolean; readonly restart: boolean };

const convert = async ({ files }: Pick<Model, 'files'>, { format: id, options, compress }: Shape, run: Pick<Run, 'force' | 'restart'>) => {
	const format = diskFormats.find((one) => one.id === id);
	if (!format) throw new Error(`no ${id}`);
	const target = await createTarget('/d/disk', { files, ...run, checkpoints: { bytes: 4096, ms: Number.POSITIVE_INFINITY } });
	await convertDisk({
		disk,
		target,
		format,
		options,
		compress,
		mover: portableMover(codec, 1024),
		stamp: fixedStamp(),
		origin: () => ['the disk'],
	});
};

const undisturbed = async (shape: Shape): Promise<Map<string, Uint8Array>> => {
	const whole = model();
	await convert(whole, shape, { force: false, restart: false });
	return whole.contents();
};

const images = new Map(await Promise.all(SHAPES.map(async (shape) => [shape, await undisturbed(shape)] as const)));

const equal = (a: Uint8Array | undefined, b: Uint8Array | undefined): boolean =>
	a === b || (a !== undefined && b !== undefined && Buffer.compare(a, b) === 0);

const cases = fc.record({
	shape: fc.constantFrom(...SHAPES),
	old: fc.boolean(),
	runs: fc.array(
		fc.record({
			crashAt: fc.integer({ min: 1, max: 400 }),
			power: fc.boolean(),
			force: fc.boolean(),
			restart: fc.nat(5).map((n) => n === 0),
		}),
		{ minLength: 1, maxLength: 5 },
	),
	seed: fc.integer({ min: 1 }),
});

/** Of what had the name before. */
const PROOF = new TextEncoder().encode('{"v":1,"tool":"vconv 0.0.0"}');

const OLD = new Uint8Array(700).fill(0x6f);

/** Run it, crash, look, again, and at last to the end. @throws where an invariant does not hold. */
const check =
	(spoil: (files: Files) => Files = (files) => files) =>
	async ({ shape, old, runs, seed }: { shape: Shape; old: boolean; runs: readonly Run[]; seed: number }): Promise<void> => {
		const random = seeded(seed);
		const system = model();
		const files = spoil(system.files);
		const whole = images.get(shape) as Map<string, Uint8Array>;
		let mayReplace = false;
		if (old) {
			system.put('/d/disk', OLD);
			system.put('/d/disk.vconv.json', PROOF);
		}

		/** I1, I4: the name is free, or has the whole image, or what it had when nobody has said --force. */
		const look = (): boolean => {
			const now = system.contents();
			const main = now.get('/d/disk');
			const complete = [...whole].every(([name, content]) => equal(now.get(name), content));
			const untouched = old && equal(main, OLD);
			if (main === undefined && (!old || (mayReplace && whole.size > 1))) return false;
			if (complete && now.has('/d/disk.vconv.json')) throw new Error('a proof of another image is beside it');
			if (!complete && !untouched) throw new Error('an image that is not whole has the name');
			return complete;
		};

		for (const run of runs) {
			system.crashAt(run.crashAt);
			mayReplace ||= run.force;
			try {
				await convert({ files }, shape, run);
			} catch (error) {
				if (error instanceof AccessError && /exists already/.test(error.message)) expect(old || mayReplace || look()).toBe(true);
				else if (!(error instanceof Crash || (error as Error).cause instanceof Crash)) throw error;
			}
			system.restart(run.power, random);
			look();
		}
		system.crashAt(0);
		await convert({ files }, shape, { force: true, restart: false });
		if (!look()) throw new Error('there is no image in the end');
		expect([...system.contents().keys()].sort()).toEqual([...whole.keys()].sort());
	};

/** xorshift32: a number from 0 to below 1. */
const seeded = (seed: number) => (): number => {
	seed ^= seed << 13;
	seed ^= seed >>> 17;
	seed ^= seed << 5;
	return (seed >>> 0) / 2 ** 32;
};

test('whenever the power fails or the process is killed, the name has the whole image or nothing', { timeout: 1_800_000 }, async () => {
	await fc.assert(fc.asyncProperty(cases, check()), { numRuns: CASES });
});

describe('what would break that is found:', () => {
	const broken = (spoil: (files: Files) => Files) =>
		fc.check(fc.asyncProperty(cases, check(spoil)), { numRuns: CASES, endOnFailure: true });

	test.for<[string, (files: Files) => Files]>([
		['a record before its data is on the disk', (files) => ({ ...files, fdatasync: async () => {} })],
		['a name before the data is on the disk', (files) => ({ ...files, fsync: () => {}, fdatasync: async () => {} })],
		['a journal that is forgotten after its data', (files) => ({ ...files, fsync: () => {} })],
		[
			'a short write that is believed',
			(files) => ({
				...files,
				write(fd, bytes, start, length, at) {
					files.write(fd, bytes, start, Math.min(length, 512), at);
					return length;
				},
			}),
		],
	])('%s', async ([, spoil]) => {
		expect((await broken(spoil)).failed).toBe(true);
	});
});
