import { expect, test } from 'vitest';
import { checkQcow2 } from '../../../formats/qcow2/check.ts';
import { INCOMPATIBLE } from '../../../formats/qcow2/layout.ts';
import type { CheckReport } from '../../../src/core/format.ts';
import { UnsupportedError } from '../../../src/errors.ts';
import { memorySource } from '../../../src/io/memory.ts';
import { effort } from '../../helpers/effort.ts';
import { alone } from '../../helpers/mutate.ts';
import { type Build, bitmaps, build, C, COPIED, DATA, data, L1, L2, PACKED, packed, snapshot } from './build.ts';

const check = (bytes: Uint8Array): Promise<CheckReport> => checkQcow2(memorySource(bytes, 'disk.qcow2'), alone);

/** An image, and a change of its bytes. */
const damaged = (image: Build, change: (view: DataView) => void): Uint8Array => {
	const bytes = build(image);
	change(new DataView(bytes.buffer));
	return bytes;
};

/** The place of a cluster's refcount. */
const refcount = (cluster: number): number => 2 * C + cluster * 2;

const sound: Build = { entries: [data(0), data(1), 0n, data(2)], clusters: [1, 2, 3] };

test('a sound image has no findings, and its figures are told', async () => {
	expect(await check(build(sound))).toMatchObject({
		more: 0,
		findings: [],
		imageEnd: DATA + 3 * C,
		blocks: { total: 4, allocated: 3, fragmented: 0, compressed: 0 },
	});
});

test('compressed clusters may share a cluster, and count as fragmented', async () => {
	const image = damaged({ entries: [packed(DATA, 1), packed(DATA + 1024, 1)], clusters: [1] }, (view) => view.setUint16(refcount(5), 2));
	expect(await check(image)).toMatchObject({ findings: [], blocks: { total: 2, allocated: 2, fragmented: 2, compressed: 2 } });
});

test.for<[string, Build, (view: DataView) => void, readonly string[]]>([
	['a cluster that nothing uses is a leak', { ...sound, entries: [data(0), data(1)] }, () => {}, ['leak:leak:1']],
	['a refcount too large is a leak', sound, (view) => view.setUint16(refcount(1), 3), ['leak:leak:1']],
	['neighbours are one finding', { entries: [], clusters: [1, 2, 3] }, () => {}, ['leak:leak:4']],
	[
		'a refcount too small is an error, and the entry is then wrongly marked',
		sound,
		(view) => view.setUint16(refcount(6), 0),
		['error:copied-flag:1', 'error:refcount:1'],
	],
	[
		'two entries for one cluster are an error where it counts one',
		{ entries: [data(0), data(0)], clusters: [1] },
		() => {},
		['error:refcount:1'],
	],
	[
		'data in an L2 table is found, even where the refcounts agree',
		{ entries: [BigInt(L2)] },
		(view) => {
			view.setUint16(refcount(4), 2);
			view.setBigUint64(L1, BigInt(L2));
		},
		['error:overlap:1'],
	],
	['an entry that is not marked as used once', { entries: [data(0) & ~COPIED], clusters: [1] }, () => {}, ['error:copied-flag:1']],
	['a compressed cluster that is', { entries: [COPIED | PACKED | BigInt(DATA)], clusters: [1] }, () => {}, ['error:copied-flag:1']],
	['an entry that makes no sense', { entries: [data(0) | 2n, data(1)], clusters: [1, 2] }, () => {}, ['error:l2-entry:1']],
	['a cluster past the end', { entries: [data(0), data(9)], clusters: [1] }, () => {}, ['error:beyond-end:1', 'error:copied-flag:1']],
	[
		'an L2 table past the end',
		{ entries: [0n] },
		(view) => view.setBigUint64(L1, COPIED | BigInt(64 * C)),
		['error:beyond-end:1', 'error:copied-flag:1', 'leak:leak:1'],
	],
	[
		'an L2 table between clusters',
		{ entries: [0n] },
		(view) => view.setBigUint64(L1, COPIED | BigInt(L2 + 512)),
		['error:l2-unaligned:1', 'leak:leak:1'],
	],
	[
		'an L1 entry that is marked and has no table',
		{ entries: [0n] },
		(view) => view.setBigUint64(L1, COPIED),
		['error:copied-flag:1', 'leak:leak:1'],
	],
	[
		'no refcount table at all',
		{ entries: [0n], change: { refcountTableClusters: 0 } },
		() => {},
		['error:no-refcounts:1', 'error:copied-flag:1', 'error:refcount:1', 'error:refcount:2'],
	],
	[
		'a refcount block past the end',
		{ entries: [0n] },
		(view) => view.setBigUint64(C, BigInt(64 * C)),
		['error:refcount-block-beyond-end:1', 'error:copied-flag:1', 'error:refcount:2', 'error:refcount:2'],
	],
	['a dirty image is said to be one', { change3: { incompatibleFeatures: INCOMPATIBLE.dirty } }, () => {}, ['leak:leak:1', 'note:dirty:1']],
])('%s', async ([, image, change, expected]) => {
	const { findings } = await check(damaged(image, change));
	expect(findings.map(({ severity, code, count = 1 }) => `${severity}:${code}:${count}`)).toEqual(expected);
});

test.for([1, 2, 4, 8, 16, 32, 64])('refcounts of %i bits are read', async (bits) => {
	const order = Math.log2(bits);
	const image = damaged({ ...sound, change3: { refcountOrder: order } }, (view) => {
		for (let at = 0; at < 16; at++) view.setUint8(2 * C + at, 0);
		for (let cluster = 0; cluster < 8; cluster++) {
			if (bits === 64) view.setBigUint64(2 * C + cluster * 8, 1n);
			else if (bits === 32) view.setUint32(2 * C + cluster * 4, 1);
			else if (bits === 16) view.setUint16(2 * C + cluster * 2, 1);
			else {
				const bit = cluster * bits;
				view.setUint8(2 * C + (bit >> 3), view.getUint8(2 * C + (bit >> 3)) | (1 << (bit & 7)));
			}
		}
	});
	expect((await check(image)).findings).toEqual([]);
});

test('snapshots and bitmaps use what is theirs', async () => {
	const entries = [data(0) & ~COPIED];
	const { directory, extension } = bitmaps(DATA + 3 * C, ['one'], DATA + 4 * C);
	const image: Build = {
		entries,
		clusters: [1, 0, 0, 0, 0, 0],
		change: { snapshotCount: 1, snapshotsOffset: DATA + C },
		change3: { autoclearFeatures: 1n },
		extensions: [extension],
	};
	const bytes = damaged(image, (view) => {
		view.setBigUint64(DATA + 2 * C, BigInt(L2));
		view.setBigUint64(L1, BigInt(L2));
		view.setBigUint64(DATA + 4 * C, BigInt(DATA + 5 * C));
		view.setUint16(refcount(4), 2);
		view.setUint16(refcount(5), 2);
	});
	bytes.set(snapshot({ id: '1', name: 'one', l1TableOffset: DATA + 2 * C, size: C }), DATA + C);
	bytes.set(directory, DATA + 3 * C);
	expect(await check(bytes)).toMatchObject({ findings: [], imageEnd: bytes.length, blocks: { allocated: 1 } });
});

test('a table that several bitmaps name is walked once, and that is found', async () => {
	const names = Array.from({ length: 16_000 }, (_, index) => `${index}`);
	const directoryAt = DATA + 64 * C;
	const { directory, extension } = bitmaps(directoryAt, names, DATA, 64 * (C / 8));
	const image: Build = { clusters: Array.from({ length: 160 }, () => 0), change3: { autoclearFeatures: 1n }, extensions: [extension] };
	const bytes = damaged(image, () => {});
	bytes.set(directory, directoryAt);
	const spent = effort();
	const { findings, counts } = await check(bytes);
	expect(spent()).toBeLessThan(2000);
	expect(findings[0]?.message).toBe("the table of bitmap '1' is where another table is, and is passed over");
	expect(counts.error).toBe(names.length - 1);
});

test('an L2 table that many snapshots share is walked once, and its clusters count for each', async () => {
	const count = 1000;
	const l1 = (index: number): number => DATA + (1 + index) * C;
	const table = DATA + (1 + count) * C;
	const entries = Array.from({ length: C / 8 }, (_, index) => (index === 0 ? data(0) & ~COPIED : 1n));
	const image: Build = {
		entries,
		clusters: Array.from({ length: count + 8 }, () => 0),
		change: { snapshotCount: count, snapshotsOffset: table },
	};
	const bytes = damaged(image, (view) => {
		view.setBigUint64(L1, BigInt(L2));
		for (let index = 0; index < count; index++) view.setBigUint64(l1(index), BigInt(L2));
		view.setUint16(refcount(4), 1 + count);
		view.setUint16(refcount(5), count);
	});
	for (let at = table, index = 0; index < count; index++) {
		const entry = snapshot({ id: `${index}`, name: 'one', l1TableOffset: l1(index), size: C });
		bytes.set(entry, at);
		at += entry.length;
	}
	expect(await check(bytes)).toMatchObject({
		findings: [{ code: 'refcount', message: `cluster 5 has a refcount of ${count}, and ${count + 1} uses` }, { code: 'leak' }],
		blocks: { allocated: 1 },
	});
});

test('an interrupted check ends, though it waits for nothing', async () => {
	const control = new AbortController();
	setTimeout(() => control.abort(new Error('enough')));
	const source = memorySource(build(sound), 'disk.qcow2');
	await expect(checkQcow2({ ...source, size: 2 ** 38 }, { ...alone, signal: control.signal })).rejects.toThrow('enough');
});

test('of very many findings the first are told, and all are counted', async () => {
	const entries = Array.from({ length: 1500 }, () => 2n);
	const { findings, more, counts } = await check(build({ entries, clusters: [1] }));
	expect(findings.length + more).toBe(1501);
	expect(counts).toEqual({ error: 1500, leak: 1, note: 0 });
});

test('a file of more clusters than can be counted is not checked', async () => {
	const image = memorySource(build({ change: { clusterBits: 9, l1TableOffset: L1 } }));
	await expect(checkQcow2({ ...image, size: 2 ** 36 }, alone)).rejects.toBeInstanceOf(UnsupportedError);
});
