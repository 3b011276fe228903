import fc from 'fast-check';
import { expect } from 'vitest';
import { VconvError } from '../../src/errors.ts';

/**
 * Overwrite bytes that are not zero, a few at a time, in many ways: whatever `use` makes of it, it is an answer or a VconvError, and
 * comes within two seconds.
 * @param runs how many ways; twenty times as many with VCONV_THOROUGH.
 */
export const survivesDamage = async (bytes: Uint8Array, runs: number, use: (damaged: Uint8Array) => Promise<unknown>): Promise<void> => {
	const used: number[] = [];
	const words = new BigUint64Array(new Uint8Array(bytes).buffer, 0, bytes.length >> 3);
	for (const [index, word] of words.entries()) if (word !== 0n) used.push(index * 8);
	const change = fc.record({
		place: fc.integer({ min: 0, max: used.length - 1 }),
		within: fc.integer({ min: 0, max: 7 }),
		value: fc.oneof(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), fc.integer({ min: 0, max: 255 })),
	});
	const damaged = new Uint8Array(bytes);
	await fc.assert(
		fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 12 }), async (changes) => {
			const places = changes.map(({ place, within, value }) => ({ at: (used[place] ?? 0) + within, value }));
			for (const { at, value } of places) damaged[at] = value;
			const start = performance.now();
			try {
				await use(damaged);
			} catch (error) {
				if (!(error instanceof VconvError)) throw error;
			} finally {
				for (const { at } of places) damaged[at] = bytes[at] ?? 0;
			}
			expect(performance.now() - start).toBeLessThan(2000);
		}),
		{ numRuns: process.env['VCONV_THOROUGH'] ? runs * 20 : runs },
	);
};
