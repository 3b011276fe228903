import { describe, expect, test } from 'vitest';
import { geometryOf, geometrySize } from '../../../formats/vhd/geometry.ts';
import { vhd } from '../../../formats/vhd/index.ts';
import { DISK_TYPES, footerStruct, headerStruct } from '../../../formats/vhd/layout.ts';
import { planImage } from '../../../src/convert/convert.ts';
import { measureImage } from '../../../src/convert/measure.ts';
import type { BackingReference, OptionValues } from '../../../src/core/format.ts';
import { UnsupportedError, UsageError } from '../../../src/errors.ts';
import { fixedStamp } from '../../helpers/image.ts';
import { patternDisk } from '../../helpers/pattern.ts';
import { openBytes, vhdBytes } from './helpers.ts';

const MiB = 2 ** 20;
const GiB = 2 ** 30;

type Wish = { readonly size?: number; readonly options?: OptionValues; readonly backing?: BackingReference };

const plan = ({ size = 10 * MiB, options, backing }: Wish) =>
	planImage({ disk: patternDisk({ size, data: [] }), format: vhd, name: 'disk.vhd', options, backing, stamp: fixedStamp() });

const footerOf = (bytes: Uint8Array) => footerStruct.decode(bytes.slice(-512), { path: 'disk.vhd', offset: 0 });

test('the geometry is that of the specification', () => {
	// Of sizes that Virtual PC, Hyper-V and QEMU made disks of.
	expect(geometryOf(4 * MiB)).toEqual({ cylinders: 120, heads: 4, sectorsPerTrack: 17 });
	expect(geometryOf(153092096)).toEqual({ cylinders: 602, heads: 16, sectorsPerTrack: 31 });
	expect(geometryOf(104865792)).toEqual({ cylinders: 1004, heads: 12, sectorsPerTrack: 17 });
	expect(geometryOf(5243019264)).toEqual({ cylinders: 10159, heads: 16, sectorsPerTrack: 63 });
	expect(geometryOf(136365211648)).toEqual({ cylinders: 65278, heads: 16, sectorsPerTrack: 255 });
	expect(geometryOf(2040 * GiB)).toEqual({ cylinders: 65535, heads: 16, sectorsPerTrack: 255 });
});

describe('the virtual size', () => {
	test.each([
		[3212288, {}, 3212288],
		[511, {}, 512],
		[0, {}, 0],
		[10 * MiB + 512, { align: '1M' }, 11 * MiB],
		[10 * MiB, { align: '1M' }, 10 * MiB],
		[3 * MiB, { force_size: 'off' }, 3168256],
		[100 * MiB, { force_size: 'off' }, 104865792],
		[130000 * MiB, { force_size: 'off' }, 136315084800],
		[200 * GiB, { force_size: 'off' }, 200 * GiB],
	])('of %i bytes with %o is %i', (size, options, expected) => {
		expect(plan({ size, options }).size).toBe(expected);
		expect(plan({ size, options: { ...options, subformat: 'fixed' } }).size).toBe(expected);
	});

	test('in whole cylinders is the geometry', async () => {
		const bytes = await vhdBytes(patternDisk({ size: 3 * MiB, data: [] }), { options: { force_size: 'off' } });
		expect(geometrySize(footerOf(bytes))).toBe(3168256);
	});
});

test('an image begins and ends with its footer, made by the stamp', async () => {
	const bytes = await vhdBytes(patternDisk({ size: 5 * MiB, data: [[3 * MiB, 512]] }));
	expect(Buffer.compare(bytes.subarray(0, 512), bytes.subarray(-512))).toBe(0);
	expect(footerOf(bytes)).toMatchObject({
		timestamp: Date.UTC(2026, 0, 2, 3, 4, 5) / 1000 - 946684800,
		creatorApplication: 'win ',
		currentSize: 5 * MiB,
		originalSize: 5 * MiB,
		diskType: DISK_TYPES.dynamic,
		uniqueId: new Uint8Array(16).fill(1),
	});
});

test('the data of every block is aligned, and its bitmap all ones', async () => {
	const bytes = await vhdBytes(patternDisk({ size: 20 * MiB, data: [[0, 20 * MiB]] }));
	const view = new DataView(bytes.buffer);
	for (let i = 0; i < 10; i++) {
		const bitmap = view.getUint32(1536 + 4 * i) * 512;
		expect((bitmap + 512) % 4096).toBe(0);
		expect(bytes.subarray(bitmap, bitmap + 512).every((byte) => byte === 0xff)).toBe(true);
	}
});

test('zeros within a block stay holes', async () => {
	const disk = patternDisk({ size: 2 * MiB, data: [[MiB, 512]] });
	const { length, written } = await measureImage(disk, plan({ size: disk.size }));
	expect([length, written]).toEqual([4096 + 2 * MiB + 512, 4096 + 65536 + 512]);
});

test('zeros over a parent are kept as sectors that were never written', async () => {
	const size = 4 * MiB;
	const bytes = await vhdBytes(patternDisk({ size, data: [] }), {
		backing: { name: 'base.vhd', format: 'vhd', size, id: '00112233-4455-6677-8899-aabbccddeeff' },
	});
	const image = await openBytes(bytes);
	expect(image.parent).toEqual({
		names: ['.\\base.vhd', 'base.vhd'],
		format: 'vhd',
		ids: ['00112233-4455-6677-8899-aabbccddeeff'],
	});
	const kinds: string[] = [];
	for await (const extent of image.extents(0, size)) kinds.push(extent.kind);
	expect(new Set(kinds)).toEqual(new Set(['data']));
});

test('without its footers nothing that is written is a VHD', async () => {
	const layout = plan({ size: 4 * MiB });
	const order: number[] = [];
	layout.place(0, 65536, 65536, false);
	const sink = { name: 'disk.vhd', write: async (at: number) => void order.push(at), resize: async () => {} };
	await layout.finish([sink]);
	expect(order.slice(-3)).toEqual([512, 0, Math.max(...order)]);
	expect(order.indexOf(1536)).toBeLessThan(order.indexOf(512));
});

const backing = { name: 'base.vhd', format: 'vhd', size: 10 * MiB, id: '00112233-4455-6677-8899-aabbccddeeff' };

test.each<[string, Wish]>([
	['a differencing image that is fixed', { backing, options: { subformat: 'fixed' } }],
	['a block of 3 MiB', { options: { block_size: '3M' } }],
	['a block of 4 KiB', { options: { block_size: '4k' } }],
	['a block of 512 MiB', { options: { block_size: '512M' } }],
	['no size for a block', { options: { block_size: 'large' } }],
	['an alignment of 100 bytes', { options: { align: '100' } }],
	['an alignment of 0', { options: { align: '0' } }],
	['whole cylinders and whole MiB', { options: { align: '1M', force_size: 'off' } }],
	['blocks so small that a full disk is out of reach', { size: 2040 * GiB, options: { block_size: '512k' } }],
])('%s makes no sense', (_, wish) => {
	expect(() => plan(wish)).toThrow(UsageError);
});

test.each<[string, Wish]>([
	['2,041 GiB', { size: 2041 * GiB }],
	['a parent of another format', { backing: { ...backing, format: 'qcow2' } }],
	['a parent without an id', { backing: { ...backing, id: undefined } }],
	['a parent whose id is zeros', { backing: { ...backing, id: '00000000-0000-0000-0000-000000000000' } }],
])('%s is refused', (_, wish) => {
	expect(() => plan(wish)).toThrow(UnsupportedError);
});

test('sectors of 4,096 bytes are refused', () => {
	const disk = { ...patternDisk({ size: MiB, data: [] }), sectorSize: 4096 as const };
	expect(() => planImage({ disk, format: vhd, name: 'disk.vhd', stamp: fixedStamp() })).toThrow(UnsupportedError);
});

test('the header counts the blocks of the disk', async () => {
	const bytes = await vhdBytes(patternDisk({ size: 5 * MiB, data: [] }));
	const header = headerStruct.decode(bytes.subarray(512), { path: 'disk.vhd', offset: 512 });
	expect(header).toMatchObject({ tableOffset: 1536, maxTableEntries: 3, blockSize: 2 * MiB });
	expect(bytes.length).toBe(1536 + 512 + 512);
});
