import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { vmdk } from '../../../formats/vmdk/index.ts';
import { isZero } from '../../../src/bytes/align.ts';
import type { Disk } from '../../../src/core/disk.ts';
import type { OpenContext } from '../../../src/core/format.ts';
import { readDisk, readExtent } from '../../../src/disk/read.ts';
import { pakoCodec } from '../../../src/engine/pako.ts';
import { AccessError, CorruptError, UnsupportedError, VconvError } from '../../../src/errors.ts';
import { forwardStream } from '../../../src/io/forward.ts';
import { memorySource } from '../../../src/io/memory.ts';
import { firstDifference, writeImage } from '../../helpers/image.ts';
import { patternDisk } from '../../helpers/pattern.ts';

const SECTOR = 512;
const KiB = 1024;
const MiB = 1024 * KiB;
const THOROUGH = process.env['VCONV_THOROUGH'] ? 20 : 1;

const context: OpenContext = {
	follow: async () => Promise.reject(new AccessError('there is no other file')),
	note() {},
	unpack: pakoCodec.unpack,
};

/** As a pipe has it: in pieces of any length. */
async function* inPieces(bytes: Uint8Array, length = 4000): AsyncGenerator<Uint8Array> {
	for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}

const openPiped = async (bytes: Uint8Array, piece?: number): Promise<Disk> => {
	const disk = await vmdk.openStream?.(forwardStream(inPieces(bytes, piece), 'standard input'), context);
	if (!disk) throw new Error('VMDK has no openStream');
	return disk;
};

/** All that the guest reads, asked for in order. */
const wholeOf = async (disk: Disk, step = 300 * KiB): Promise<Uint8Array> => {
	const whole = new Uint8Array(disk.size);
	for (let at = 0; at < disk.size; at += step) {
		whole.set(await readDisk(disk, pakoCodec, at, Math.min(step, disk.size - at)), at);
	}
	return whole;
};

/** The runs with anything but zeros in them, by their offsets: quick for a disk that is mostly holes. */
const contentOf = async (disk: Disk): Promise<ReadonlyMap<number, string>> => {
	const content = new Map<number, string>();
	for await (const extent of disk.extents(0, disk.size)) {
		const bytes = await readExtent(extent, pakoCodec);
		if (bytes && !isZero(bytes)) content.set(extent.offset, createHash('sha1').update(bytes).digest('hex'));
	}
	return content;
};

const seen = patternDisk({
	size: 40 * MiB + 512,
	data: [
		[0, 100],
		[MiB, 200 * KiB],
		[33 * MiB, 64 * KiB],
		[40 * MiB, 512],
	],
});

let image: Uint8Array;
beforeAll(async () => {
	const files = await writeImage(vmdk, seen, { options: { subformat: 'streamOptimized' } });
	const source = files.get('disk.vmdk')?.source();
	image = (await source?.read(0, source.size)) ?? new Uint8Array();
});

const changed = (at: number, ...values: number[]): Uint8Array => {
	const copy = image.slice();
	copy.set(values, at);
	return copy;
};

/** The sectors of markers: of grains (`size` is not 0) and metadata, by their type. */
const markers = (): { readonly at: number; readonly type: number; readonly grain: boolean; readonly length: number }[] => {
	const view = new DataView(image.buffer, image.byteOffset);
	const found = [];
	for (let at = 128 * SECTOR; at < image.length; ) {
		const size = view.getUint32(at + 8, true);
		const length = size > 0 ? Math.ceil((12 + size) / SECTOR) * SECTOR : SECTOR * (1 + Number(view.getBigUint64(at, true)));
		found.push({ at, type: view.getUint32(at + 12, true), grain: size > 0, length });
		at += length;
	}
	return found;
};

test.for([7, 511, 4000, 1 << 20])('a stream in pieces of %i bytes is the disk that it is as a file', async (piece) => {
	const disk = await openPiped(image, piece);
	expect(disk).toMatchObject({ size: seen.size, once: true, info: { specific: { data: { 'create-type': 'streamOptimized' } } } });
	expect(Buffer.compare(await wholeOf(disk), await readDisk(seen, pakoCodec, 0, seen.size))).toBe(0);
	await disk.close();
});

test('its map is asked for in order, and any range once', async () => {
	const disk = await openPiped(image);
	await readDisk(disk, pakoCodec, 0, 20 * MiB);
	await expect(readDisk(disk, pakoCodec, 0, 512)).rejects.toThrow('the stream has passed');
	await expect(firstDifference(disk, seen)).rejects.toThrow();
});

test('wherever it is cut off, it is refused', async () => {
	const cuts = fc.oneof(fc.nat(image.length - 1), fc.constantFrom(...markers().map(({ at }) => at)));
	await fc.assert(
		fc.asyncProperty(cuts, async (length) => {
			const read = openPiped(image.subarray(0, length)).then(contentOf);
			await expect(read).rejects.toThrow(CorruptError);
		}),
		{ numRuns: 30 * THOROUGH },
	);
});

describe('what contradicts itself is refused:', () => {
	const [grains, metadata] = [
		() => markers().filter(({ grain }) => grain),
		(type: number) => markers().find((m) => !m.grain && m.type === type),
	];
	const at = (type: number, within = 0) => (metadata(type)?.at ?? 0) + SECTOR + within;
	const cases: Readonly<Record<string, readonly [() => Uint8Array, RegExp]>> = {
		'a grain table that leads elsewhere': [() => changed(at(1), 99), /does not lead to the grains/],
		'a grain table without a grain that there is': [() => changed(at(1), 0, 0, 0, 0), /does not lead to the grains/],
		'a grain directory that leads elsewhere': [() => changed(at(2), 99), /entry 0 of the grain directory/],
		'a footer that leads elsewhere': [() => changed(at(3, 56), 1), /leads to another grain directory/],
		'a footer of another disk': [() => changed(at(3, 12), 2), /the footer says capacity/],
		'no directory and no footer': [() => cut(at(2) - SECTOR, image.length - SECTOR), /end-of-stream marker is not where it belongs/],
		'no footer': [() => cut(at(3) - SECTOR, at(3) + SECTOR), /end-of-stream marker is not where it belongs/],
		'a directory before its tables': [() => cut(at(1) - SECTOR, at(2) - SECTOR), /before the tables of all grains/],
		'something behind its end': [() => new Uint8Array([...image, 0, 0, 1]), /goes on behind the end/],
		'a grain beyond the disk': [() => changed(grains()[0]?.at ?? 0, 0, 0, 0, 1), /no grain of the disk begins/],
		'a grain within another': [() => changed(grains()[1]?.at ?? 0, 1), /no grain of the disk begins/],
		'grains out of order': [() => changed(grains()[0]?.at ?? 0, 0, 64, 0, 0), /comes after later ones/],
	};
	const cut = (from: number, to: number): Uint8Array => Buffer.concat([image.subarray(0, from), image.subarray(to)]);

	test.for(Object.keys(cases))('%s', async (name) => {
		const [make, message] = cases[name] as (typeof cases)[string];
		const read = openPiped(make()).then(contentOf);
		await expect(read).rejects.toThrow(message);
		await expect(read).rejects.toBeInstanceOf(CorruptError);
	});
});

describe('with its tables before the grains, as QEMU has them,', () => {
	const [DIRECTORY, TABLES] = [29, 30];
	/** The same stream with its tables in the room before the grains, and nothing behind them. */
	const ahead = (): Uint8Array => {
		const metadata = markers().filter(({ grain }) => !grain);
		const copy = image.slice(0, metadata[0]?.at);
		const view = new DataView(copy.buffer);
		view.setBigUint64(56, BigInt(DIRECTORY), true);
		for (const [i, { at, length }] of metadata.filter(({ type }) => type === 1).entries()) {
			copy.set(image.subarray(at + SECTOR, at + length), (TABLES + 4 * i) * SECTOR);
			view.setUint32(DIRECTORY * SECTOR + 4 * i, TABLES + 4 * i, true);
		}
		return copy;
	};
	const grain = (number: number): number => markers()[number]?.at ?? 0;
	const altered = (change: (view: DataView) => void): Uint8Array => {
		const bytes = ahead();
		change(new DataView(bytes.buffer));
		return bytes;
	};
	/** Where the entries of the first table are that are not zero. */
	const entries = (view: DataView): number[] =>
		Array.from({ length: 512 }, (_, i) => TABLES * SECTOR + 4 * i).filter((at) => view.getUint32(at, true) !== 0);

	test.for([7, 4000, 1 << 20])('a stream in pieces of %i bytes is the disk that it is as a file', async (piece) => {
		const disk = await openPiped(ahead(), piece);
		expect(disk).toMatchObject({ size: seen.size, once: true });
		expect(Buffer.compare(await wholeOf(disk), await readDisk(seen, pakoCodec, 0, seen.size))).toBe(0);
	});

	test('it is refused wherever it is cut off', async () => {
		const whole = ahead();
		// The last grain is filled up with zeros to a sector: those are not missed.
		const needed = whole.findLastIndex((byte) => byte !== 0) + 1;
		await fc.assert(
			fc.asyncProperty(fc.nat(needed - 1), async (length) => {
				await expect(openPiped(whole.subarray(0, length)).then(contentOf)).rejects.toThrow(CorruptError);
			}),
			{ numRuns: 20 * THOROUGH },
		);
	});

	const cases: Readonly<Record<string, readonly [(view: DataView) => void, RegExp, typeof VconvError]>> = {
		'a grain that is marked as another': [(view) => view.setUint32(grain(1), 0, true), /is marked as that of 0x0/, CorruptError],
		'a grain of no bytes': [(view) => view.setUint32(grain(1) + 8, 0, true), /takes 0 bytes/, CorruptError],
		'a table behind grains': [(view) => view.setUint32(DIRECTORY * SECTOR, 500, true), /tables are behind grains/, UnsupportedError],
		'grains out of order': [
			(view) => {
				const [a = 0, b = 0] = entries(view);
				const [first, second] = [view.getUint32(a, true), view.getUint32(b, true)];
				view.setUint32(a, second, true);
				view.setUint32(b, first, true);
				// The marker of the one that is read first must be right.
				view.setBigUint64(second * SECTOR, view.getBigUint64(first * SECTOR, true), true);
			},
			/comes before others that the guest has before it/,
			UnsupportedError,
		],
	};
	test.for(Object.keys(cases))('%s is refused', async (name) => {
		const [change, message, kind] = cases[name] as (typeof cases)[string];
		const read = openPiped(altered(change)).then(contentOf);
		await expect(read).rejects.toThrow(message);
		await expect(read).rejects.toBeInstanceOf(kind);
	});

	test('damage is refused, or does not change what the guest reads from a file of the same bytes', async () => {
		const places = fc.oneof(fc.nat(90), fc.integer({ min: DIRECTORY * SECTOR, max: (TABLES + 8) * SECTOR }), fc.nat(ahead().length - 1));
		await refusedOrTheSame(ahead, places);
	});
});

test('zeros behind its end are passed over, as in a file', async () => {
	expect((await contentOf(await openPiped(Buffer.concat([image, new Uint8Array(5000)])))).size).toBe(7);
});

test('a VMDK that is read here and there is refused with what to do instead', async () => {
	const files = await writeImage(vmdk, seen);
	const source = files.get('disk.vmdk')?.source();
	const bytes = (await source?.read(0, source.size)) ?? new Uint8Array();
	await expect(openPiped(bytes)).rejects.toThrow(UnsupportedError);
	await expect(openPiped(bytes)).rejects.toMatchObject({ hint: expect.stringContaining('--spool DIR') });
});

test('damage is refused, or does not change what the guest reads from a file of the same bytes', async () => {
	const places = fc.oneof(
		fc.nat(21 * SECTOR),
		fc
			.constantFrom(...markers().flatMap(({ at, length }) => [at, at + 8, at + 12, at + length - 1]))
			.chain((at) => fc.nat(16).map((n) => at + n)),
		fc.nat(image.length - 1),
	);
	await refusedOrTheSame(() => image, places);
});

/** Bytes are changed, and what can be read of it in order is what can be read of it as a file. */
const refusedOrTheSame = async (original: () => Uint8Array, places: fc.Arbitrary<number>): Promise<void> => {
	await fc.assert(
		fc.asyncProperty(fc.array(fc.tuple(places, fc.nat(255)), { minLength: 1, maxLength: 3 }), async (damage) => {
			const bytes = original().slice();
			for (const [at, value] of damage) if (at < bytes.length) bytes[at] = value;
			let piped: ReadonlyMap<number, string>;
			try {
				piped = await contentOf(await openPiped(bytes));
			} catch (error) {
				expect(error).toBeInstanceOf(VconvError);
				return;
			}
			expect(piped).toEqual(await contentOf(await vmdk.open(memorySource(bytes, 'disk.vmdk'), context)));
		}),
		{ numRuns: 150 * THOROUGH },
	);
};
