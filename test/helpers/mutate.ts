import fc from 'fast-check';
import { expect } from 'vitest';
import type { CheckReport, DiskFormat, OpenContext } from '../../src/core/format.ts';
import type { Source } from '../../src/core/source.ts';
import { clip } from '../../src/disk/clip.ts';
import { readExtent } from '../../src/disk/read.ts';
import { pakoCodec } from '../../src/engine/pako.ts';
import { AccessError, VconvError } from '../../src/errors.ts';
import { memorySource } from '../../src/io/memory.ts';
import { effort } from './effort.ts';

/** An open that reaches nothing but its own bytes. */
export const alone: OpenContext = {
	follow: (reference) => Promise.reject(new AccessError(`there is no ${reference}`)),
	note() {},
	unpack: pakoCodec.unpack,
};

type Mutation = { readonly bytes: Uint8Array; readonly what: string };

/** One place of a region overwritten with a telling value, or the file cut short. */
const mutation = (bytes: Uint8Array, regions: readonly (readonly [number, number])[]): fc.Arbitrary<Mutation> => {
	const place = fc.oneof(...regions.map(([start, end]) => fc.integer({ min: start, max: Math.min(end, bytes.length) - 1 })));
	const value = fc.oneof(
		fc.constantFrom(0n, 1n, 2n, 0x7fn, 0xffn, 0x8000_0000n, 0xffff_ffffn, 0xffff_fffen, 0x7fff_ffff_ffff_ffffn, 0xffff_ffff_ffff_ffffn),
		fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn }),
	);
	const overwritten = fc
		.record({ place, width: fc.constantFrom(1, 2, 4, 8), value, little: fc.boolean() })
		.map(({ place: at, width, value: number, little }) => {
			const copy = bytes.slice();
			for (let i = 0; i < width && at + i < copy.length; i++) {
				copy[at + i] = Number((number >> BigInt(8 * (little ? i : width - 1 - i))) & 0xffn);
			}
			return { bytes: copy, what: `${width} bytes at ${at} set to ${number}` };
		});
	const cut = fc.integer({ min: 0, max: bytes.length - 1 }).map((length) => ({ bytes: bytes.slice(0, length), what: `cut to ${length}` }));
	return fc.oneof({ weight: 9, arbitrary: overwritten }, { weight: 1, arbitrary: cut });
};

/**
 * Damage an image in many ways and open, walk, read and check it: whatever comes out, it is an answer or a VconvError, and soon.
 * @param regions `[start, end]` of the header and the tables, in bytes.
 */
export const survives = async (
	format: DiskFormat,
	bytes: Uint8Array,
	regions: readonly (readonly [number, number])[],
	runs = 400,
): Promise<void> => {
	await fc.assert(
		fc.asyncProperty(mutation(bytes, regions), async ({ bytes: damaged, what }) => {
			const spent = effort();
			for (const use of [walk, check]) {
				try {
					await use(format, memorySource(damaged, 'damaged'));
				} catch (error) {
					if (!(error instanceof VconvError)) throw new Error(`not a VconvError: ${what}`, { cause: error });
				}
			}
			expect(spent(), what).toBeLessThan(2000);
		}),
		{ numRuns: runs },
	);
};

/** The whole map, and the first bytes of its first extents. */
const walk = async (format: DiskFormat, source: Source): Promise<void> => {
	const disk = await format.open(source, alone);
	let read = 0;
	for await (const extent of disk.extents(0, disk.size)) {
		if (read++ < 50) await readExtent(clip(extent, extent.offset, extent.offset + 4096), pakoCodec);
	}
	await disk.close();
};

const check = async (format: DiskFormat, source: Source): Promise<CheckReport | undefined> => format.check?.(source, alone);
