import fc from 'fast-check';
import { expect, test } from 'vitest';
import { vhd } from '../../../formats/vhd/index.ts';
import type { Disk, Extent } from '../../../src/core/disk.ts';
import { overlay } from '../../../src/disk/overlay.ts';
import { firstDifference, openImage, writeImage } from '../../helpers/image.ts';
import { patternBytes, patternDisk, type Runs } from '../../helpers/pattern.ts';
import { vhdBytes } from './helpers.ts';

const MiB = 2 ** 20;
const GiB = 2 ** 30;

const OPTIONS = [
	{ subformat: 'dynamic' },
	{ subformat: 'dynamic', block_size: '512k' },
	{ subformat: 'dynamic', block_size: '4M' },
	{ subformat: 'fixed' },
];

/** Sectors at which a disk changes between two kinds of extent, ascending. */
const edges = fc.record({ sectors: fc.integer({ min: 1, max: 12_000 }), edges: fc.uniqueArray(fc.nat(12_000), { maxLength: 14 }) });

const layouts = edges.map(({ sectors, edges }) => {
	const within = edges.filter((edge) => edge < sectors).sort((a, b) => a - b);
	const data: [number, number][] = [];
	for (let i = 0; i + 1 < within.length; i += 2) {
		const [start, end] = [within[i] as number, within[i + 1] as number];
		data.push([start * 512, (end - start) * 512]);
	}
	return { size: sectors * 512, data };
});

test.each(OPTIONS)('any disk keeps every byte with %o', async (options) => {
	await fc.assert(
		fc.asyncProperty(layouts, async (layout) => {
			const disk = patternDisk(layout);
			const files = await writeImage(vhd, disk, { options });
			expect(await firstDifference(disk, await openImage(files, 'disk.vhd'))).toBeUndefined();
		}),
		{ numRuns: 12 },
	);
});

/** A delta whose extents are data, zeros and absent by turns. */
const deltaOf = (size: number, turns: readonly number[]): Disk => {
	const kinds = ['absent', 'data', 'zero'] as const;
	const all: Extent[] = turns.map((start, i) => {
		const extent = { offset: start * 512, length: ((turns[i + 1] ?? size / 512) - start) * 512 };
		const kind = kinds[i % 3] ?? 'absent';
		// Unlike its parent's: every byte is turned over.
		const read = async (offset: number, length: number) => patternBytes(offset, length).map((byte) => byte ^ 0xff);
		return kind === 'data' ? { ...extent, kind: 'computed', read } : { ...extent, kind };
	});
	return {
		size,
		sectorSize: 512,
		info: { format: 'pattern' },
		async *extents(guestOffset, length) {
			for (const extent of all) {
				const offset = Math.max(guestOffset, extent.offset);
				const end = Math.min(guestOffset + length, extent.offset + extent.length);
				if (offset < end) yield { ...extent, offset, length: end - offset };
			}
		},
		async close() {},
	};
};

test.each(['512k', '2M'])('any delta over a parent keeps every byte in blocks of %s', async (block_size) => {
	await fc.assert(
		fc.asyncProperty(edges, async ({ sectors, edges }) => {
			const size = sectors * 512;
			const turns = [0, ...edges.filter((edge) => edge > 0 && edge < sectors).sort((a, b) => a - b)];
			const base = patternDisk({ size, data: [[0, size]] });
			const delta = deltaOf(size, turns);
			const parent = await writeImage(vhd, base, { name: 'base.vhd' });
			const { id } = await openImage(parent, 'base.vhd');
			const child = await writeImage(vhd, delta, {
				name: 'child.vhd',
				options: { block_size },
				backing: { name: 'base.vhd', format: 'vhd', size, id },
			});
			const files = new Map([...child, ['.\\base.vhd', parent.get('base.vhd')]].filter(([, sink]) => sink) as [string, never][]);
			expect(await firstDifference(overlay(delta, base), await openImage(files, 'child.vhd'))).toBeUndefined();
		}),
		{ numRuns: 12 },
	);
});

test.each(OPTIONS)('the same disk gives the same bytes with %o', async (options) => {
	const disk = patternDisk({ size: 3 * MiB, data: [[MiB, MiB]] });
	expect(Buffer.compare(await vhdBytes(disk, { options }), await vhdBytes(disk, { options }))).toBe(0);
});

test('the largest disk is laid out, and is mapped, in no time and memory', async () => {
	const size = 2040 * GiB;
	const data: Runs = [
		[0, 512],
		[1000 * GiB, 4096],
		[size - 512, 512],
	];
	const disk = patternDisk({ size, data });
	const image = await openImage(await writeImage(vhd, disk), 'disk.vhd');
	const found: [number, number][] = [];
	for await (const extent of image.extents(0, size)) if (extent.kind === 'data') found.push([extent.offset, extent.length]);
	expect(found).toEqual([
		[0, 2 * MiB],
		[1000 * GiB, 2 * MiB],
		[size - 2 * MiB, 2 * MiB],
	]);
});
