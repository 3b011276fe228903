import { expect, test } from 'vitest';
import { probeVolume } from '../../src/guest/volumes/index.ts';
import { onDevice, survivesDamage } from './damage.ts';
import { deviceOf, type Piece, record } from './make-disk.ts';

const MIB = 1 << 20;

const luks2 = (json: string): readonly Piece[] => [
	[
		0,
		record(
			4096,
			[
				[6, 2, 2],
				[8, 8, 16384],
			],
			true,
		),
	],
	[0, 'LUKS\xba\xbe'],
	[24, 'sealed'],
	[168, '01234567-89ab-cdef-0123-456789abcdef'],
	[4096, json],
];

const clevis = (pin: string): object => ({
	type: 'clevis',
	jwe: { protected: btoa(JSON.stringify({ clevis: { pin } })).replaceAll('=', '') },
});

test.each([
	['no tokens', {}, []],
	['a TPM of systemd', { 0: { type: 'systemd-tpm2' } }, ['systemd-tpm2']],
	['a TPM of clevis', { 3: clevis('tpm2'), 4: clevis('tang') }, ['clevis-tpm2', 'clevis-tang']],
	['a clevis that says nothing', { 0: { type: 'clevis', jwe: { protected: '%%%' } } }, ['clevis']],
])('LUKS2 with %s says what unlocks it', async (_, tokens, words) => {
	const found = await probeVolume(await deviceOf(MIB, luks2(JSON.stringify({ keyslots: {}, tokens }))));
	expect(found).toMatchObject({ type: 'crypto_LUKS', label: 'sealed', encrypted: true, state: ['luks2', ...words] });
});

test.each([
	['a slot for a passphrase', { 0: {}, 1: {} }, { 0: { type: 'systemd-tpm2', keyslots: ['1'] } }, ['systemd-tpm2', 'passphrase']],
	['slots of a TPM alone', { 0: {}, 1: {} }, { 0: { type: 'systemd-tpm2', keyslots: ['0', '1'] } }, ['systemd-tpm2']],
	[
		'a recovery key',
		{ 0: {}, 1: {} },
		{ 0: { ...clevis('tpm2'), keyslots: ['0'] }, 1: { type: 'systemd-recovery', keyslots: ['1'] } },
		['clevis-tpm2', 'systemd-recovery', 'passphrase'],
	],
	['no slots that are read', 7, { 0: { type: 'systemd-tpm2', keyslots: 3 } }, ['systemd-tpm2']],
])('LUKS2 with %s says whether somebody can unlock it by typing', async (_, keyslots, tokens, words) => {
	const { state } = await probeVolume(await deviceOf(MIB, luks2(JSON.stringify({ keyslots, tokens }))));
	expect(state).toEqual(['luks2', ...words]);
});

test.each(['{', '[]', '[1]', '{"tokens":', '['.repeat(12_000), '{"keyslots":{}}'])(
	'LUKS2 with the JSON %.20s is still LUKS2',
	async (json) => {
		const { type, state } = await probeVolume(await deviceOf(MIB, luks2(json)));
		expect([type, state]).toEqual(['crypto_LUKS', ['luks2', 'header-damaged']]);
	},
);

test('LUKS2 whose first header was wiped is known by the second, unless something else took its place', async () => {
	const second: readonly Piece[] = [
		[
			32768,
			record(
				4096,
				[
					[6, 2, 2],
					[256, 8, 32768],
				],
				true,
			),
		],
		[32768, 'SKUL\xba\xbe'],
		[32768 + 168, '01234567-89ab-cdef-0123-456789abcdef'],
	];
	expect(await probeVolume(await deviceOf(MIB, second))).toMatchObject({
		type: 'crypto_LUKS',
		uuid: '01234567-89ab-cdef-0123-456789abcdef',
		encrypted: true,
		state: ['luks2', 'header-damaged'],
	});
	expect((await probeVolume(await deviceOf(MIB, [...second, [0x10040, '_BHRfS_M']]))).type).toBe('btrfs');
});

const swapWith = (magic: string): readonly Piece[] => [[4096 - 10, magic]];

test.each(['S1SUSPEND', 'S2SUSPEND', 'ULSUSPEND', 'LINHIB0001'])(
	'swap space that holds a system asleep is hibernated: %s',
	async (magic) => {
		expect(await probeVolume(await deviceOf(MIB, swapWith(magic)))).toMatchObject({ type: 'swap', clean: false, state: ['hibernated'] });
	},
);

const ext = (state: number, incompatible: number): readonly Piece[] => [
	[
		1024,
		record(1024, [
			[4, 4, 1000],
			[12, 4, 10],
			[24, 4, 2],
			[56, 2, 0xef53],
			[58, 2, state],
			[92, 4, 4],
			[96, 4, incompatible],
		]),
	],
];

test.each([
	['unmounted', 1, 0x42, true, []],
	['with a log to be replayed', 1, 0x46, false, ['needs-recovery']],
	['with errors', 3, 0x42, false, ['errors']],
	['mounted without a log', 0, 0x42, false, ['not-unmounted']],
])('an ext4 that was %s says so', async (_, state, incompatible, clean, words) => {
	const found = await probeVolume(await deviceOf(MIB, ext(state, incompatible)));
	expect(found).toMatchObject({ type: 'ext4', clean, state: words, blockSize: 4096, fileSystemSize: 4_096_000 });
	expect(found?.free).toBe(clean ? 40_960 : undefined); // only then what the superblock counts is kept up
});

const mdAt = (at: number): readonly Piece[] => [
	[
		at,
		record(256, [
			[0, 4, 0xa92b4efc],
			[4, 4, 1],
			[72, 4, 1],
			[80, 8, 1024],
			[92, 4, 2],
			[128, 8, 64],
			[136, 8, 1024],
			[144, 8, at / 512],
			[220, 4, 1],
		]),
	],
	[at + 32, 'web:0'],
];

test.each([
	['1.2', 4096],
	['1.1', 0],
	['1.0', MIB - 8192],
])('a member of an array is one before it is the file system in it: version %s', async (version, at) => {
	const found = await probeVolume(await deviceOf(MIB, [...(at === 0 ? [] : ext(1, 2)), ...mdAt(at)]));
	expect(found).toMatchObject({ type: 'linux_raid_member', label: 'web:0', state: [`metadata-${version}`, 'raid1'] });
});

// Linux takes no member whose data_offset and data_size lead beyond its device (load_super_1).
test('a member of an array says what it spans', async () => {
	expect((await probeVolume(await deviceOf(MIB, mdAt(4096)))).fileSystemSize).toBe((64 + 1024) * 512);
});

/** An XFS whose log of 64 KiB is 64 KiB in: one round of blocks, and in the last but one the header of a record of one operation. */
const xfs = (flags: number): readonly Piece[] => [
	[
		0,
		record(
			512,
			[
				[4, 4, 4096],
				[8, 8, 256],
				[48, 8, 16],
				[84, 4, 256],
				[88, 4, 1],
				[96, 4, 16],
				[100, 2, 5],
				[124, 1, 8],
				[144, 8, 100],
			],
			true,
		),
	],
	[0, 'XFSB'],
	...Array.from({ length: 10 }, (_, index) => [65_536 + index * 512, record(4, [[0, 4, 1]], true)] as const),
	[
		65_536 + 8 * 512,
		record(
			512,
			[
				[0, 4, 0xfeedbabe],
				[4, 4, 1],
				[8, 4, 2],
				[12, 4, 512],
				[40, 4, 1],
				[320, 4, 32_768],
			],
			true,
		),
	],
	[65_536 + 9 * 512 + 9, Uint8Array.of(flags)],
];

test('an XFS was unmounted if the last record of its log says so, and only then what it counts as free holds', async () => {
	expect(await probeVolume(await deviceOf(MIB, xfs(0x20)))).toMatchObject({
		type: 'xfs',
		clean: true,
		fileSystemSize: MIB,
		free: 80 * 4096,
		state: [],
	});
	expect(await probeVolume(await deviceOf(MIB, xfs(0)))).toMatchObject({
		clean: false,
		free: undefined,
		state: ['needs-recovery'],
	});
	const never = xfs(0).slice(0, 2);
	expect(await probeVolume(await deviceOf(MIB, never))).toMatchObject({ clean: true });
});

test.each<[string, readonly Piece[], string]>([
	['BitLocker', [[3, '-FVE-FS-']], 'BitLocker'],
	['ReFS', [[3, 'ReFS\0\0\0\0']], 'ReFS'],
	['APFS', [[32, 'NXSB']], 'apfs'],
	['ZFS', [[16384, '\x01\x01\0\0\0\0\0\0\0\0\0\x01\0\0\0\x24\0\0\0\x20\0\0\0\x04name\0\0\0\x09\0\0\0\x01\0\0\0\x04tank']], 'zfs_member'],
	['bcache', [[4120, '\xc6\x85\x73\xf6\x4e\x1a\x45\xca\x82\x65\xf5\x7f\x48\xba\x6d\x81']], 'bcache'],
	['stratis', [[516, '!Stra0tis\x86\xff\x02^\x41rh']], 'stratis'],
	['VDO', [[0, 'dmvdo001']], 'vdo'],
	['btrfs', [[0x10040, '_BHRfS_M']], 'btrfs'],
	['f2fs', [[1024, '\x10\x20\xf5\xf2']], 'f2fs'],
	['nothing', [], 'unknown'],
	[
		'noise',
		[
			[0, record(512, [[510, 2, 0xaa55]])],
			[600, 'noise'],
		],
		'unknown',
	],
])('%s is recognised', async (_, pieces, type) => {
	expect((await probeVolume(await deviceOf(MIB, pieces))).type).toBe(type);
});

test('a btrfs on several devices is as large here as it is on this one', async () => {
	const superblock = record(4096, [
		[0x70, 8, 4 * MIB],
		[0x88, 8, 2],
		[0xd1, 8, MIB],
	]);
	const device = await deviceOf(MIB, [
		[0x10000, superblock],
		[0x10040, '_BHRfS_M'],
	]);
	expect(await probeVolume(device)).toMatchObject({ type: 'btrfs', fileSystemSize: MIB, free: undefined, state: ['multi-device'] });
});

test.each([
	[0, 3 * MIB, []],
	[0x1d4c000, undefined, ['needs-recovery']],
])('a btrfs has free what is not used, but for one with a log at %i', async (log, free, state) => {
	const superblock = record(4096, [
		[0x60, 8, log],
		[0x70, 8, 4 * MIB],
		[0x78, 8, MIB],
		[0x88, 8, 1],
	]);
	const device = await deviceOf(MIB, [
		[0x10000, superblock],
		[0x10040, '_BHRfS_M'],
	]);
	expect(await probeVolume(device)).toMatchObject({ type: 'btrfs', free, state });
});

test('the name of a ZFS pool is its label', async () => {
	const list = '\x01\x01\0\0\0\0\0\0\0\0\0\x01\0\0\0\x24\0\0\0\x20\0\0\0\x04name\0\0\0\x09\0\0\0\x01\0\0\0\x04tank';
	expect((await probeVolume(await deviceOf(MIB, [[16384, list]]))).label).toBe('tank');
});

test('a volume too small for anything holds nothing known', async () => {
	for (const size of [0, 511, 512, 4096]) expect(await probeVolume(await deviceOf(size, []))).toEqual({ type: 'unknown' });
});

test('damaged superblocks are an answer or a refusal, and soon', async () => {
	const of = async (pieces: readonly Piece[]): Promise<Uint8Array> => (await deviceOf(MIB, pieces)).read(0, MIB);
	await survivesDamage(await of(luks2(JSON.stringify({ tokens: { 0: clevis('tpm2') } }))), onDevice(probeVolume), {
		runs: 150,
		regions: [
			[0, 200],
			[4096, 4200],
		],
	});
	await survivesDamage(await of([...ext(1, 2), ...mdAt(4096)]), onDevice(probeVolume), {
		runs: 150,
		regions: [
			[1024, 2048],
			[4096, 4352],
		],
	});
	await survivesDamage(await of(xfs(0x20)), onDevice(probeVolume), {
		runs: 150,
		regions: [
			[0, 130],
			[65_536, 65_536 + 5120],
		],
	});
	const zfs = '\x01\x01\0\0\0\0\0\0\0\0\0\x01\0\0\0\x24\0\0\0\x20\0\0\0\x04name\0\0\0\x09\0\0\0\x01\0\0\0\x04tank';
	await survivesDamage(await of([[16384, zfs]]), onDevice(probeVolume), { runs: 150, regions: [[16384, 16384 + zfs.length]] });
});
