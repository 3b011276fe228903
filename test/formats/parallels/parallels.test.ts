import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parallels } from '../../../formats/parallels/index.ts';
import { type Header, header, IN_USE, MAGIC } from '../../../formats/parallels/layout.ts';
import type { Note } from '../../../src/core/note.ts';
import { CorruptError, UnsupportedError } from '../../../src/errors.ts';
import { memorySource } from '../../../src/io/memory.ts';
import { firstDifference, openImage } from '../../helpers/image.ts';
import { alone, survives } from '../../helpers/mutate.ts';
import { patternDisk } from '../../helpers/pattern.ts';
import { clustersOf, parallelsBytes } from './images.ts';

const open = (bytes: Uint8Array, notes: Note[] = []) =>
	parallels.open(memorySource(bytes, 'disk.hdd'), { ...alone, note: (note) => notes.push(note) });

const walk = async (bytes: Uint8Array): Promise<string[]> => {
	const disk = await open(bytes);
	const found: string[] = [];
	for await (const extent of disk.extents(0, disk.size)) found.push(extent.kind);
	return found;
};

const withField = (bytes: Uint8Array, field: keyof Header, value: number): Uint8Array => {
	const copy = bytes.slice();
	new DataView(copy.buffer).setUint32(header.offsets[field], value, true);
	return copy;
};

const some = [true, false, false, true, true, false];

test.for([
	[MAGIC.sectors, 63],
	[MAGIC.sectors, 8],
	[MAGIC.clusters, 8],
	[MAGIC.clusters, 2048],
] as const)('any mix of clusters is read as it is, in %s with %i sectors each', async ([magic, tracks]) => {
	await fc.assert(
		fc.asyncProperty(fc.array(fc.boolean(), { maxLength: tracks > 1000 ? 6 : 40 }), async (clusters) => {
			const bytes = parallelsBytes(clusters, { magic, tracks });
			const files = new Map([['a.hdd', { source: () => memorySource(bytes, 'a.hdd') }]]);
			expect(await firstDifference(await openImage(files, 'a.hdd'), patternDisk(clustersOf(clusters, tracks)))).toBeUndefined();
			expect((await parallels.check?.(memorySource(bytes), alone))?.findings).toEqual([]);
		}),
		{ numRuns: 20 },
	);
});

test('an image that was not closed is read, and the user told', async () => {
	const notes: Note[] = [];
	const disk = await open(parallelsBytes(some, { inUse: IN_USE }), notes);
	expect(disk.info.dirty).toBe(true);
	expect(notes).toMatchObject([{ kind: 'assumed' }]);
});

test('a format extension is left out, and the user told', async () => {
	const notes: Note[] = [];
	await open(parallelsBytes(some, { extensionOffset: 8n }), notes);
	expect(notes).toMatchObject([{ kind: 'dropped', what: 'the format extension' }]);
});

test('an old image has anything where newer ones say more', async () => {
	const bytes = parallelsBytes(some, { magic: MAGIC.sectors, sectorsHigh: 77, extensionOffset: 0xffff_ffff_ffff_ffffn });
	expect((await open(bytes)).size).toBe(6 * 8 * 512);
});

describe('a damaged Parallels image is refused with the place', () => {
	const good = parallelsBytes(some);
	test.for([
		['version', 3, UnsupportedError],
		['tracks', 0, CorruptError],
		['batEntries', 5, CorruptError],
		['batEntries', 0xffff_ffff, CorruptError],
		['dataOffset', 0, CorruptError],
		['extensionOffset', 0xffff_ffff, CorruptError],
	] as const)('%s = %i', async ([field, value, kind]) => {
		const opening = open(withField(good, field, value));
		await expect(opening).rejects.toThrow(kind);
		await expect(opening).rejects.toMatchObject({ path: 'disk.hdd', field, offset: header.offsets[field] });
	});

	test('a size over 64 TiB', async () => {
		await expect(open(withField(good, 'sectorsHigh', 0xffff))).rejects.toMatchObject({ code: 'UNSUPPORTED', field: 'sectors' });
	});

	test('data that starts inside the BAT', async () => {
		await expect(open(parallelsBytes(Array(200).fill(true), { dataOffset: 1, tracks: 1 }))).rejects.toMatchObject({ field: 'dataOffset' });
	});

	test('an entry past the end, where it is used', async () => {
		const bytes = good.slice();
		new DataView(bytes.buffer).setUint32(header.size, 0x7fff_ffff, true);
		await expect(walk(bytes)).rejects.toMatchObject({ code: 'CORRUPT', offset: header.size, field: 'BAT entry' });
	});

	test('a cluster in an image that says it is empty', async () => {
		await expect(walk(parallelsBytes(some, { flags: 1 }))).rejects.toThrow(/empty/);
		await expect(walk(parallelsBytes([false, false], { flags: 1 }))).resolves.toEqual(['absent']);
	});

	test.for([MAGIC.sectors, MAGIC.clusters])('whatever was flipped, enlarged or cut in %s', async (magic) => {
		await survives(parallels, parallelsBytes(some, { magic }), [[0, header.size + some.length * 4]]);
	});
});

test('check finds what lies outside, off the grid, shared or unused', async () => {
	const bytes = parallelsBytes([true, true, true, true], { magic: MAGIC.sectors });
	const view = new DataView(bytes.buffer);
	const first = view.getUint32(header.size, true);
	view.setUint32(header.size + 4, first, true);
	view.setUint32(header.size + 8, first + 1, true);
	view.setUint32(header.size + 12, 0x1000_0000, true);
	const report = await parallels.check?.(memorySource(bytes), alone);
	expect(report?.findings.map(({ code, count }) => `${code} ${count ?? 1}`)).toEqual([
		'cluster-shared 1',
		'cluster-off-grid 1',
		'cluster-misplaced 1',
		'cluster-unused 3',
	]);
});
