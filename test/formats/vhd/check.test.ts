import { beforeAll, expect, test } from 'vitest';
import { checkVhd } from '../../../formats/vhd/check.ts';
import { footerStruct, headerStruct, SECTOR } from '../../../formats/vhd/layout.ts';
import { memorySource } from '../../../src/io/memory.ts';
import { patternDisk } from '../../helpers/pattern.ts';
import { contextOf, vhdBytes, withFooter, withHeader } from './helpers.ts';

const MiB = 2 ** 20;
const disk = patternDisk({ size: 12 * MiB, data: [[MiB, 5 * MiB]] });

let dynamic: Uint8Array;
let delta: Uint8Array;
beforeAll(async () => {
	dynamic = await vhdBytes(disk);
	const backing = { name: 'base.vhd', format: 'vhd', size: disk.size, id: '00112233-4455-6677-8899-aabbccddeeff' };
	delta = await vhdBytes(disk, { backing });
});

const check = (bytes: Uint8Array) => checkVhd(memorySource(bytes, 'disk.vhd'), contextOf());

const codes = async (bytes: Uint8Array) => (await check(bytes)).findings.map(({ severity, code }) => `${severity} ${code}`);

const changed = (change: (bytes: Uint8Array, view: DataView) => void, from = dynamic): Uint8Array => {
	const bytes = from.slice();
	change(bytes, new DataView(bytes.buffer));
	return bytes;
};

test('what vconv writes is clean', async () => {
	expect(await check(dynamic)).toEqual({
		findings: [],
		more: 0,
		counts: { error: 0, leak: 0, note: 0 },
		imageEnd: dynamic.length,
		blocks: { total: 6, allocated: 3, fragmented: 0, compressed: 0 },
	});
	expect((await check(delta)).findings).toEqual([]);
	expect((await check(await vhdBytes(disk, { options: { subformat: 'fixed' } }))).findings).toEqual([]);
});

test('a wrong checksum is an error', async () => {
	const footer = dynamic.length - SECTOR + footerStruct.offsets.checksum;
	expect(await codes(changed((bytes) => bytes.fill(0, footer, footer + 4)))).toEqual(['error footer-checksum']);
	const header = SECTOR + headerStruct.offsets.checksum;
	await expect(check(changed((bytes) => bytes.fill(0, header, header + 4)))).rejects.toThrow(/checksum of the dynamic header is wrong/);
});

test('a destroyed footer is an error', async () => {
	expect(await codes(dynamic.slice(0, -SECTOR))).toEqual(['error footer-damaged']);
	expect(await codes(changed((bytes) => bytes.fill(0, 0, SECTOR)))).toEqual(['error footer-copy-damaged']);
});

test('blocks that share a place are errors', async () => {
	expect(await codes(changed((_, view) => view.setUint32(1536, view.getUint32(1540))))).toContain('error block-shared');
	expect(await codes(changed((_, view) => view.setUint32(1536, view.getUint32(1540) + 8)))).toContain('error block-shared');
});

test('every block upon another is counted', async () => {
	const bytes = changed((_, view) => {
		for (let i = 0; i < 6; i++) view.setUint32(1536 + 4 * i, view.getUint32(1540));
	});
	expect((await check(bytes)).counts.error).toBe(5);
});

test('blocks outside the data are errors, each told where it is', async () => {
	const { findings } = await check(
		changed((_, view) => {
			view.setUint32(1536, 0x7fffffff);
			view.setUint32(1540, 1);
		}),
	);
	expect(findings.slice(0, 2)).toMatchObject([
		{ severity: 'error', code: 'block-misplaced', offset: 1536 },
		{ severity: 'error', code: 'block-misplaced', offset: 1540 },
	]);
});

test('blocks that no entry uses are leaks', async () => {
	const { findings } = await check(changed((_, view) => view.setUint32(1540, 0xffffffff)));
	expect(findings).toMatchObject([{ severity: 'leak', code: 'block-unused', count: 1 }]);
});

test('blocks behind the end of the disk are leaks', async () => {
	const smaller = withFooter(dynamic, { currentSize: BigInt(4 * MiB) }, 'both');
	expect(await codes(smaller)).toEqual(['leak block-surplus']);
});

test('data that the bitmap of a dynamic image denies is an error', async () => {
	const bitmap = (bytes: Uint8Array) => new DataView(bytes.buffer).getUint32(1540) * SECTOR;
	expect(await codes(changed((bytes) => bytes.fill(0, bitmap(bytes), bitmap(bytes) + 1)))).toEqual(['error bitmap-denies-data']);
	expect(await codes(changed((bytes) => bytes.fill(0, bitmap(bytes), bitmap(bytes) + 1), delta))).toEqual([]);
});

test('names of the parent that differ are noted', async () => {
	const name = SECTOR + headerStruct.offsets.parentUnicodeName;
	const renamed = withHeader(
		changed((bytes) => bytes.set([0, 0x78], name), delta),
		{},
	);
	expect(await codes(renamed)).toContain('note parent-names-differ');
});
