import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Disk, Extent } from '../../src/core/disk.ts';
import { compareDisks } from '../../src/disk/compare.ts';
import { pakoCodec } from '../../src/engine/pako.ts';
import { memorySource } from '../../src/io/memory.ts';
import { patternDisk } from '../helpers/pattern.ts';

const MiB = 1 << 20;

/** A disk of these bytes whose map is cut at random: pieces that are zero may say so, all others are data. */
const diskOf = (bytes: Uint8Array, cuts: readonly number[], honest: boolean): Disk => {
	const source = memorySource(bytes);
	const borders = [...new Set([0, ...cuts.filter((cut) => cut < bytes.length), bytes.length])].sort((a, b) => a - b);
	return {
		size: bytes.length,
		sectorSize: 512,
		info: { format: 'test' },
		async *extents(guestOffset, length) {
			for (const [index, start] of borders.entries()) {
				const from = Math.max(start, guestOffset);
				const to = Math.min(borders[index + 1] ?? 0, guestOffset + length);
				if (from >= to) continue;
				const range = { offset: from, length: to - from };
				const quiet = honest && bytes.subarray(start, borders[index + 1]).every((byte) => byte === 0);
				yield (quiet ? { ...range, kind: 'zero' } : { ...range, kind: 'data', source, at: from }) satisfies Extent;
			}
		},
		async close() {},
	};
};

const content = fc.array(fc.constantFrom(0, 0, 0, 0, 0, 1), { maxLength: 64 });
const cuts = fc.array(fc.nat(64));

test('the first difference is found, however the maps are cut and whatever they call zeros', async () => {
	await fc.assert(
		fc.asyncProperty(content, content, cuts, cuts, fc.boolean(), async (a, b, cutsA, cutsB, honest) => {
			const size = Math.max(a.length, b.length);
			const expected = Array.from({ length: size }, (_, i) => (a[i] ?? 0) !== (b[i] ?? 0)).indexOf(true);
			const [x, y] = [diskOf(Uint8Array.from(a), cutsA, true), diskOf(Uint8Array.from(b), cutsB, honest)];
			expect(await compareDisks(x, y, pakoCodec)).toEqual(expected < 0 ? undefined : { kind: 'content', guestOffset: expected });
		}),
	);
});

test('a difference in the last byte of a window, and in the first of the next, is found', async () => {
	const bytes = new Uint8Array(3 * MiB).fill(7);
	for (const at of [MiB - 1, MiB, 2 * MiB + 5, 3 * MiB - 1]) {
		const other = bytes.slice();
		other[at] = 8;
		expect(await compareDisks(diskOf(bytes, [], true), diskOf(other, [], true), pakoCodec)).toEqual({ kind: 'content', guestOffset: at });
	}
});

test('what is zeros in both is not read, and neither is what both store at one place', async () => {
	const source = { ...memorySource(new Uint8Array(0)), read: () => Promise.reject(new Error('read')) };
	const disk: Disk = {
		size: 2 ** 46,
		sectorSize: 512,
		info: { format: 'test' },
		async *extents(offset, length) {
			yield { kind: 'zero', offset, length: length / 2 };
			yield { kind: 'data', offset: offset + length / 2, length: length / 2, source, at: 4096 };
		},
		async close() {},
	};
	expect(await compareDisks(disk, disk, pakoCodec)).toBeUndefined();
});

test('strictly, a status that differs is a difference, unless a byte differs before it', async () => {
	const bytes = new Uint8Array(2 * MiB);
	const zeros = patternDisk({ size: 2 * MiB, data: [] });
	expect(await compareDisks(diskOf(bytes, [MiB], false), zeros, pakoCodec)).toBeUndefined();
	expect(await compareDisks(diskOf(bytes, [MiB], false), zeros, pakoCodec, { strict: true })).toEqual({ kind: 'status', guestOffset: 0 });
	const early = patternDisk({ size: 2 * MiB, data: [[0, 4096]] });
	const other = diskOf(new Uint8Array(2 * MiB).fill(1, 0, 4096), [4096], false);
	expect(await compareDisks(early, other, pakoCodec, { strict: true })).toEqual({ kind: 'content', guestOffset: 0 });
});

test('progress ends with the whole disk', async () => {
	const disk = patternDisk({ size: 8 * MiB, data: [[0, 3 * MiB]] });
	const seen: number[][] = [];
	await compareDisks(disk, disk, pakoCodec, { onProgress: (done, data) => seen.push([done, data]) });
	expect(seen.at(-1)).toEqual([8 * MiB, 3 * MiB]);
	expect(seen.map(([done = 0]) => done)).toEqual(seen.map(([done = 0]) => done).sort((a, b) => a - b));
});

test('an aborted comparison throws the reason', async () => {
	const disk = patternDisk({ size: 8 * MiB, data: [[0, 3 * MiB]] });
	const signal = AbortSignal.abort(new Error('enough'));
	await expect(compareDisks(disk, disk, pakoCodec, { signal })).rejects.toThrow('enough');
});
