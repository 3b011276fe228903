import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { qed } from '../../../formats/qed/index.ts';
import { FEATURES, type Header, header, MAGIC } from '../../../formats/qed/layout.ts';
import type { Note } from '../../../src/core/note.ts';
import { CorruptError, UnsupportedError } from '../../../src/errors.ts';
import { memorySource } from '../../../src/io/memory.ts';
import { firstDifference, openImage } from '../../helpers/image.ts';
import { alone, survives } from '../../helpers/mutate.ts';
import { patternBytes, patternDisk } from '../../helpers/pattern.ts';

const C = 4096;

/** What each cluster of the disk is: pattern bytes, zeros, or nothing. Images here have tables of one cluster, so one L2 table. */
type Cluster = 'data' | 'zero' | 'absent';

/** Header, L1, L2, then a backing file's name at the end of the header and the clusters of data. */
const qedBytes = (clusters: readonly Cluster[], changes: Partial<Header> = {}, name = ''): Uint8Array => {
	const stored = clusters.filter((cluster) => cluster === 'data').length;
	const bytes = new Uint8Array((3 + stored) * C);
	const view = new DataView(bytes.buffer);
	bytes.set(
		header.encode({
			magic: MAGIC,
			clusterSize: C,
			tableSize: 1,
			headerSize: 1,
			features: name ? FEATURES.backingFile : 0n,
			compatFeatures: 0n,
			autoclearFeatures: 0n,
			l1TableOffset: C,
			imageSize: clusters.length * C,
			backingFilenameOffset: name ? header.size : 0,
			backingFilenameSize: name.length,
			...changes,
		}),
	);
	bytes.set(new TextEncoder().encode(name), header.size);
	view.setUint32(C, 2 * C, true);
	let next = 3 * C;
	for (const [i, cluster] of clusters.entries()) {
		if (cluster === 'zero') view.setUint32(2 * C + i * 8, 1, true);
		if (cluster !== 'data') continue;
		view.setUint32(2 * C + i * 8, next, true);
		bytes.set(patternBytes(i * C, C), next);
		next += C;
	}
	return bytes;
};

const files = (images: Readonly<Record<string, Uint8Array>>) =>
	new Map(Object.entries(images).map(([name, bytes]) => [name, { source: () => memorySource(bytes, name) }]));

const open = (bytes: Uint8Array) => qed.open(memorySource(bytes, 'disk.qed'), alone);

const walk = async (bytes: Uint8Array): Promise<string[]> => {
	const disk = await open(bytes);
	const found: string[] = [];
	for await (const extent of disk.extents(0, disk.size)) found.push(`${extent.kind} ${extent.offset / C}+${extent.length / C}`);
	return found;
};

const some: readonly Cluster[] = ['data', 'absent', 'absent', 'zero', 'data', 'zero', 'zero', 'absent'];

test('any mix of clusters is read as it is', async () => {
	await fc.assert(
		fc.asyncProperty(fc.array(fc.constantFrom<Cluster>('data', 'zero', 'absent'), { maxLength: 100 }), async (clusters) => {
			const data = clusters.flatMap((cluster, i) => (cluster === 'data' ? [[i * C, C] as const] : []));
			const disk = await openImage(files({ 'a.qed': qedBytes(clusters) }), 'a.qed');
			expect(await firstDifference(disk, patternDisk({ size: clusters.length * C, data }))).toBeUndefined();
		}),
		{ numRuns: 50 },
	);
});

test('runs without data are one extent each', async () => {
	expect(await walk(qedBytes(some))).toEqual(['data 0+1', 'absent 1+2', 'zero 3+1', 'data 4+1', 'zero 5+2', 'absent 7+1']);
});

describe('a backing file', () => {
	test('shows through absent clusters, and not through zeros', async () => {
		const disk = await openImage(
			files({ 'top.qed': qedBytes(some, {}, 'base.qed'), 'base.qed': qedBytes(Array(8).fill('data')) }),
			'top.qed',
		);
		const expected = patternDisk({
			size: 8 * C,
			data: [
				[0, 3 * C],
				[4 * C, C],
				[7 * C, C],
			],
		});
		expect(await firstDifference(disk, expected)).toBeUndefined();
	});

	test('is raw where the image says that it must not be probed', async () => {
		const features = FEATURES.backingFile | FEATURES.backingFormatNoProbe;
		const disk = await open(qedBytes(some, { features }, 'base'));
		expect(disk.parent).toEqual({ names: ['base'], format: 'raw', ids: [] });
	});
});

test('an image that was not closed is read, and the user told', async () => {
	const notes: Note[] = [];
	const source = memorySource(qedBytes(some, { features: FEATURES.needCheck }));
	const disk = await qed.open(source, { ...alone, note: (note) => notes.push(note) });
	expect(disk.info.dirty).toBe(true);
	expect(notes).toMatchObject([{ kind: 'assumed' }]);
});

describe('a damaged QED is refused with the place', () => {
	test.for([
		['magic', 1, CorruptError],
		['features', 8n, UnsupportedError],
		['clusterSize', 0, CorruptError],
		['clusterSize', 2 ** 27, CorruptError],
		['clusterSize', 5000, CorruptError],
		['tableSize', 3, CorruptError],
		['tableSize', 32, CorruptError],
		['headerSize', 0, CorruptError],
		['headerSize', 0xffff_ffff, CorruptError],
		['imageSize', 1000, CorruptError],
		['imageSize', 2 ** 45, CorruptError],
		['l1TableOffset', 0, CorruptError],
		['l1TableOffset', C + 8, CorruptError],
		['l1TableOffset', 2 ** 52, CorruptError],
		['backingFilenameSize', 0, CorruptError],
		['backingFilenameOffset', C, CorruptError],
	] as const)('%s = %s', async ([field, value, kind]) => {
		const opening = open(qedBytes(some, { [field]: value }, 'base.qed'));
		await expect(opening).rejects.toThrow(kind);
	});

	test.for([
		[C, 1, 'L1 entry'],
		[C, 100 * C, 'L1 entry'],
		[2 * C, C - 1, 'L2 entry'],
		[2 * C, 0, undefined],
		[2 * C + 32, 1000 * C, 'L2 entry'],
	] as const)('the entry at %i set to %i', async ([at, value, field]) => {
		const bytes = qedBytes(some);
		new DataView(bytes.buffer).setUint32(at, value, true);
		if (field) await expect(walk(bytes)).rejects.toMatchObject({ code: 'CORRUPT', offset: at, field });
		else await expect(walk(bytes)).resolves.toHaveLength(5);
	});

	test('whatever was flipped, enlarged or cut', async () => {
		await survives(qed, qedBytes(some, {}, 'base.qed'), [
			[0, header.size + 8],
			[C, C + 16],
			[2 * C, 2 * C + 64],
		]);
	});
});

test('check finds what lies outside, is shared, or is in no table', async () => {
	const bytes = qedBytes(some);
	const view = new DataView(bytes.buffer);
	expect((await qed.check?.(memorySource(bytes), alone))?.findings).toEqual([]);
	view.setUint32(2 * C + 32, 2 * C, true);
	view.setUint32(2 * C + 8, 1000 * C, true);
	view.setUint32(C + 8, 2 * C, true);
	const report = await qed.check?.(memorySource(bytes), alone);
	expect(report?.findings.map(({ code, message, count }) => `${code} ${message.split(' ').slice(0, 2).join(' ')} ${count ?? 1}`)).toEqual([
		'entry-misplaced cluster 1 1',
		'cluster-shared cluster 4 1',
		'cluster-shared L2 table 1',
		'cluster-unused 1 clusters 1',
	]);
});
