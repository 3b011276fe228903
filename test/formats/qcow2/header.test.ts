import { describe, expect, test } from 'vitest';
import { AUTOCLEAR, EXTENSION, INCOMPATIBLE } from '../../../formats/qcow2/layout.ts';
import type { Note } from '../../../src/core/note.ts';
import { readDisk } from '../../../src/disk/read.ts';
import { pakoCodec } from '../../../src/engine/pako.ts';
import { CorruptError, UnrecognizedError, UnsupportedError } from '../../../src/errors.ts';
import { type Build, bitmaps, build, C, DATA, data, featureTable, L1, L2, mapOf, open, text } from './build.ts';

describe('the header is believed only as far as it can be true', () => {
	const l1Entry = (entry: bigint): Uint8Array => {
		const bytes = build({ entries: [data(0)], clusters: [1] });
		new DataView(bytes.buffer).setBigUint64(L1, entry);
		return bytes;
	};
	test.for<[string, Build | Uint8Array, RegExp, new (...args: never[]) => Error]>([
		['version 1', { change: { version: 1 } }, /no QCOW2 version 1/, UnsupportedError],
		['another magic', { change: { magic: 1 } }, /not a QCOW2 image/, UnrecognizedError],
		['clusters of 256 bytes', { change: { clusterBits: 8 } }, /2\^8 bytes/, CorruptError],
		['clusters of 4 MiB', { change: { clusterBits: 22 } }, /2\^22 bytes/, CorruptError],
		['subclusters of less than a sector', { extended: true, change: { clusterBits: 13 } }, /16 KiB/, CorruptError],
		['a header that ends early', { change3: { headerLength: 96 } }, /header of 96 bytes/, CorruptError],
		['a header longer than a cluster', { change3: { headerLength: C + 8 } }, /header of/, CorruptError],
		['refcounts of 128 bits', { change3: { refcountOrder: 7 } }, /wider than 64 bits/, CorruptError],
		['a disk over 64 TiB', { change: { size: 2 ** 46 + 512 } }, /64 TiB/, UnsupportedError],
		['a disk that its L1 table cannot map', { change: { size: 2 ** 40 } }, /too small/, CorruptError],
		['an L1 table of 2^32 - 1 entries', { change: { l1Size: 0xffffffff } }, /over the limit/, CorruptError],
		['an L1 table between clusters', { entries: [0n], change: { l1TableOffset: L1 + 512 } }, /begin on a cluster/, CorruptError],
		['an L1 table past the end', { entries: [0n], change: { l1TableOffset: 2 ** 40 } }, /beyond the end/, CorruptError],
		['no disk, and yet L2 tables', { entries: [0n], change: { size: 0 } }, /0 bytes/, CorruptError],
		['1025 snapshots', { change: { snapshotCount: 1025 } }, /1025 internal snapshots/, UnsupportedError],
		['a snapshot table past the end', { change: { snapshotCount: 1, snapshotsOffset: 2 ** 40 } }, /ends at/, CorruptError],
		['a backing file outside of the header', { change: { backingFileOffset: C + 1 } }, /first cluster/, CorruptError],
		[
			'a backing file of a long name',
			{ change: { backingFileOffset: 200, backingFileSize: 1024 } },
			/1024 bytes is too long/,
			CorruptError,
		],
		['an extension that is too long', { extensions: [[5, new Uint8Array(C)]], length: 2 * C }, /does not fit/, CorruptError],
		['two backing formats', { extensions: [...'ab'].map((x) => [EXTENSION.backingFormat, text(x)]) }, /twice/, CorruptError],
		['legacy AES', { change: { cryptMethod: 1 } }, /legacy AES/, UnsupportedError],
		['LUKS', { change: { cryptMethod: 2 } }, /LUKS/, UnsupportedError],
		['an unknown encryption', { change: { cryptMethod: 99 } }, /method 99/, UnsupportedError],
		['an unknown compression', { compressionType: 9, change3: { incompatibleFeatures: 8n } }, /compression type 9/, UnsupportedError],
		['zstd without its feature', { compressionType: 1 }, /says otherwise/, CorruptError],
		['a raw data file that is none', { change3: { autoclearFeatures: AUTOCLEAR.dataFileRaw } }, /it has none/, CorruptError],
		['an L2 table past the end', l1Entry(BigInt(64 * C)), /beyond the end/, CorruptError],
		['an L2 table between clusters', l1Entry(BigInt(L2 + 512)), /multiple of the cluster size/, CorruptError],
		['an L2 table in the L1 table', l1Entry(BigInt(L1)), /inside the L1 table/, CorruptError],
		['an L1 entry with a reserved bit', l1Entry(BigInt(L2) | 4n), /reserved bits/, CorruptError],
		['a file cut in its L2 table', { entries: [data(0)], length: L2 + 8 }, /beyond the end/, CorruptError],
	])('%s is refused', async ([, image, message, kind]) => {
		const failure = mapOf(image);
		await expect(failure).rejects.toThrow(message);
		await expect(failure).rejects.toBeInstanceOf(kind);
	});

	test('unknown features are refused by the names that the image has for them', async () => {
		const change3 = { incompatibleFeatures: (1n << 9n) | (1n << 63n) };
		await expect(open({ change3, extensions: [featureTable(9, 'time travel')] })).rejects.toThrow(/time travel, bit 63/);
	});

	test('entries that share an L2 table do not make an image take forever', async () => {
		const bytes = build({ change: { l1Size: 1000, size: 1000 * (C / 8) * C } });
		const view = new DataView(bytes.buffer);
		for (let i = 0; i < 1000; i++) view.setBigUint64(L1 + i * 8, BigInt(L2));
		await expect(mapOf(bytes)).rejects.toThrow(/share L2 tables/);
	});
});

describe('what an image says of itself is told', () => {
	test('dirty and corrupt images are read, with a note', async () => {
		const notes: Note[] = [];
		const change3 = { incompatibleFeatures: INCOMPATIBLE.dirty | INCOMPATIBLE.corrupt };
		const disk = await open({ entries: [data(0)], clusters: [5], change3 }, { note: (note) => notes.push(note) });
		expect(await readDisk(disk, pakoCodec, 0, 1)).toEqual(Uint8Array.of(5));
		expect(disk.info).toMatchObject({ dirty: true, specific: { data: { corrupt: true } } });
		expect(notes.map(({ what }) => what)).toEqual(['the image is marked dirty', 'the image is marked corrupt']);
	});

	test('features, in the words of qemu-img', async () => {
		const { info } = await open({ extended: true, change3: { incompatibleFeatures: 0b11000n, refcountOrder: 6 }, compressionType: 1 });
		expect(info.specific).toEqual({
			type: 'qcow2',
			data: {
				compat: '1.1',
				'compression-type': 'zstd',
				'lazy-refcounts': false,
				'refcount-bits': 64,
				corrupt: false,
				'extended-l2': true,
			},
		});
		const old = await open({ version: 2 });
		expect(old.info.specific?.data).toEqual({ compat: '0.10', 'compression-type': 'zlib', 'refcount-bits': 16 });
	});

	test('header extensions that nobody knows', async () => {
		const { info } = await open({ extensions: [[0x12345678, text('what is it')]] });
		expect(info.specific?.data).toMatchObject({ 'unknown-extensions': [{ type: '0x12345678', length: 10 }] });
	});

	test('bitmaps, unless other software has written since', async () => {
		const { directory, extension } = bitmaps(DATA, ['one', 'another'], DATA + C);
		const image = (autoclearFeatures: bigint) => {
			const bytes = build({ clusters: [0, 0], extensions: [extension], change3: { autoclearFeatures } });
			bytes.set(directory, DATA);
			return bytes;
		};
		const { info } = await open(image(AUTOCLEAR.bitmaps));
		expect(info.specific?.data['bitmaps']).toEqual([
			{ name: 'one', granularity: 65536, flags: ['auto'] },
			{ name: 'another', granularity: 65536, flags: ['auto'] },
		]);
		expect((await open(image(0n))).info.specific?.data).not.toHaveProperty('bitmaps');
	});
});
