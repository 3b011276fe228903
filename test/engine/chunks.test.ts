import { expect, test } from 'vitest';
import type { Disk, Extent } from '../../src/core/disk.ts';
import type { Layout } from '../../src/core/format.ts';
import { steps } from '../../src/engine/chunks.ts';

const BLOCK = 4096;

/** A disk of one letter a block: data, zero or absent. */
const blocks = (letters: string, block = BLOCK): Disk => ({
	size: letters.length * block,
	sectorSize: 512,
	info: { format: 'blocks' },
	async *extents() {
		for (const [i, letter] of [...letters].entries()) {
			const range = { offset: i * block, length: block };
			if (letter === 'd') yield { ...range, kind: 'computed', read: async (_, length) => new Uint8Array(length).fill(1) } satisfies Extent;
			else yield { ...range, kind: letter === 'z' ? 'zero' : 'absent' };
		}
	},
	async close() {},
});

const layout: Layout = { size: 0, block: BLOCK, place: () => 0, finish: async () => {} };
const delta: Layout = { ...layout, zero: () => {} };

const cut = async (disk: Disk, into: Layout, chunk: number): Promise<string> => {
	const found: string[] = [];
	for await (const { kind, offset, length } of steps(disk, into, chunk)) found.push(`${kind} ${offset / BLOCK}+${length / BLOCK}`);
	return found.join(', ');
};

test('zeros between data are part of a chunk, and around it are not', async () => {
	expect(await cut(blocks('zzdzdzzz'), layout, 8 * BLOCK)).toBe('zero 0+2, chunk 2+3, zero 5+3');
});

test('in a delta, what is absent is never within a chunk', async () => {
	expect(await cut(blocks('daddaazd'), delta, 8 * BLOCK)).toBe('chunk 0+1, absent 1+1, chunk 2+2, absent 4+2, zero 6+1, chunk 7+1');
	expect(await cut(blocks('daddaazd'), layout, 8 * BLOCK)).toBe('chunk 0+8');
});

test('after an absent run chunks end where they would have without it', async () => {
	expect(await cut(blocks('aaaaaddddddd'), delta, 4 * BLOCK)).toBe('absent 0+5, chunk 5+3, chunk 8+4');
});

test('an absent run that ends within a block of a delta is refused, for its block could not be written', async () => {
	await expect(cut(blocks('dadd', 512), delta, 8 * BLOCK)).rejects.toThrow('within a block');
});
