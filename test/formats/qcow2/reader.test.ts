import { deflateRaw } from 'pako';
import { describe, expect, test } from 'vitest';
import { qcow2 } from '../../../formats/qcow2/index.ts';
import { AUTOCLEAR, EXTENSION, INCOMPATIBLE } from '../../../formats/qcow2/layout.ts';
import type { Extent } from '../../../src/core/disk.ts';
import type { Note } from '../../../src/core/note.ts';
import type { Source } from '../../../src/core/source.ts';
import { readDisk } from '../../../src/disk/read.ts';
import { pakoCodec } from '../../../src/engine/pako.ts';
import { CorruptError, UnrecognizedError, UsageError } from '../../../src/errors.ts';
import { memorySource } from '../../../src/io/memory.ts';
import { openImage } from '../../helpers/image.ts';
import { alone } from '../../helpers/mutate.ts';
import { type Build, build, C, COPIED, DATA, data, L1, L2, mapOf, open, PACKED, packed, snapshot, text, ZERO } from './build.ts';

describe('what an L2 entry says is what the guest reads', () => {
	test('data, zeros, nothing, and compressed clusters', async () => {
		const entries = [data(0), data(1), data(3), ZERO, data(2) | ZERO, 0n, 0n, packed(DATA + 2 * C + 100, 1), data(2)];
		expect(await mapOf({ entries, clusters: [1, 2, 3, 4] })).toEqual([
			['data', 2, DATA],
			['data', 1, DATA + 3 * C],
			['zero', 1],
			['zero', 1, DATA + 2 * C],
			['absent', 2],
			['packed', 1, DATA + 2 * C + 100],
			['data', 1, DATA + 2 * C],
		]);
	});

	test('a compressed cluster may end with the file, in the middle of its last sector', async () => {
		const stream = deflateRaw(new Uint8Array(C).fill(7), { windowBits: 12 });
		const bytes = build({ entries: [packed(DATA + 3, 0)], length: DATA + 3 + stream.length });
		bytes.set(stream, DATA + 3);
		expect(await readDisk(await open(bytes), pakoCodec, 100, 8)).toEqual(new Uint8Array(8).fill(7));
	});

	test('with subclusters, each has a status of its own', async () => {
		const bitmap = (0b1000n << 32n) | 0b0011n;
		const entries = [data(0), bitmap, data(1), 0xffff_ffffn, 0n, 0xffff_ffffn << 32n, 0n, 0n];
		expect(await mapOf({ extended: true, entries, clusters: [1, 2] })).toEqual([
			['data', 2 / 32, DATA],
			['absent', 1 / 32],
			['zero', 1 / 32, DATA + (3 * C) / 32],
			['absent', 28 / 32],
			['data', 1, DATA + C],
			['zero', 1],
			['absent', 1],
		]);
	});

	test.for<[string, Build, RegExp]>([
		['a zero flag in version 2', { version: 2, entries: [ZERO] }, /zero flag/],
		['a reserved bit', { entries: [data(0) | 2n], clusters: [1] }, /reserved bits/],
		['a cluster between clusters', { entries: [data(0) + 512n], clusters: [1] }, /multiple of the cluster size/],
		['a cluster past the end', { entries: [data(1)], clusters: [1] }, /beyond the end of the file/],
		['a compressed cluster past the end', { entries: [packed(DATA + C, 0)], clusters: [1] }, /beyond the end of the file/],
		['a cluster in the L1 table', { entries: [COPIED | BigInt(L1)] }, /inside the L1 table/],
		['a compressed cluster in the header', { entries: [PACKED | 100n] }, /inside the header/],
		['a zero flag with subclusters', { extended: true, entries: [data(0) | ZERO, 0n], clusters: [1] }, /reserved bits/],
		['a subcluster both stored and zero', { extended: true, entries: [data(0), 1n | (1n << 32n)], clusters: [1] }, /both stored and zero/],
		['a subcluster stored nowhere', { extended: true, entries: [0n, 1n] }, /stored nowhere/],
		['a compressed cluster with subclusters', { extended: true, entries: [packed(DATA, 0), 1n], clusters: [1] }, /subclusters/],
	])('%s is refused', async ([, image, message]) => {
		const failure = mapOf(image);
		await expect(failure).rejects.toThrow(message);
		await expect(failure).rejects.toBeInstanceOf(CorruptError);
	});

	test('the last cluster of a file may be cut short behind what the guest needs, and not before', async () => {
		const image = { entries: [data(0)], clusters: [9], size: 512 };
		expect(await readDisk(await open({ ...image, length: DATA + 512 }), pakoCodec, 0, 512)).toEqual(new Uint8Array(512).fill(9));
		await expect(mapOf({ ...image, length: DATA + 511 })).rejects.toThrow(/beyond the end/);
	});
});

describe('internal snapshots', () => {
	const table = [snapshot({ id: '1', name: '2', l1TableOffset: DATA, size: C }), snapshot({ id: '2', name: 'two', size: 2 * C })];
	const image = () => {
		const bytes = build({
			entries: [data(0), data(0)],
			clusters: [0, 0, 0, 8],
			change: { snapshotCount: 2, snapshotsOffset: DATA + 2 * C },
		});
		const view = new DataView(bytes.buffer);
		view.setBigUint64(DATA, BigInt(DATA + C));
		view.setBigUint64(DATA + C, BigInt(DATA + 3 * C));
		bytes.set(table[0] as Uint8Array, DATA + 2 * C);
		bytes.set(table[1] as Uint8Array, DATA + 2 * C + (table[0] as Uint8Array).length);
		return bytes;
	};

	test('are told, and left out of the copy with a note', async () => {
		const notes: Note[] = [];
		const { info } = await open(image(), { note: (note) => notes.push(note) });
		expect(info.snapshots?.map(({ id, name, vmClockNanoseconds, icount }) => [id, name, vmClockNanoseconds, icount])).toEqual([
			['1', '2', 7n, undefined],
			['2', 'two', 7n, undefined],
		]);
		expect(notes).toMatchObject([{ kind: 'dropped', what: 'internal snapshots: 2, two' }]);
	});

	test.for([
		['1', C],
		['2', 2 * C],
		['two', 2 * C],
		['snapshot.id=2', 2 * C],
		['snapshot.name=2', C],
		['snapshot.id=1,snapshot.name=2', C],
	] as const)('%s shows the disk of that time, of its size then', async ([wanted, size]) => {
		const disk = await open(image(), { snapshot: wanted });
		expect(disk.size).toBe(size);
		expect(disk.info.snapshot).toBeDefined();
		expect(await mapOf(image(), { snapshot: wanted })).toEqual(
			size === C
				? [['data', 1, DATA + 3 * C]]
				: [
						['data', 1, DATA],
						['data', 1, DATA],
					],
		);
	});

	test('one that is not there is refused, with those that are', async () => {
		const failure = open(image(), { snapshot: 'three' });
		await expect(failure).rejects.toBeInstanceOf(UsageError);
		await expect(failure).rejects.toMatchObject({ hint: 'one of 1 (2), 2 (two)' });
	});
});

describe('an external data file', () => {
	const image = {
		entries: [COPIED, COPIED | BigInt(C), ZERO],
		change3: { incompatibleFeatures: INCOMPATIBLE.dataFile, autoclearFeatures: AUTOCLEAR.dataFileRaw },
		extensions: [[EXTENSION.dataFile, text('disk.raw')]],
	} as const;

	test('is named by info and opened only for its data', async () => {
		const followed: string[] = [];
		const follow = async (name: string) => {
			followed.push(name);
			return memorySource(new Uint8Array(2 * C).fill(3), name);
		};
		const disk = await open(image, { follow });
		expect(disk.info.specific?.data).toMatchObject({ 'data-file': 'disk.raw', 'data-file-raw': true });
		expect(followed).toEqual([]);
		expect(await readDisk(disk, pakoCodec, 2 * C - 1, 2)).toEqual(Uint8Array.of(3, 0));
		expect(await mapOf(image, { follow })).toEqual([
			['data', 2, 0],
			['zero', 1],
		]);
		expect(followed).toEqual(['disk.raw', 'disk.raw']);
	});

	test('holds no compressed clusters, and has a name', async () => {
		const follow = async () => memorySource(new Uint8Array(2 * C));
		await expect(mapOf({ ...image, entries: [packed(0, 0)] }, { follow })).rejects.toThrow(/compressed cluster/);
		await expect(mapOf({ ...image, extensions: [] }, { follow })).rejects.toThrow(/does not name/);
	});
});

describe('a backing file', () => {
	const child = (format?: string, name = 'base.raw') =>
		build({
			entries: [0n, data(0)],
			clusters: [2],
			backing: name,
			...(format && { extensions: [[EXTENSION.backingFormat, text(format)]] as const }),
		});
	const files = (image: Uint8Array, name: string, base: Uint8Array) =>
		new Map(
			Object.entries({ 'disk.qcow2': image, [name]: base }).map(([file, bytes]) => [file, { source: () => memorySource(bytes, file) }]),
		);
	const raw = new Uint8Array(2 * C).fill(1);
	const header = build({ entries: [data(0)], clusters: [7] });

	test('shows where the image has nothing', async () => {
		const disk = await openImage(files(child('raw'), 'base.raw', raw), 'disk.qcow2');
		expect(await readDisk(disk, pakoCodec, C - 1, 2)).toEqual(Uint8Array.of(1, 2));
	});

	test('is of the format that the image says, whatever its bytes look like', async () => {
		const disk = await openImage(files(child('raw'), 'base.raw', header), 'disk.qcow2');
		expect(await readDisk(disk, pakoCodec, 0, 4)).toEqual(
			text('QFI\xfb')
				.map((_, i) => header[i] as number)
				.subarray(0, 4),
		);
		await expect(openImage(files(child('luks'), 'base.raw', raw), 'disk.qcow2')).rejects.toThrow(/the format 'luks'/);
	});

	test('without a format, it must look as its extension says', async () => {
		const named = (name: string, base: Uint8Array) => openImage(files(child(undefined, name), name, base), 'disk.qcow2');
		expect(await readDisk(await named('base.qcow2', header), pakoCodec, 0, 1)).toEqual(Uint8Array.of(7));
		expect(await readDisk(await named('base.raw', raw), pakoCodec, 0, 1)).toEqual(Uint8Array.of(1));
		await expect(named('base.raw', header)).rejects.toBeInstanceOf(UnrecognizedError);
		await expect(named('base', header)).rejects.toThrow(/does not say what its backing file is/);
		await expect(named('base', raw)).rejects.toBeInstanceOf(UnrecognizedError);
	});
});

test('a terabyte with one L2 table is mapped with a handful of reads', async () => {
	const tables = 2 ** 40 / ((C / 8) * C);
	const image = memorySource(build({ entries: [data(0)], clusters: [1], change: { l1TableOffset: 6 * C, l1Size: tables, size: 2 ** 40 } }));
	let reads = 0;
	const l1 = new Uint8Array(tables * 8);
	new DataView(l1.buffer).setBigUint64((tables - 1) * 8, BigInt(L2));
	const source: Source = {
		...image,
		size: 6 * C + l1.length,
		async read(offset, length) {
			reads++;
			const whole = new Uint8Array(length);
			const head = offset < image.size ? await image.read(offset, Math.min(length, image.size - offset)) : new Uint8Array();
			whole.set(head);
			const from = Math.max(offset, 6 * C);
			if (from < offset + length) whole.set(l1.subarray(from - 6 * C, offset + length - 6 * C), from - offset);
			return whole;
		},
	};
	const disk = await qcow2.open(source, alone);
	const extents: Extent[] = [];
	for await (const extent of disk.extents(0, disk.size)) extents.push(extent);
	const span = (C / 8) * C;
	expect(extents.map(({ kind, length }) => [kind, length])).toEqual([
		['absent', 2 ** 40 - span],
		['data', C],
		['absent', span - C],
	]);
	expect(reads).toBeLessThan(12);
});
