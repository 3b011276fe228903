import { expect, test } from 'vitest';
import { type BlockRun, blockExtents } from '../../src/disk/blocks.ts';
import { memorySource } from '../../src/io/memory.ts';

test('runs of a table become the extents of a range, its ends cut', async () => {
	const source = memorySource(new Uint8Array(0));
	const asked: [number, number][] = [];
	const look = async (first: number, count: number): Promise<readonly BlockRun[]> => {
		asked.push([first, count]);
		if (first === 1) {
			return [
				{ blocks: 1, status: { kind: 'data', source, at: 700 } },
				{ blocks: 2, status: { kind: 'absent' } },
			];
		}
		return [{ blocks: count, status: { kind: 'packed', source, at: 9, stored: 5, method: 'deflate', unpacked: 63, skip: 0 } }];
	};
	const found: unknown[] = [];
	for await (const extent of blockExtents(63, 100, 200, look)) found.push(extent);
	expect(found).toMatchObject([
		{ kind: 'data', offset: 100, length: 26, at: 737 },
		{ kind: 'absent', offset: 126, length: 126 },
		{ kind: 'packed', offset: 252, length: 48, skip: 0 },
	]);
	expect(asked).toEqual([
		[1, 4],
		[4, 1],
	]);
});
