import fs from 'node:fs';
import path from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { pakoCodec } from '../../src/engine/pako.ts';
import { CorruptError } from '../../src/errors.ts';
import type { GuestReport } from '../../src/guest/facts.ts';
import type { FileSystemReader } from '../../src/guest/filesystem.ts';
import { type InspectOptions, inspectGuest } from '../../src/guest/inspect.ts';
import type { SystemReader } from '../../src/guest/system.ts';
import { diskOf, gptPieces, mbrSector, type Piece, record } from './make-disk.ts';
import { description, physicalPieces, SIZE } from './make-lvm.ts';
import { fileSystemOf } from './make-tree.ts';

const MIB = 2 ** 20;
const ESP = 'c12a7328-f81f-11d2-ba4b-00a0c93ec93b';
const LDM = 'af9b60a0-1431-4f62-bc68-3311714a69ad';
const GUID = '11111111-2222-3333-4444-555555555555';

const schema = new Ajv2020({ strictTypes: false }).compile(
	JSON.parse(fs.readFileSync(path.join(import.meta.dirname, '../../docs/inspect.schema.json'), 'utf8')),
);

/** The report, which is as the published schema says. */
const inspect = async (
	disks: readonly (readonly [number, readonly Piece[]])[],
	options: Partial<InspectOptions> = {},
): Promise<GuestReport> => {
	const given = await Promise.all(
		disks.map(async ([size, pieces], index) => ({ image: `${index}.img`, disk: await diskOf(size, pieces) })),
	);
	const report = await inspectGuest(given, { codec: pakoCodec, ...options });
	schema(JSON.parse(JSON.stringify(report)));
	expect(schema.errors ?? []).toEqual([]);
	return report;
};

const ext4 = (at: number, label: string): readonly Piece[] => [
	[
		at + 1024,
		record(1024, [
			[4, 4, 100],
			[12, 4, 10],
			[24, 4, 2],
			[56, 2, 0xef53],
			[58, 2, 1],
			[96, 4, 0x42],
		]),
	],
	[at + 1024 + 120, label],
];

const readerOf = (folder: Parameters<typeof fileSystemOf>[0]): FileSystemReader => ({
	types: ['ext4'],
	open: async () => fileSystemOf(folder, { free: 4096, state: ['casefold'] }),
});

const system: SystemReader = async ({ facts }, { attempt, volumes }) => {
	if (facts.label !== 'root') return undefined;
	await attempt('/etc/hostname', 'hostname', async () => {
		throw new CorruptError('it is damaged');
	});
	return {
		os: { family: 'linux', name: `a system that sees ${volumes.length} volumes`, root: facts.id },
		mountpoints: new Map([[facts.id, '/']]),
		states: new Map([[facts.id, ['hibernated']]]),
	};
};

const linux = mbrSector([
	{ type: 0x83, start: 2048, count: 2048, active: true },
	{ type: 0x83, start: 4096, count: 2048 },
]);

test('volumes are opened, and what their file systems and systems say is put together', async () => {
	const pieces = [[0, linux], ...ext4(MIB, 'root'), ...ext4(2 * MIB, 'data'), [0x20, 'GRUB']] as const;
	const report = await inspect([[8 * MIB, pieces]], { fileSystems: [readerOf({})], systems: [system] });
	expect(report.volumes).toMatchObject([
		{ id: 'disk0p1', type: 'ext4', label: 'root', free: 4096, clean: true, state: ['casefold', 'hibernated'], mountpoint: '/' },
		{ id: 'disk0p2', label: 'data', state: ['casefold'] },
	]);
	expect(report.os).toMatchObject({ name: 'a system that sees 2 volumes', root: 'disk0p1' });
	expect(report.firmware).toEqual({ type: 'bios', esp: undefined });
	expect(report.incomplete).toEqual([{ where: '/etc/hostname', what: 'hostname', why: 'it is damaged' }]);
});

test('a volume that cannot be read leaves the others as they are', async () => {
	const broken: FileSystemReader = {
		types: ['ext4'],
		async open(device) {
			if (device.name === 'disk0p1') throw new CorruptError('no root directory');
			return fileSystemOf({});
		},
	};
	const pieces = [[0, linux], ...ext4(MIB, 'root'), ...ext4(2 * MIB, 'data')] as const;
	const report = await inspect([[8 * MIB, pieces]], { fileSystems: [broken], systems: [] });
	expect(report.incomplete).toEqual([{ where: 'disk0p1', what: 'file system', why: 'no root directory' }]);
	expect(report.volumes).toMatchObject([{ label: 'root', clean: true }, { label: 'data' }]);
});

test('a volume that takes too much is given up, and the next has all of its own', async () => {
	const greedy: FileSystemReader = {
		types: ['ext4'],
		async open(device) {
			for (let i = 0; i < (device.name === 'disk0p1' ? 100 : 8); i++) await device.read(0, 65_536);
			return fileSystemOf({});
		},
	};
	const pieces = [[0, linux], ...ext4(MIB, 'root'), ...ext4(2 * MIB, 'data')] as const;
	const budget = { bytes: 10 * 65_536, milliseconds: 10_000 };
	const report = await inspect([[8 * MIB, pieces]], { fileSystems: [greedy], systems: [], budget });
	expect(report.incomplete).toEqual([
		{ where: 'disk0p1', what: 'file system', why: `looking into it takes more than ${budget.bytes} bytes, the limit inspect-bytes` },
	]);
});

test('what a signal is aborted with is thrown', async () => {
	await expect(inspect([[MIB, []]], { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough');
});

test('a volume group is found over two disks, one of them partitioned', async () => {
	const physical = ['aaaaaa-bbbb-cccc-dddd-eeee-ffff-000001', 'aaaaaa-bbbb-cccc-dddd-eeee-ffff-000002'];
	const text = description(
		physical,
		'root { status = ["VISIBLE"] segment_count = 1 segment1 { start_extent = 0 extent_count = 8 type = "striped" stripe_count = 1 stripes = ["pv1", 0] } }',
	);
	const [first = '', second = ''] = physical;
	const moved = (pieces: readonly Piece[], by: number): readonly Piece[] => pieces.map(([at, bytes]) => [at + by, bytes]);
	const inside = moved([...physicalPieces(second, text), ...ext4(MIB, 'root')], MIB);
	const table = [0, mbrSector([{ type: 0x8e, start: 2048, count: SIZE / 512 }])] as const;
	const report = await inspect(
		[
			[SIZE, physicalPieces(first, text)],
			[8 * MIB, [table, ...inside]],
		],
		{ fileSystems: [readerOf({})], systems: [system] },
	);
	expect(report.volumes).toMatchObject([
		{ id: 'disk0', type: 'LVM2_member', uuid: first, memberOf: 'vg' },
		{ id: 'disk1p1', type: 'LVM2_member', uuid: second, memberOf: 'vg' },
		{ id: 'lv:vg/root', type: 'ext4', label: 'root', mountpoint: '/', size: 8 * 65_536, on: ['disk1p1'] },
	]);
});

describe('a mirror of Linux', () => {
	/** A member as the `number`th device; its role is that, or another. */
	const member = (
		number: number,
		label: string,
		{ events = 5, role = number, features = 0, members = 2 }: { events?: number; role?: number; features?: number; members?: number } = {},
	): readonly Piece[] => [
		[
			4096,
			record(512, [
				[0, 4, 0xa92b4efc],
				[4, 4, 1],
				[8, 4, features],
				[72, 4, 1],
				[80, 8, 2048],
				[92, 4, members],
				[128, 8, 64],
				[144, 8, 8],
				[160, 4, number],
				[200, 8, events],
				[220, 4, 128],
				[256 + number * 2, 2, role],
			]),
		],
		...ext4(64 * 512, label),
	];
	const volumesOf = async (...members: readonly (readonly Piece[])[]) =>
		(
			await inspect(
				members.map((pieces) => [2 * MIB, pieces]),
				{ fileSystems: [], systems: [] },
			)
		).volumes;

	test('is read from the member that was last written to, and says that it lacks one', async () => {
		const volumes = await volumesOf(member(0, 'old', { members: 3 }), member(1, 'new', { events: 9, members: 3 }));
		expect(volumes.slice(2)).toMatchObject([
			{ type: 'ext4', label: 'new', size: MIB, state: ['degraded'], unsupported: 'vconv does not look into ext4' },
		]);
	});

	test('that lacks nothing is read from its first member', async () => {
		expect((await volumesOf(member(0, 'one'), member(1, 'two')))[2]).toMatchObject({ label: 'one', state: [] });
	});

	test.for([
		['a spare', { role: 0xffff }],
		['a member that failed', { role: 0xfffe, events: 9 }],
		['a member that is being rebuilt', { features: 2, events: 9 }],
	] as const)('is not read from %s', async ([, other]) => {
		const orders = [
			[member(0, 'whole'), member(1, 'stale', other)],
			[member(1, 'stale', other), member(0, 'whole')],
		];
		for (const order of orders) expect((await volumesOf(...order))[2]).toMatchObject({ label: 'whole', state: ['degraded'] });
		const [alone, array] = await volumesOf(member(1, 'stale', other));
		expect(alone?.state).toContain('not-in-sync');
		expect(array).toMatchObject({ type: 'unknown', state: ['degraded'], unsupported: expect.stringContaining('has all of its data') });
	});
});

test('partitions that only Windows could put together are named by their types', async () => {
	const report = await inspect([
		[8 * MIB, [...gptPieces(8 * MIB, [{ type: LDM, guid: GUID, first: 2048, last: 4095 }]), ...ext4(MIB, 'x')]],
	]);
	expect(report.volumes).toMatchObject([{ id: 'disk0p1', type: 'ldm', unsupported: 'vconv does not read dynamic disks of Windows' }]);
});

test('of partitions that begin at the same place the first is looked into, and the others say so', async () => {
	const partitions = [4095, 8191, 4095].map((last) => ({ type: ESP, guid: GUID, first: 2048, last }));
	const pieces = [...gptPieces(8 * MIB, partitions), ...ext4(MIB, 'twice')];
	const report = await inspect([[8 * MIB, pieces]], { fileSystems: [readerOf({})], systems: [] });
	const unsupported = 'it begins where disk0p1 does, which is looked into';
	expect(report.volumes).toMatchObject([{ label: 'twice' }, { type: 'unknown', unsupported }, { type: 'unknown', unsupported }]);
});

test('an ESP makes it a UEFI machine, whose loaders are listed', async () => {
	const fileSystems = [readerOf({ EFI: { debian: { 'shimx64.efi': '', 'grub.cfg': '' }, Microsoft: { Boot: { 'bootmgfw.efi': '' } } } })];
	const pieces = [...gptPieces(8 * MIB, [{ type: ESP, guid: GUID, first: 2048, last: 4095 }]), ...ext4(MIB, 'esp')];
	const { firmware } = await inspect([[8 * MIB, pieces]], { fileSystems, systems: [] });
	expect(firmware).toEqual({
		type: 'uefi',
		esp: 'disk0p1',
		fallbackLoader: false,
		loaders: ['/EFI/debian/shimx64.efi', '/EFI/Microsoft/Boot/bootmgfw.efi'],
	});
});

// The types that gpart gives the partitions of FreeBSD's own images for virtual machines, and the beginning of its /boot/pmbr.
test('BIOS starts FreeBSD from a partition of its own', async () => {
	const boot = { type: '83bd6b9d-7f41-11dc-be0b-001560b84f0f', guid: GUID, first: 2048, last: 3071 };
	const root = { type: '516e7cb6-6ecf-11d6-8ff8-00022d09712b', guid: GUID, first: 4096, last: 6143 };
	const firmware = async (partitions: Parameters<typeof gptPieces>[1]) => {
		const code: Piece = [0, Buffer.from('fc31c08ec08ed88ed0bc007c', 'hex')];
		return (await inspect([[8 * MIB, [...gptPieces(8 * MIB, partitions), code]]])).firmware.type;
	};
	expect(await firmware([boot, root])).toBe('bios');
	expect(await firmware([boot, { type: ESP, guid: GUID, first: 3072, last: 4095 }, root])).toBe('dual');
	expect(await firmware([root])).toBe('unknown');
});

const shim = 's'.repeat(900 << 10);
test.for([
	['a boot manager alone', { 'BOOTX64.EFI': 'm'.repeat(300 << 10) }, true],
	['something smaller than shim', { 'BOOTX64.EFI': 'small' }, true],
	['shim without what it starts', { 'BOOTX64.EFI': shim }, false],
	['shim with GRUB beside it', { 'BOOTX64.EFI': shim, 'grubx64.efi': '' }, true],
	['shim with its fallback beside it', { 'bootx64.efi': shim, 'fbx64.efi': '' }, true],
] as const)('firmware without boot entries finds %s or not', async ([, BOOT, expected]) => {
	const fileSystems = [readerOf({ EFI: { debian: { 'shimx64.efi': shim, 'grubx64.efi': '', 'shimold.efi': 'small' }, BOOT } })];
	const pieces = [...gptPieces(8 * MIB, [{ type: ESP, guid: GUID, first: 2048, last: 4095 }]), ...ext4(MIB, 'esp')];
	const { firmware } = await inspect([[8 * MIB, pieces]], { fileSystems, systems: [] });
	expect(firmware.fallbackLoader).toBe(expected);
});

const systemFor =
	(arch: string | undefined): SystemReader =>
	async ({ facts }) => ({ os: { family: 'linux', name: 'x', root: facts.id, arch } });

// UEFI 2.10, table 3.2: the names of what firmware of each architecture starts from a disk.
test.for([
	['x86_64', 'BOOTX64.EFI', true],
	['x86_64', 'BOOTIA32.EFI', false],
	['x86_64', 'BOOTAA64.EFI', false],
	['i686', 'BOOTIA32.EFI', false],
	['aarch64', 'BOOTAA64.EFI', true],
	['aarch64', 'BOOTX64.EFI', false],
	['riscv64', 'BOOTRISCV64.EFI', true],
	[undefined, 'BOOTAA64.EFI', true],
	[undefined, 'BOOTIA32.EFI', false],
] as const)('firmware for %s has %s to start from or not', async ([arch, name, expected]) => {
	const pieces = [...gptPieces(8 * MIB, [{ type: ESP, guid: GUID, first: 2048, last: 4095 }]), ...ext4(MIB, 'esp')];
	const { firmware } = await inspect([[8 * MIB, pieces]], {
		fileSystems: [readerOf({ EFI: { BOOT: { [name]: '' } } })],
		systems: [systemFor(arch)],
	});
	expect(firmware.fallbackLoader).toBe(expected);
});

test('a shim for another CPU, which has nothing to start, is no matter', async () => {
	const BOOT = { 'BOOTAA64.EFI': shim, 'BOOTX64.EFI': 'm'.repeat(300 << 10) };
	const pieces = [...gptPieces(8 * MIB, [{ type: ESP, guid: GUID, first: 2048, last: 4095 }]), ...ext4(MIB, 'esp')];
	const fileSystems = [readerOf({ EFI: { debian: { 'shimaa64.efi': shim }, BOOT } })];
	expect((await inspect([[8 * MIB, pieces]], { fileSystems, systems: [systemFor('x86_64')] })).firmware.fallbackLoader).toBe(true);
});

/** What `grub-mkimage -O x86_64-efi` of GRUB 2.06 writes at the beginning, and Debian's shim 15.8, but for zeros and text for DOS. */
const efi = (count: string, ...sections: string[]): Uint8Array => {
	const bytes = Buffer.alloc(4096);
	for (const [at, hex] of [
		[0, '4d5a90000300000004000000ffff0000'],
		[0x3c, '80000000'],
		[0x80, `504500006486${count}008ea4540000000000000000f0000e020b02`],
	] as const)
		bytes.set(Buffer.from(hex, 'hex'), at);
	for (const [index, name] of sections.entries()) bytes.write(name, 0x188 + index * 40, 'latin1');
	return bytes;
};
test.for([
	['GRUB', efi('0400', '.text', '.data', 'mods', '.reloc'), true],
	["a distribution's GRUB", efi('0500', '.text', '.data', 'mods', '.sbat', '.reloc'), true],
	['shim', efi('0a00', '/4', '.text', '.reloc', '/14', '/26', '.data', '/37', '.dynamic', '.rela', '.sbat'), undefined],
	['a header that ends too early', efi('ffff').subarray(0, 0x90), undefined],
	['a stub', 'MZ', undefined],
] as const)('the loader that firmware finds is known for GRUB or not: %s', async ([, loader, expected]) => {
	const fileSystems = [readerOf({ EFI: { BOOT: { 'BOOTX64.EFI': loader } } })];
	const pieces = [...gptPieces(8 * MIB, [{ type: ESP, guid: GUID, first: 2048, last: 4095 }]), ...ext4(MIB, 'esp')];
	const { firmware } = await inspect([[8 * MIB, pieces]], { fileSystems, systems: [] });
	expect(firmware).toMatchObject({ fallbackLoader: true });
	expect(firmware.fallbackIsGrub).toBe(expected);
});

test('of several ESPs all are looked into for a loader that firmware finds by itself', async () => {
	const esps: Record<string, Parameters<typeof fileSystemOf>[0]> = {
		disk0p1: { EFI: { debian: { 'grubx64.efi': '' } } },
		disk0p2: { EFI: { BOOT: { 'BOOTX64.EFI': '' } } },
	};
	const reader: FileSystemReader = { types: ['ext4'], open: async ({ name }) => fileSystemOf(esps[name] ?? {}) };
	const partitions = [2048, 4096].map((first) => ({ type: ESP, guid: GUID, first, last: first + 2047 }));
	const pieces = [...gptPieces(8 * MIB, partitions), ...ext4(MIB, 'one'), ...ext4(2 * MIB, 'two')];
	const { firmware } = await inspect([[8 * MIB, pieces]], { fileSystems: [reader], systems: [] });
	const loaders = ['/EFI/debian/grubx64.efi', '/EFI/BOOT/BOOTX64.EFI'];
	expect(firmware).toEqual({ type: 'uefi', esp: 'disk0p2', fallbackLoader: true, loaders });
	const unread = await inspect([[8 * MIB, pieces.slice(0, -2)]], { fileSystems: [reader], systems: [] });
	expect(unread.firmware).toMatchObject({ esp: 'disk0p1', fallbackLoader: undefined });
});

test('a partition that ends behind its disk is not read, and the file system on a cut disk is said to be cut', async () => {
	const mbr = mbrSector([{ type: 0x83, start: 2048, count: 1 << 20 }]);
	const outside = await inspect([[8 * MIB, [[0, mbr]]]]);
	expect(outside.incomplete).toMatchObject([{ where: 'disk0p1', what: 'partition' }]);
	const cut = await inspect([[200_000, ext4(0, 'x')]], { fileSystems: [] });
	expect(cut.volumes).toMatchObject([{ type: 'ext4', state: ['larger-than-volume'] }]);
});

test('a disk of 64 TiB without data costs no time and next to no reads', async () => {
	const size = 2 ** 46;
	const report = await inspect([[size, gptPieces(size, [{ type: ESP, guid: GUID, first: 2048, last: size / 512 - 4096 }])]]);
	expect(report.disks[0]).toMatchObject({ flags: [], partitions: [{ type: 'esp' }] });
	expect(report.cost.bytes).toBeLessThan(MIB);
	expect(report.cost.milliseconds).toBeLessThan(500);
});

test('a report with everything in it is as the schema says', () => {
	const driver = { state: 'boot', evidence: 'built in' } as const;
	const drivers = { disk: { 'virtio-blk': driver, xen: driver }, network: { virtio: driver } };
	const full: GuestReport = {
		schema: 'vconv.guest/1',
		cost: { milliseconds: 1, reads: 2, bytes: 3 },
		disks: [],
		volumes: [],
		firmware: { type: 'dual', fallbackLoader: true, loaders: ['/EFI/x.efi'], esp: 'disk0p1' },
		os: {
			...{
				family: 'windows',
				name: 'Windows',
				root: 'disk0p2',
				distro: 'x',
				version: '10.0',
				build: '1.2',
				edition: 'Pro',
				arch: 'x86_64',
			},
			...{ hostname: 'web', initramfsTool: 'dracut', selinux: 'enforcing', role: 'cluster' },
			kernels: [{ version: '6.1', default: true, image: '/boot/x', initramfs: '/boot/y', drivers }],
			bootloader: { kind: 'grub2', file: '/boot/grub/grub.cfg', commandLine: 'root=x' },
			mounts: [{ device: 'UUID=x', mountpoint: '/', type: 'ext4', options: ['ro'], volume: 'disk0p2', where: '/etc/fstab:1' }],
			marks: [{ code: 'fast-startup', evidence: '1', where: 'SYSTEM' }],
		},
		otherSystems: [],
		drivers,
		network: [{ source: 'x', name: 'ens192', mac: 'x', method: 'static', addresses: ['10.0.0.2/24'], gateway: '10.0.0.1' }],
		software: {
			...{ vmwareTools: '12', hypervTools: 'x', virtualboxTools: 'x', xenTools: 'x', qemuAgent: 'x', cloudInit: 'x', antivirus: ['x'] },
		},
		incomplete: [{ where: 'x', what: 'y', why: 'z' }],
	};
	expect([schema(full), schema.errors]).toEqual([true, null]);
	expect(schema({ ...full, more: 1 })).toBe(false);
});
