import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Disk, Extent } from '../../src/core/disk.ts';
import { difference } from '../../src/disk/difference.ts';
import { overlay } from '../../src/disk/overlay.ts';
import { pakoCodec } from '../../src/engine/pako.ts';
import { memorySource } from '../../src/io/memory.ts';
import { firstDifference } from '../helpers/image.ts';
import { memoryDisk, patternBytes, patternDisk } from '../helpers/pattern.ts';

const KiB = 2 ** 10;
const TiB = 2 ** 40;

const kinds = async (disk: Disk, offset = 0, length = disk.size): Promise<[Extent['kind'], number, number][]> => {
	const found: [Extent['kind'], number, number][] = [];
	for await (const extent of disk.extents(offset, length)) {
		const last = found.at(-1);
		if (last?.[0] === extent.kind) last[2] += extent.length;
		else found.push([extent.kind, extent.offset, extent.length]);
	}
	return found;
};

test('blocks that are equal are absent, those that became zeros are zero, and the rest are whole blocks of data', async () => {
	const size = 32 * KiB;
	const base = patternDisk({ size, data: [[0, 20 * KiB]] });
	const bytes = patternBytes(0, size)
		.fill(0, 8 * KiB, 16 * KiB)
		.fill(0, 20 * KiB);
	bytes[24 * KiB + 1] = 1;
	expect(await kinds(difference(memoryDisk(bytes), base, pakoCodec, 4 * KiB))).toEqual([
		['absent', 0, 8 * KiB],
		['zero', 8 * KiB, 8 * KiB],
		['absent', 16 * KiB, 8 * KiB],
		['data', 24 * KiB, 4 * KiB],
		['absent', 28 * KiB, 4 * KiB],
	]);
});

test('behind the end of a smaller base everything that is not zeros is said', async () => {
	const disk = patternDisk({
		size: 12 * KiB,
		data: [
			[0, 2 * KiB],
			[8 * KiB, KiB],
		],
	});
	const base = patternDisk({ size: KiB, data: [[0, KiB]] });
	expect(await kinds(difference(disk, base, pakoCodec, 4 * KiB))).toEqual([
		['computed', 0, 2 * KiB],
		['zero', 2 * KiB, 2 * KiB],
		['absent', 4 * KiB, 4 * KiB],
		['computed', 8 * KiB, KiB],
		['zero', 9 * KiB, 3 * KiB],
	]);
});

test('a size that is rounded up is zeros at its end, whatever a larger base has there', async () => {
	const base = patternDisk({ size: 16 * KiB, data: [[0, 16 * KiB]] });
	const disk = patternDisk({ size: 5000, data: [[0, 5000]] });
	expect(await kinds(difference(disk, base, pakoCodec, 4 * KiB, 5120))).toEqual([
		['absent', 0, 4 * KiB],
		['computed', 4 * KiB, 5000 - 4 * KiB],
		['zero', 5000, 120],
	]);
	expect(await kinds(difference(disk, base, pakoCodec, 4 * KiB, 12 * KiB))).toEqual([
		['absent', 0, 4 * KiB],
		['computed', 4 * KiB, 5000 - 4 * KiB],
		['zero', 5000, 12 * KiB - 5000],
	]);
});

test('what is at the same place, or zeros in both maps, is never read', async () => {
	const unread = {
		...memorySource(new Uint8Array(8)),
		read: async () => {
			throw new Error('it was read');
		},
	};
	const disk = (): Disk => ({
		...patternDisk({ size: 2 * TiB, data: [] }),
		async *extents(guestOffset, length) {
			const middle = Math.min(Math.max(guestOffset, TiB), guestOffset + length);
			if (middle > guestOffset)
				yield { kind: 'data', offset: guestOffset, length: middle - guestOffset, source: unread, at: 512 + guestOffset };
			if (middle < guestOffset + length) yield { kind: 'zero', offset: middle, length: guestOffset + length - middle };
		},
	});
	expect(await kinds(difference(disk(), disk(), pakoCodec, 64 * KiB))).toEqual([['absent', 0, 2 * TiB]]);
});

test('any part of the map is a part of the whole, and over the base it reads as the disk', async () => {
	const bytes = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 24 });
	const fill = (kinds: number[], mark: number) => {
		const out = new Uint8Array(kinds.length * 256);
		for (const [i, kind] of kinds.entries())
			if (kind > 0) out.fill(kind === 1 ? 1 : kind * mark, i * 256, i * 256 + (kind === 3 ? 7 : 256));
		return out;
	};
	await fc.assert(
		fc.asyncProperty(bytes, bytes, fc.nat(6000), fc.nat(6000), async (mine, theirs, from, count) => {
			const disk = memoryDisk(fill(mine, 1));
			const base = memoryDisk(fill(theirs, 5));
			const delta = difference(disk, base, pakoCodec, 512);
			expect(await firstDifference(disk, overlay(delta, base))).toBeUndefined();

			const offset = Math.min(from, disk.size - 1);
			const length = Math.min(count + 1, disk.size - offset);
			const whole = (await kinds(delta)).filter(([, at, size]) => at < offset + length && at + size > offset);
			const clipped = whole.map(([kind, at, size]) => {
				const start = Math.max(at, offset);
				return [kind, start, Math.min(at + size, offset + length) - start];
			});
			expect(await kinds(delta, offset, length)).toEqual(clipped);
		}),
	);
});
