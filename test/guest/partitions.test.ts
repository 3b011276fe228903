import { expect, test } from 'vitest';
import { readPartitions } from '../../src/guest/partitions/index.ts';
import { effort } from '../helpers/effort.ts';
import { onDevice, survivesDamage } from './damage.ts';
import { deviceOf, gptPieces, mbrSector, record } from './make-disk.ts';

const MIB = 1 << 20;
const LINUX = '0fc63daf-8483-4772-8e79-3d69d8477de4';
const ESP = 'c12a7328-f81f-11d2-ba4b-00a0c93ec93b';
const GUID = '11111111-2222-3333-4444-555555555555';

const entries = [
	{ type: ESP, guid: GUID, first: 2048, last: 4095, name: 'EFI' },
	{ type: LINUX, guid: GUID.replaceAll('1', '9'), first: 4096, last: 8191, name: 'root' },
];

test('a GPT gives its partitions with names, types and GUIDs', async () => {
	const device = await deviceOf(16 * MIB, gptPieces(16 * MIB, entries));
	expect(await readPartitions(device)).toEqual({
		scheme: 'gpt',
		diskId: '01234567-89ab-cdef-0123-456789abcdef',
		flags: [],
		biosBootCode: null,
		partitions: [
			{ number: 1, start: MIB, size: MIB, type: 'esp', typeGuid: ESP, uuid: GUID, name: 'EFI', bootable: false },
			{
				number: 2,
				start: 2 * MIB,
				size: 2 * MIB,
				type: 'linux',
				typeGuid: LINUX,
				uuid: GUID.replaceAll('1', '9'),
				name: 'root',
				bootable: false,
			},
		],
	});
});

test('a GPT of more partitions than any system makes is refused, and soon', async () => {
	const many = Array.from({ length: 30_000 }, (_, index) => ({ type: LINUX, guid: GUID, first: 20_000 + index, last: 20_000 + index }));
	const device = await deviceOf(64 * MIB, gptPieces(64 * MIB, many));
	const spent = effort();
	await expect(readPartitions(device)).rejects.toThrow('the GPT has 30000 partitions, and no more than 1024 are read');
	expect(spent()).toBeLessThan(500);
});

test('a GPT in sectors of 4096 bytes is found, on such a disk without a word and on another with one', async () => {
	const pieces = gptPieces(16 * MIB, [{ ...entries[1], type: LINUX, guid: GUID, first: 256, last: 511 }], 4096);
	for (const sectorSize of [512, 4096] as const) {
		const { partitions, flags } = await readPartitions(await deviceOf(16 * MIB, pieces, sectorSize));
		expect(partitions).toMatchObject([{ start: MIB, size: MIB }]);
		expect(flags).toEqual(sectorSize === 4096 ? [] : ['gpt-sector-size-mismatch']);
	}
});

test.each([
	['a damaged first header', [[512 + 16, new Uint8Array(4)]], 16 * MIB, ['gpt-primary-bad']],
	['a damaged first table', [[1024 + 40, new Uint8Array(2)]], 16 * MIB, ['gpt-primary-bad']],
	['a damaged copy', [[16 * MIB - 512, new Uint8Array(512)]], 16 * MIB, ['gpt-backup-bad']],
	[
		'a copy with other partitions',
		gptPieces(16 * MIB, [{ type: LINUX, guid: GUID, first: 4096, last: 8191 }]).filter(([at]) => at > MIB),
		16 * MIB,
		['gpt-copies-differ'],
	],
	['a disk that was grown', [], 32 * MIB, ['gpt-backup-not-at-end']],
	['no protective MBR', [[0, new Uint8Array(512)]], 16 * MIB, ['no-protective-mbr']],
	[
		'an MBR with partitions of its own',
		[
			[
				0,
				mbrSector([
					{ type: 0xee, start: 1, count: 2047 },
					{ type: 0x83, start: 4096, count: 4096 },
				]),
			],
		],
		16 * MIB,
		['hybrid-mbr'],
	],
] as const)('%s is said, and the partitions are there', async (_, damage, size, flags) => {
	const device = await deviceOf(size, [...gptPieces(16 * MIB, entries), ...damage]);
	const table = await readPartitions(device);
	expect(table.flags).toEqual(flags);
	expect(table.partitions.map(({ number }) => number)).toEqual([1, 2]);
});

test('where both copies are damaged nothing is guessed', async () => {
	const device = await deviceOf(16 * MIB, [
		...gptPieces(16 * MIB, entries),
		[1024, new Uint8Array(20).fill(7)],
		[16 * MIB - 512, new Uint8Array(512)],
	]);
	expect(await readPartitions(device)).toMatchObject({ scheme: 'gpt', partitions: [], flags: ['gpt-primary-bad', 'gpt-backup-bad'] });
});

const blank = [[0, new Uint8Array(2 * MIB)], ...gptPieces(16 * MIB, entries).filter(([at]) => at > MIB)] as const;

test.each([
	[
		'LVM',
		[
			[512, 'LABELONE'],
			[536, 'LVM2 001'],
		],
	],
	['swap', [[4086, 'SWAPSPACE2']]],
] as const)('%s on the whole disk counts, and not the copy of a GPT that was there before, which is told', async (_, pieces) => {
	const table = await readPartitions(await deviceOf(16 * MIB, [...blank, ...pieces]));
	expect(table).toEqual({ scheme: 'none', flags: ['gpt-leftover'], partitions: [], biosBootCode: null });
});

// What mdadm, `pvcreate --labelsector 0` and mke2fs leave of a GPT that was there: the whole of it but for the first sector or less.
test.each([
	[
		'LVM',
		[
			[0, 'LABELONE'],
			[24, 'LVM2 001'],
		],
	],
	['swap', [[4086, 'SWAPSPACE2']]],
] as const)('%s on the whole disk counts, and not a whole GPT without a protective MBR', async (_, pieces) => {
	const table = await readPartitions(await deviceOf(64 * MIB, [...gptPieces(64 * MIB, entries), [0, new Uint8Array(512)], ...pieces]));
	expect(table).toEqual({ scheme: 'none', flags: ['gpt-leftover'], partitions: [], biosBootCode: null });
});

test('a copy of a GPT alone is told, and not believed', async () => {
	const table = await readPartitions(await deviceOf(16 * MIB, blank));
	expect(table).toMatchObject({ scheme: 'none', partitions: [], flags: ['gpt-primary-bad', 'no-protective-mbr'] });
});

test('a GPT under an MBR that does not protect it does not count', async () => {
	const mbr = mbrSector([{ type: 0x83, start: 2048, count: 2048, active: true }]);
	const table = await readPartitions(await deviceOf(16 * MIB, [...gptPieces(16 * MIB, entries), [0, mbr]]));
	expect(table).toMatchObject({ scheme: 'mbr', diskId: '1234abcd', partitions: [{ number: 1, bootable: true, uuid: '1234abcd-01' }] });
});

const logical = mbrSector([
	{ type: 0x83, start: 63, count: 100 },
	{ type: 5, start: 4096, count: 4096 },
]);
const lastLogical = mbrSector([{ type: 0x8e, start: 63, count: 200 }]);
const extended = [
	[
		0,
		mbrSector([
			{ type: 0x0c, start: 2048, count: 2048 },
			{ type: 0x0f, start: 8192, count: 16384 },
		]),
	],
	[8192 * 512, logical],
	[(8192 + 4096) * 512, lastLogical],
] as const;

test('logical partitions count from the record that names them, and have numbers from 5', async () => {
	const { partitions, flags } = await readPartitions(await deviceOf(16 * MIB, extended));
	expect(flags).toEqual([]);
	expect(partitions.map(({ number, type, start, logical: inner }) => [number, type, start / 512, inner ?? false])).toEqual([
		[1, 'fat', 2048, false],
		[2, 'extended', 8192, false],
		[5, 'linux', 8192 + 63, true],
		[6, 'lvm', 8192 + 4096 + 63, true],
	]);
});

test('logical partitions are in every extended one, and in any place of a record', async () => {
	const records = [
		[
			0,
			mbrSector([
				{ type: 0x05, start: 2048, count: 4096 },
				{ type: 0x85, start: 8192, count: 4096 },
			]),
		],
		[
			2048 * 512,
			mbrSector([
				{ type: 5, start: 2048, count: 2048 },
				{ type: 0x83, start: 63, count: 100 },
			]),
		],
		[
			4096 * 512,
			mbrSector([
				{ type: 0, start: 0, count: 0 },
				{ type: 0, start: 0, count: 0 },
				{ type: 0x83, start: 63, count: 100 },
			]),
		],
		[8192 * 512, mbrSector([{ type: 0x83, start: 63, count: 100 }])],
	] as const;
	const { partitions, flags } = await readPartitions(await deviceOf(16 * MIB, records));
	expect(flags).toEqual([]);
	expect(partitions.filter((one) => one.logical).map(({ number, start }) => [number, start / 512])).toEqual([
		[5, 2048 + 63],
		[6, 4096 + 63],
		[7, 8192 + 63],
	]);
});

test.each([
	[
		'comes back to itself',
		mbrSector([
			{ type: 0x83, start: 63, count: 9 },
			{ type: 5, start: 4096, count: 9 },
		]),
	],
	[
		'leaves the disk',
		mbrSector([
			{ type: 0x83, start: 63, count: 9 },
			{ type: 5, start: 0xfffffff0, count: 9 },
		]),
	],
	[
		'leads to what is no record',
		mbrSector([
			{ type: 0x83, start: 63, count: 9 },
			{ type: 5, start: 5000, count: 9 },
		]),
	],
])('a chain of logical partitions that %s ends there', async (_, sector) => {
	const { partitions, flags } = await readPartitions(await deviceOf(16 * MIB, [...extended, [(8192 + 4096) * 512, sector]]));
	expect(flags).toEqual(['ebr-chain-broken']);
	expect(partitions.map(({ number }) => number)).toEqual([1, 2, 5, 6]);
});

test('partitions that share sectors or end behind the disk are said', async () => {
	const mbr = mbrSector([
		{ type: 0x83, start: 2048, count: 4096 },
		{ type: 0x83, start: 4096, count: 0x7fffffff },
	]);
	expect((await readPartitions(await deviceOf(16 * MIB, [[0, mbr]]))).flags).toEqual(['partitions-overlap', 'partition-outside']);
});

test('the boot sector of a file system is no partition table', async () => {
	const boot = record(512, [[510, 2, 0xaa55]]);
	boot.set(new TextEncoder().encode('This is not a bootable disk. Please insert a bootable floppy'), 440);
	expect(await readPartitions(await deviceOf(MIB, [[0, boot]]))).toMatchObject({ scheme: 'none', partitions: [], biosBootCode: null });
});

test.each([
	['GRUB', 'GRUB \0Geom\0Hard Disk\0Read\0 Error', 'grub'],
	['Windows', 'Invalid partition table\0Error loading operating system\0Missing operating system', 'windows'],
	['somebody', 'boot?', 'other'],
])('the boot code of %s is known by what it says', async (_, text, code) => {
	const mbr = mbrSector([{ type: 0x83, start: 2048, count: 4096, active: true }]);
	expect(
		(
			await readPartitions(
				await deviceOf(16 * MIB, [
					[0, mbr],
					[300, text],
				]),
			)
		).biosBootCode,
	).toBe(code);
});

test('damaged tables are an answer or a refusal, and soon', async () => {
	const read = async (pieces: Parameters<typeof deviceOf>[1]): Promise<Uint8Array> => (await deviceOf(16 * MIB, pieces)).read(0, 16 * MIB);
	const gpt = await read(gptPieces(16 * MIB, entries));
	await survivesDamage(gpt, onDevice(readPartitions), {
		runs: 100,
		regions: [
			[440, 512 + 92],
			[1024, 1024 + 300],
			[16 * MIB - 512, 16 * MIB],
		],
	});
	await survivesDamage(await read(extended), onDevice(readPartitions), {
		runs: 100,
		regions: [
			[440, 512],
			[8192 * 512 + 440, 8192 * 512 + 512],
		],
	});
});
