import fc from 'fast-check';
import { expect } from 'vitest';
import { VconvError } from '../../src/errors.ts';
import { type BlockDevice, sourceDevice } from '../../src/guest/device.ts';
import { memorySource } from '../../src/io/memory.ts';

type DamageOptions = {
	/** How many ways; twenty times as many with VCONV_THOROUGH. */
	readonly runs: number;
	/** `[start, end]` of what matters, in bytes; wherever it is not all zeros if left out. */
	readonly regions?: readonly (readonly [number, number])[];
};

const value = fc.oneof(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), fc.integer({ min: 0, max: 255 }));

/** Words of eight bytes that are not zero, and a place in one of them. */
const usedPlaces = (bytes: Uint8Array): fc.Arbitrary<number> => {
	const used: number[] = [];
	const words = new BigUint64Array(new Uint8Array(bytes).buffer, 0, bytes.length >> 3);
	for (const [index, word] of words.entries()) if (word !== 0n) used.push(index * 8);
	return fc.tuple(fc.integer({ min: 0, max: used.length - 1 }), fc.nat({ max: 7 })).map(([index, within]) => (used[index] ?? 0) + within);
};

/**
 * Overwrite bytes with telling values, a few at a time, in many ways: whatever `use` makes of it, it is an answer or a VconvError, and
 * comes within two seconds.
 * @param use must not keep the bytes: they are mended after it.
 */
export const survivesDamage = async (
	bytes: Uint8Array,
	use: (damaged: Uint8Array) => Promise<unknown>,
	{ runs, regions }: DamageOptions,
): Promise<void> => {
	const place = regions ? fc.oneof(...regions.map(([start, end]) => fc.integer({ min: start, max: end - 1 }))) : usedPlaces(bytes);
	const damage = fc.array(fc.tuple(place, fc.array(value, { minLength: 1, maxLength: 8 })), { minLength: 1, maxLength: 12 });
	const damaged = new Uint8Array(bytes);
	await fc.assert(
		fc.asyncProperty(damage, async (changes) => {
			for (const [at, values] of changes) damaged.set(values.slice(0, damaged.length - at), at);
			const start = performance.now();
			try {
				await use(damaged);
			} catch (error) {
				if (!(error instanceof VconvError)) throw error;
			} finally {
				for (const [at, values] of changes) damaged.set(bytes.subarray(at, at + values.length), at);
			}
			expect(performance.now() - start).toBeLessThan(2000);
		}),
		{ numRuns: process.env['VCONV_THOROUGH'] ? runs * 20 : runs },
	);
};

/** What is damaged as a device. */
export const onDevice =
	<Result>(use: (device: BlockDevice) => Promise<Result>) =>
	(bytes: Uint8Array): Promise<Result> =>
		use(sourceDevice(memorySource(bytes, 'damaged')));
