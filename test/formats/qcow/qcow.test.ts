import fc from 'fast-check';
import { deflateRaw } from 'pako';
import { describe, expect, test } from 'vitest';
import { checkQcow } from '../../../formats/qcow/check.ts';
import { qcow } from '../../../formats/qcow/index.ts';
import { type Header, header, MAGIC, VERSION } from '../../../formats/qcow/layout.ts';
import { CorruptError, UnsupportedError } from '../../../src/errors.ts';
import { memorySource } from '../../../src/io/memory.ts';
import { firstDifference, openImage } from '../../helpers/image.ts';
import { alone, survives } from '../../helpers/mutate.ts';
import { patternBytes, patternDisk } from '../../helpers/pattern.ts';

const C = 4096;
const L1 = 512;
const L2 = 1024;

type Cluster = 'data' | 'packed' | 'absent';

/** Header and backing file's name, L1 at 512, one L2 table at 1024, clusters from 8192 on. */
const qcowBytes = (clusters: readonly Cluster[], changes: Partial<Header> = {}, name = ''): Uint8Array => {
	const bytes = new Uint8Array(2 * C + clusters.length * C);
	const view = new DataView(bytes.buffer);
	bytes.set(
		header.encode({
			magic: MAGIC,
			version: VERSION,
			backingFileOffset: name ? header.size : 0,
			backingFileSize: name.length,
			modified: 0,
			size: clusters.length * C,
			clusterBits: 12,
			l2Bits: 9,
			padding: 0,
			cryptMethod: 0,
			l1TableOffset: L1,
			...changes,
		}),
	);
	bytes.set(new TextEncoder().encode(name), header.size);
	view.setUint32(L1 + 4, L2);
	let next = 2 * C;
	for (const [i, cluster] of clusters.entries()) {
		const data = patternBytes(i * C, C);
		if (cluster === 'data') {
			next = Math.ceil(next / C) * C;
			view.setUint32(L2 + i * 8 + 4, next);
			bytes.set(data, next);
			next += C;
		} else if (cluster === 'packed') {
			const packed = deflateRaw(data, { windowBits: 12 });
			view.setBigUint64(L2 + i * 8, (1n << 63n) | (BigInt(packed.length) << 51n) | BigInt(next));
			bytes.set(packed, next);
			next += packed.length;
		}
	}
	return bytes;
};

const files = (images: Readonly<Record<string, Uint8Array>>) =>
	new Map(Object.entries(images).map(([name, bytes]) => [name, { source: () => memorySource(bytes, name) }]));

const open = (bytes: Uint8Array) => qcow.open(memorySource(bytes, 'disk.qcow'), alone);

const walk = async (bytes: Uint8Array): Promise<string[]> => {
	const disk = await open(bytes);
	const found: string[] = [];
	for await (const extent of disk.extents(0, disk.size)) found.push(`${extent.kind} ${extent.offset / C}+${extent.length / C}`);
	return found;
};

const some: readonly Cluster[] = ['data', 'absent', 'absent', 'packed', 'packed', 'data'];

test('any mix of clusters is read as it is', async () => {
	await fc.assert(
		fc.asyncProperty(fc.array(fc.constantFrom<Cluster>('data', 'packed', 'absent'), { minLength: 1, maxLength: 100 }), async (clusters) => {
			const data = clusters.flatMap((cluster, i) => (cluster === 'absent' ? [] : [[i * C, C] as const]));
			const disk = await openImage(files({ 'a.qcow': qcowBytes(clusters) }), 'a.qcow');
			expect(await firstDifference(disk, patternDisk({ size: clusters.length * C, data }))).toBeUndefined();
		}),
		{ numRuns: 50 },
	);
});

test('a backing file shows through absent clusters', async () => {
	const images = files({ 'top.qcow': qcowBytes(some, {}, 'base.qcow'), 'base.qcow': qcowBytes(Array(6).fill('packed')) });
	expect(await firstDifference(await openImage(images, 'top.qcow'), patternDisk({ size: 6 * C, data: [[0, 6 * C]] }))).toBeUndefined();
});

test('a QCOW2 image is not one', () => {
	const head = qcowBytes(some, { version: 2 });
	expect([qcow.probe(head, head, head.length), qcow.probe(qcowBytes(some), head, head.length)]).toEqual([false, true]);
});

describe('check', () => {
	const check = (bytes: Uint8Array) => checkQcow(memorySource(bytes, 'disk.qcow'), alone);
	/** The image, cut where its last cluster ends, with entries of its tables changed. */
	const damaged = (...entries: readonly (readonly [at: number, value: bigint])[]): Uint8Array => {
		const bytes = qcowBytes(some, {}, 'base.qcow').slice(0, 5 * C);
		for (const [at, value] of entries) new DataView(bytes.buffer).setBigUint64(at, value);
		return bytes;
	};
	const entryOf = (cluster: number): bigint => new DataView(damaged().buffer).getBigUint64(L2 + cluster * 8);

	test('a sound image has no findings', async () => {
		expect(await check(damaged())).toEqual({
			findings: [],
			more: 0,
			counts: { error: 0, leak: 0, note: 0 },
			imageEnd: 5 * C,
			blocks: { total: 6, allocated: 4, fragmented: 1, compressed: 2 },
		});
	});

	test.for([
		['a cluster past the end of the file', [L2, 2n ** 40n], 'cluster-misplaced', L2],
		['a cluster between sectors', [L2, 8193n], 'cluster-misplaced', L2],
		['a deflated cluster of no bytes', [L2 + 24, 2n ** 63n + 8192n], 'cluster-misplaced', L2 + 24],
		['a deflated cluster past the end', [L2 + 24, 2n ** 63n + (4095n << 51n) + BigInt(5 * C - 9)], 'cluster-misplaced', L2 + 24],
		['an L2 table past the end', [L1, 2n ** 40n], 'table-misplaced', L1],
		['an L2 table in the header', [L1, 8n], 'table-misplaced', L1],
	] as const)('%s is an error at its entry', async ([, [at, value], code, offset]) => {
		expect((await check(damaged([at, value]))).findings[0]).toMatchObject({ severity: 'error', code, offset });
	});

	test('a cluster upon another one, upon a table, or upon deflated bytes is an error', async () => {
		for (const [cluster, entry, at] of [
			[5, BigInt(2 * C), 2 * C],
			[5, BigInt(L2), L2],
			[4, entryOf(3), Number(entryOf(3) & 0xffffn)],
		] as const) {
			const { findings } = await check(damaged([L2 + cluster * 8, entry]));
			expect(findings).toContainEqual(expect.objectContaining({ severity: 'error', code: 'cluster-shared', offset: at }));
		}
	});

	test('a cluster in no table is a leak', async () => {
		expect((await check(damaged([L2, 0n]))).findings).toMatchObject([{ severity: 'leak', code: 'cluster-unused', count: 1 }]);
	});

	test('a small image whose L1 table names one L2 table again and again is checked soon', async () => {
		const entries = 2 ** 14;
		const bytes = new Uint8Array(L1 + (entries + 512) * 8);
		bytes.set(qcowBytes([], { size: entries * 512 * C }).subarray(0, header.size));
		const view = new DataView(bytes.buffer);
		for (let i = 0; i < entries; i++) view.setUint32(L1 + i * 8 + 4, L1 + entries * 8);
		expect((await check(bytes)).findings).toContainEqual(expect.objectContaining({ severity: 'error', code: 'cluster-shared' }));
	});
});

describe('a damaged QCOW is refused with the place', () => {
	test.for([
		['cryptMethod', 2, CorruptError],
		['clusterBits', 8, CorruptError],
		['clusterBits', 17, CorruptError],
		['l2Bits', 5, CorruptError],
		['l2Bits', 63, CorruptError],
		['size', 2 ** 47, UnsupportedError],
		['size', 2 ** 45, CorruptError],
		['l1TableOffset', 0, CorruptError],
		['l1TableOffset', 2 ** 50, CorruptError],
		['backingFileSize', 5000, CorruptError],
		['backingFileOffset', 2 ** 40, CorruptError],
	] as const)('%s = %i', async ([field, value, kind]) => {
		const opening = open(qcowBytes(some, { [field]: value }, 'base.qcow'));
		await expect(opening).rejects.toThrow(kind);
		await expect(opening).rejects.toMatchObject({ path: 'disk.qcow' });
	});

	test.for([
		[L1, 2n ** 40n, 'L1 entry'],
		[L1, 8n, 'L1 entry'],
		[L2, 8193n, 'L2 entry'],
		[L2, 2n ** 40n, 'L2 entry'],
		[L2 + 24, 2n ** 63n + 8192n, 'L2 entry'],
		[L2 + 24, 2n ** 63n + (4095n << 51n) + 2n ** 50n, 'L2 entry'],
	] as const)('the entry at %i set to %i', async ([at, value, field]) => {
		const bytes = qcowBytes(some);
		new DataView(bytes.buffer).setBigUint64(at, value);
		await expect(walk(bytes)).rejects.toMatchObject({ code: 'CORRUPT', offset: at, field });
	});

	test('whatever was flipped, enlarged or cut', async () => {
		await survives(qcow, qcowBytes(some, {}, 'base.qcow'), [
			[0, header.size + 9],
			[L1, L1 + 8],
			[L2, L2 + 48],
			[2 * C, 2 * C + C],
		]);
	});
});
