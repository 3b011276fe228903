import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { checkVhd } from '../../../formats/vhd/check.ts';
import { checksum, footerStruct, headerStruct, SECTOR } from '../../../formats/vhd/layout.ts';
import { readDisk } from '../../../src/disk/read.ts';
import { pakoCodec } from '../../../src/engine/pako.ts';
import { VconvError } from '../../../src/errors.ts';
import { memorySource } from '../../../src/io/memory.ts';
import { patternDisk } from '../../helpers/pattern.ts';
import { contextOf, openBytes, vhdBytes } from './helpers.ts';

const MiB = 2 ** 20;
const size = 3 * MiB + 512;

const seeds: Uint8Array[] = [];
beforeAll(async () => {
	const disk = patternDisk({ size, data: [[MiB - 1024, 4096]] });
	const backing = { name: 'base.vhd', format: 'vhd', size, id: '00112233-4455-6677-8899-aabbccddeeff' };
	seeds.push(await vhdBytes(disk, { options: { block_size: '512k' } }));
	seeds.push(await vhdBytes(disk, { options: { subformat: 'fixed' } }));
	seeds.push(await vhdBytes(disk, { options: { block_size: '512k' }, backing }));
});

/** Read a good part of whatever it claims to be, and check it; only our own errors may come out. */
const survives = async (bytes: Uint8Array): Promise<void> => {
	const ours = (error: unknown): void => {
		if (!(error instanceof VconvError)) throw error;
	};
	const read = async () => {
		const disk = await openBytes(bytes);
		let extents = 0;
		for await (const { length } of disk.extents(0, disk.size)) {
			expect(length).toBeGreaterThan(0);
			if (++extents > 10_000) break;
		}
		const some = Math.min(disk.size, MiB);
		await readDisk(disk, pakoCodec, 0, some);
		await readDisk(disk, pakoCodec, disk.size - some, some);
	};
	await read().catch(ours);
	await checkVhd(memorySource(bytes, 'disk.vhd'), contextOf()).catch(ours);
};

const seal = (bytes: Uint8Array): void => {
	const view = new DataView(bytes.buffer);
	const places: [number, number, number][] = [
		[bytes.length - SECTOR, SECTOR, footerStruct.offsets.checksum],
		[0, SECTOR, footerStruct.offsets.checksum],
		[SECTOR, headerStruct.size, headerStruct.offsets.checksum],
	];
	for (const [start, length, at] of places) {
		if (start >= 0 && start + length <= bytes.length) {
			view.setUint32(start + at, checksum(bytes.subarray(start, start + length), at));
		}
	}
};

const edge = fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 0x7f, 0x80, 0xff));

test('a VHD with changed metadata is read or refused, whatever its checksums say', { timeout: 120_000 }, async () => {
	await fc.assert(
		fc.asyncProperty(
			fc.nat(2),
			fc.array(fc.record({ at: fc.nat(4095), fromEnd: fc.boolean(), value: edge }), { minLength: 1, maxLength: 6 }),
			fc.boolean(),
			fc.boolean(),
			async (seed, changes, same, sealed) => {
				const bytes = (seeds[seed] as Uint8Array).slice();
				for (const { at, fromEnd, value } of changes) bytes[fromEnd ? bytes.length - SECTOR + (at % SECTOR) : at] = value;
				if (same && seed !== 1) bytes.copyWithin(0, bytes.length - SECTOR);
				if (sealed) seal(bytes);
				await survives(bytes);
			},
		),
		{ numRuns: 250 },
	);
});

test('a VHD with an enlarged field is read or refused', { timeout: 120_000 }, async () => {
	const fields = [
		...Object.values(footerStruct.offsets),
		...Object.values(headerStruct.offsets).map((offset) => SECTOR + offset),
		1536,
		1540,
	];
	for (const [seed, original] of seeds.entries()) {
		for (const at of fields) {
			for (const value of [0, 1, 0x7fffffff, 0x80000000, 0xffffffff]) {
				const bytes = original.slice();
				const view = new DataView(bytes.buffer);
				view.setUint32(at, value);
				if (at < SECTOR) view.setUint32(bytes.length - SECTOR + at, value);
				if (seed !== 1) seal(bytes);
				await survives(bytes);
			}
		}
	}
});

test('a VHD that is cut off anywhere is read or refused', async () => {
	await fc.assert(
		fc.asyncProperty(fc.nat(2), fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(1024), async (seed, part, less) => {
			const bytes = seeds[seed] as Uint8Array;
			await survives(bytes.slice(0, Math.max(0, Math.floor(bytes.length * part) - less)));
		}),
		{ numRuns: 60 },
	);
});
