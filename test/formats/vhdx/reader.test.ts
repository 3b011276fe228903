import { beforeAll, expect, test } from 'vitest';
import { checkVhdx } from '../../../formats/vhdx/check.ts';
import {
	HEADERS_AT,
	header,
	METADATA_REGION,
	metadataEntry,
	metadataTable,
	REGION_TABLES_AT,
	regionEntry,
	regionTable,
} from '../../../formats/vhdx/layout.ts';
import { encodeLocator, parentOf } from '../../../formats/vhdx/locator.ts';
import type { Extent } from '../../../src/core/disk.ts';
import type { Note } from '../../../src/core/note.ts';
import { memorySource } from '../../../src/io/memory.ts';
import { firstDifference } from '../../helpers/image.ts';
import { patternDisk } from '../../helpers/pattern.ts';
import { BAT_AT, changed, context, DATA_AT, deltaDisk, inHeaders, METADATA_AT, MiB, openVhdx, setBat, vhdxBytes } from './images.ts';

const disk = patternDisk({ size: 8 * MiB, data: [[0, 2 * MiB]] });
const linkage = '00112233-4455-6677-8899-aabbccddeeff';

let image: Uint8Array;
let child: Uint8Array;
beforeAll(async () => {
	image = await vhdxBytes(disk);
	const delta = deltaDisk({ size: 8 * MiB, data: [[0, 512]], zero: [] });
	child = await vhdxBytes(delta, { backing: { name: 'disk.vhdx', format: 'vhdx', size: 8 * MiB, id: linkage } });
});

const open = (bytes: Uint8Array, notes?: Note[]) => openVhdx({ 'disk.vhdx': bytes }, notes);

const map = async (bytes: Uint8Array): Promise<Pick<Extent, 'kind' | 'length'>[]> => {
	const opened = await open(bytes);
	const extents = [];
	for await (const { kind, length } of opened.extents(0, opened.size)) extents.push({ kind, length: length / MiB });
	return extents;
};

test.for([
	[0, 'not present'],
	[1, 'undefined'],
	[2, 'zero'],
	[3, 'unmapped'],
] as const)('without a parent a block in state %i, %s, reads as zeros, wherever it may have been', async ([state]) => {
	const expected = [
		{ kind: 'data', length: 1 },
		{ kind: 'zero', length: 7 },
	];
	expect(await map(setBat(image, 1, state))).toEqual(expected);
	expect(await map(setBat(image, 1, state, DATA_AT))).toEqual(expected);
});

test.for([
	[4, DATA_AT, 'the state 4, which is reserved'],
	[5, DATA_AT, 'the state 5, which is reserved'],
	[7, DATA_AT, 'a block is partly present, and there is no parent'],
	[6, 0, 'lies in the headers, the log or a region'],
	[6, METADATA_AT, 'lies in the headers, the log or a region'],
	[6, BAT_AT, 'lies in the headers, the log or a region'],
	[6, DATA_AT + 2 * MiB, 'ends behind the file'],
	[6, 2 ** 52, 'ends behind the file'],
] as const)('state %i at host offset %i is refused', async ([state, at, message]) => {
	await expect(map(setBat(image, 1, state, at))).rejects.toThrow(message);
});

test.for(['fixed', 'dynamic'])('a %s image may end where its disk does, within the last block, and no sooner', async (subformat) => {
	const short = patternDisk({ size: 2 * MiB + 1536, data: [[0, 2 * MiB + 1536]] });
	const whole = await vhdxBytes(short, { options: { subformat } });
	const end = whole.length - MiB + 1536;
	expect(await firstDifference(await open(whole.slice(0, end)), short)).toBeUndefined();
	const report = await checkVhdx(memorySource(whole.slice(0, end)), context);
	expect(report).toMatchObject({ counts: { error: 0 }, imageEnd: end });
	await expect(map(whole.slice(0, end - 512))).rejects.toThrow('ends behind the file');
});

test('reserved bits of an entry are refused', async () => {
	const bytes = changed(image, (view) => view.setUint8(BAT_AT + 1, 0x10));
	await expect(map(bytes)).rejects.toThrow('reserved bits');
});

test('a child whose sector bitmap is missing is refused', async () => {
	const bitmapEntry = BAT_AT + 4096 * 8;
	const files = { 'child.vhdx': changed(child, (view) => view.setUint8(bitmapEntry, 0)), 'disk.vhdx': parentWith(linkage) };
	const opened = await openVhdx(files);
	await expect(firstDifference(opened, disk)).rejects.toThrow('its sector bitmap is not there');
});

/** The image as the parent that has this id. */
const parentWith = (id: string): Uint8Array => changed(image, (_, bytes) => inHeaders('dataWriteGuid', (at) => bytes.set(guidOf(id), at)));

const guidOf = (text: string): Uint8Array => {
	const bytes = Buffer.from(text.replaceAll('-', ''), 'hex');
	return new Uint8Array([
		...bytes.subarray(0, 4).reverse(),
		...bytes.subarray(4, 6).reverse(),
		...bytes.subarray(6, 8).reverse(),
		...bytes.subarray(8),
	]);
};

test('a child is opened over the parent that has its id, and over no other', async () => {
	const opened = await openVhdx({ 'child.vhdx': child, 'disk.vhdx': parentWith(linkage) });
	expect(await firstDifference(opened, disk)).toBeUndefined();
	await expect(openVhdx({ 'child.vhdx': child, 'disk.vhdx': image })).rejects.toThrow('is not the parent');
});

test('a parent is looked for by its relative path first, and has either of two ids', () => {
	const bytes = encodeLocator({
		parent_linkage2: `{${linkage}}`,
		absolute_win32_path: 'C:\\vms\\base.vhdx',
		parent_linkage: '{FFEEDDCC-BBAA-9988-7766-554433221100}',
		volume_path: '\\\\?\\Volume{26a21bda-a627-11d7-9931-806e6f6e6963}\\vms\\base.vhdx',
		relative_path: '.\\base.vhdx',
	});
	expect(parentOf({ bytes, offset: 0 }, 'child.avhdx')).toEqual({
		names: ['.\\base.vhdx', '\\\\?\\Volume{26a21bda-a627-11d7-9931-806e6f6e6963}\\vms\\base.vhdx', 'C:\\vms\\base.vhdx'],
		format: 'vhdx',
		ids: ['ffeeddcc-bbaa-9988-7766-554433221100', linkage],
	});
});

test.for([
	[{ relative_path: 'a' }, 'which parent'],
	[{ parent_linkage: '{nonsense}', relative_path: 'a' }, 'is no GUID'],
	[{ parent_linkage: `{${linkage}}` }, 'where its parent is'],
	[{ parent_linkage: '{00000000-0000-0000-0000-000000000000}', relative_path: 'a' }, 'which parent'],
] as const)('a locator of %o is refused', ([values, message]) => {
	expect(() => parentOf({ bytes: encodeLocator(values), offset: 0 }, 'child.avhdx')).toThrow(message);
});

test('a locator whose texts are outside it, or one over the other, is refused', () => {
	const bytes = encodeLocator({ parent_linkage: `{${linkage}}`, relative_path: 'a' });
	const far = bytes.slice();
	new DataView(far.buffer).setUint32(20, bytes.length, true);
	expect(() => parentOf({ bytes: far, offset: 0 }, 'child.avhdx')).toThrow('does not fit');
	const wide = bytes.slice();
	for (const at of [28, 30, 40, 42]) new DataView(wide.buffer).setUint16(at, 60, true);
	expect(() => parentOf({ bytes: wide, offset: 0 }, 'child.avhdx')).toThrow('does not fit');
});

test('of two headers the one with the greater sequence number is current, if it is whole', async () => {
	const newer = changed(image, (view) => view.setUint8(HEADERS_AT[0] + header.offsets.dataWriteGuid, 0xee));
	expect((await open(newer)).id).toBe('03030303-0303-0303-0303-030303030303');
	const notes: Note[] = [];
	const only = newer.slice();
	only[HEADERS_AT[1] + 5] = 0;
	only[HEADERS_AT[1] + 4] = 0;
	expect((await open(only, notes)).id).toBe('030303ee-0303-0303-0303-030303030303');
	expect(notes.map(({ why }) => why)).toEqual(['the other is damaged']);
});

test('two headers with one sequence number are good only if they are the same', async () => {
	const twins = changed(image, (view) => inHeaders('sequenceNumber', (at) => view.setUint8(at, 9)));
	expect(await firstDifference(await open(twins), disk)).toBeUndefined();
	const rivals = changed(twins, (view) => view.setUint8(HEADERS_AT[0] + header.offsets.dataWriteGuid, 0xee));
	await expect(open(rivals)).rejects.toThrow('and they differ');
});

test('one region table is enough', async () => {
	const notes: Note[] = [];
	const bytes = image.slice().fill(0, REGION_TABLES_AT[0], REGION_TABLES_AT[0] + 4096);
	expect(await firstDifference(await open(bytes, notes), disk)).toBeUndefined();
	expect(notes.map(({ what, why }) => `${what}; ${why}`)).toEqual(['its region table is the one that is whole; the other is damaged']);
});

/** Region entry `index` of both tables, changed. */
const withRegion = (index: number, change: (view: DataView, at: number) => void): Uint8Array =>
	changed(image, (view) => {
		for (const table of REGION_TABLES_AT) change(view, table + regionTable.size + index * regionEntry.size);
	});

const unknownRegion = (required: number): Uint8Array =>
	changed(image, (view, bytes) => {
		for (const table of REGION_TABLES_AT) {
			view.setUint32(table + regionTable.offsets.entryCount, 3, true);
			const entry = { guid: new Uint8Array(16).fill(5), fileOffset: DATA_AT + MiB, length: MiB, required };
			bytes.set(regionEntry.encode(entry), table + regionTable.size + 2 * regionEntry.size);
		}
		view.setUint8(BAT_AT + 8, 2);
	});

test('an unknown region stops it if it must be understood, and only then', async () => {
	await expect(open(unknownRegion(1))).rejects.toThrow('the unknown region 05050505-0505-0505-0505-050505050505');
	expect((await open(unknownRegion(0))).size).toBe(disk.size);
	await expect(map(setBat(unknownRegion(0), 1, 6, DATA_AT + MiB))).rejects.toThrow('lies in the headers, the log or a region');
});

test('regions that overlap, stand twice or are nowhere are refused', async () => {
	const moved = (to: number) => withRegion(0, (view, at) => view.setBigUint64(at + regionEntry.offsets.fileOffset, BigInt(to), true));
	await expect(open(moved(BAT_AT))).rejects.toThrow('overlap');
	await expect(open(moved(MiB))).rejects.toThrow('overlap');
	await expect(open(moved(0))).rejects.toThrow('behind the headers');
	await expect(open(moved(METADATA_AT + 512))).rejects.toThrow('multiple of 1 MiB');
	await expect(open(moved(2 ** 40))).rejects.toThrow('ends behind the file');
	await expect(open(withRegion(1, (view, at) => view.setUint8(at, 9)))).rejects.toThrow('the unknown region');
	const gone = changed(image, (view) => {
		for (const at of REGION_TABLES_AT) view.setUint32(at + regionTable.offsets.entryCount, 1, true);
	});
	await expect(open(gone)).rejects.toThrow('no BAT region');
	expect(METADATA_REGION).toMatch(/^8b7ca206/);
});

/** Metadata entry `index`, changed. */
const withItem = (index: number, change: (view: DataView, at: number) => void): Uint8Array =>
	changed(image, (view) => change(view, METADATA_AT + metadataTable.size + index * metadataEntry.size));

test('an unknown metadata item stops it if it must be understood, and is told of otherwise', async () => {
	const unknown = (flags: number) =>
		changed(image, (view, bytes) => {
			view.setUint16(METADATA_AT + metadataTable.offsets.entryCount, 6, true);
			const entry = { itemId: new Uint8Array(16).fill(6), offset: 0, length: 0, flags, reserved2: 0 };
			bytes.set(metadataEntry.encode(entry), METADATA_AT + metadataTable.size + 5 * metadataEntry.size);
		});
	await expect(open(unknown(4))).rejects.toThrow('the unknown metadata item 06060606-0606-0606-0606-060606060606');
	const notes: Note[] = [];
	await open(unknown(1), notes);
	expect(notes.map(({ what }) => what)).toEqual(['the metadata item 06060606-0606-0606-0606-060606060606']);
});

test('metadata items that overlap, are missing or have another length are refused', async () => {
	const { offset, length, flags } = metadataEntry.offsets;
	await expect(open(withItem(1, (view, at) => view.setUint32(at + offset, 65540, true)))).rejects.toThrow('overlap');
	await expect(open(withItem(1, (view, at) => view.setUint32(at + offset, 100, true)))).rejects.toThrow('outside it, or in its table');
	await expect(open(withItem(4, (view, at) => view.setUint32(at + length, 4, true)))).rejects.toThrow('of 4 bytes, which has 16');
	await expect(open(withItem(4, (view, at) => view.setUint32(at + length, 2 ** 21, true)))).rejects.toThrow('over 1 MiB');
	await expect(open(withItem(1, (view, at) => view.setUint8(at + flags, 1)))).rejects.toThrow('a metadata item is missing');
});

test('what the disk cannot be is refused', async () => {
	const at = METADATA_AT + 65536;
	const value = (offset: number, number: number) => changed(image, (view) => view.setUint32(at + offset, number, true));
	await expect(open(value(4, 8))).rejects.toThrow('unknown file parameters 0x8');
	await expect(open(value(8, 513))).rejects.toThrow('no multiple of the sector size');
	await expect(open(value(12, 0x4001))).rejects.toThrow('over 64 TiB');
	await expect(open(value(12, 0x3fff))).rejects.toThrow('a BAT of 1048576 bytes');
	await expect(open(value(16, 1024))).rejects.toThrow('neither 512 nor 4096');
	await expect(open(value(4, 2))).rejects.toThrow('does not say of what');
});
