import { expect, test } from 'vitest';
import { CorruptError } from '../../src/errors.ts';
import { holders } from '../../src/guest/lvm/holders.ts';
import { metadataText, physicalVolume } from '../../src/guest/lvm/label.ts';
import { parseLvmText } from '../../src/guest/lvm/text.ts';
import { groupOf, volumeGroup } from '../../src/guest/lvm/volumes.ts';
import { probeOf } from '../../src/guest/volumes/probe.ts';
import { onDevice, survivesDamage } from './damage.ts';
import { deviceOf, record } from './make-disk.ts';
import { description, physicalPieces, SIZE } from './make-lvm.ts';

const first = 'aaaaaa-bbbb-cccc-dddd-eeee-ffff-000001';
const second = 'aaaaaa-bbbb-cccc-dddd-eeee-ffff-000002';
const physical = [first, second];

const devices = async (text: string, at?: number) =>
	Promise.all(
		physical.map((uuid, index) =>
			deviceOf(SIZE, [...physicalPieces(uuid, text, at), [1 << 20, `begin of ${index}`], [(1 << 20) + 65536, `next of ${index}`]]),
		),
	);

const groupFrom = async (text: string, present: readonly string[] = physical) => {
	const found = await devices(text);
	const [name, group] = groupOf(parseLvmText(text, 'pv'), 'pv');
	return volumeGroup(
		name,
		group,
		found.map((device, index) => ({ uuid: physical[index] ?? '', device })).filter(({ uuid }) => present.includes(uuid)),
		'vg',
	);
};

const linear = `root { id = "x" status = ["READ", "WRITE", "VISIBLE"] segment_count = 2
	segment1 { start_extent = 0 extent_count = 1 type = "striped" stripe_count = 1 stripes = ["pv1", 1] }
	segment2 { start_extent = 1 extent_count = 1 type = "striped" stripe_count = 1 stripes = ["pv0", 0] } }`;

test('a label gives its id and the description, even where the ring wraps', async () => {
	const text = description(physical, linear);
	for (const at of [512, 65536 - 100]) {
		const [device] = await devices(text, at);
		if (!device) throw new Error('no device');
		const label = physicalVolume(await probeOf(device));
		expect(label).toEqual({ uuid: first, deviceSize: SIZE, metadata: [{ start: 4096, size: 65536 }] });
		expect(label && (await metadataText(device, label))).toBe(text);
	}
});

test('a description whose checksum is wrong is refused', async () => {
	const [device] = await devices(description(physical, linear));
	const label = device && physicalVolume(await probeOf(device));
	if (!label) throw new Error('no label');
	const damaged = await deviceOf(SIZE, [...physicalPieces(first, description(physical, linear)), [4096 + 600, 'x']]);
	await expect(metadataText(damaged, label)).rejects.toThrow(/description of LVM's volume group is damaged/);
	expect(await metadataText(await deviceOf(SIZE, []), label)).toBeUndefined();
});

test('a linear volume is read across its physical volumes, in its own order', async () => {
	const { volumes } = await groupFrom(description(physical, linear));
	expect(volumes).toMatchObject([{ id: 'lv:vg/root', size: 2 * 65536, mapperUuid: 'LVM-ggggggggggggggggggggggggggggggggx' }]);
	const bytes = await volumes[0]?.device?.read(65536 - 4, 20);
	expect(Buffer.from(bytes ?? []).toString('latin1')).toBe('\0\0\0\0begin of 0\0\0\0\0\0\0');
	expect(Buffer.from((await volumes[0]?.device?.read(0, 9)) ?? []).toString()).toBe('next of 1');
});

const striped = (more: string) =>
	`s { status = ["VISIBLE"] segment_count = 1 segment1 { start_extent = 0 extent_count = 2 type = "striped" ${more} } }`;

test('a striped volume is read from its physical volumes in turn', async () => {
	const { volumes } = await groupFrom(description(physical, striped('stripe_count = 2 stripe_size = 8 stripes = ["pv1", 0, "pv0", 1]')));
	expect(volumes).toMatchObject([{ id: 'lv:vg/s', size: 2 * 65536 }]);
	const bytes = (await volumes[0]?.device?.read(0, 3 * 4096)) ?? new Uint8Array();
	const at = (offset: number) => Buffer.from(bytes.subarray(offset, offset + 10)).toString('latin1');
	expect([at(0), at(4096), at(2 * 4096)]).toEqual(['begin of 1', 'next of 0\0', '\0'.repeat(10)]);
	const across = await volumes[0]?.device?.read(4090, 15);
	expect(Buffer.from(across ?? []).toString('latin1')).toBe('\0\0\0\0\0\0next of 0');
});

test.each([
	'stripe_count = 2 stripe_size = 0 stripes = ["pv0", 0, "pv1", 0]',
	'stripe_count = 2 stripe_size = 24 stripes = ["pv0", 0, "pv1", 0]',
	'stripe_count = 2 stripes = ["pv0", 0]',
	'stripe_count = 0 stripes = []',
	'stripe_count = 1000000 stripes = ["pv0", 0]',
	'stripe_count = 2 stripe_size = 8 stripes = ["pv0", 0, "pv1", "x"]',
])('stripes that cannot be are refused: %s', async (more) => {
	await expect(groupFrom(description(physical, striped(more)))).rejects.toThrow(CorruptError);
});

test('a mirror is read from its first leg, and the legs are not volumes of their own', async () => {
	const leg = (name: string, pv: number) =>
		`${name} { status = ["READ"] segment_count = 1 segment1 { start_extent = 0 extent_count = 1 type = "striped" stripe_count = 1 stripes = ["pv${pv}", 0] } }`;
	const mirror = `m { status = ["VISIBLE"] segment_count = 1 segment1 { start_extent = 0 extent_count = 1 type = "raid1"
		raids = ["m_rmeta_0", "m_rimage_0", "m_rmeta_1", "m_rimage_1"] } } ${leg('m_rimage_0', 0)} ${leg('m_rimage_1', 1)}`;
	const { volumes } = await groupFrom(description(physical, mirror), [second]);
	expect(volumes.map(({ id }) => id)).toEqual(['lv:vg/m']);
	expect(Buffer.from((await volumes[0]?.device?.read(0, 10)) ?? []).toString()).toBe('begin of 1');
	expect(volumes[0]?.state).toEqual(['degraded']);
	expect((await groupFrom(description(physical, mirror))).volumes[0]?.state).toEqual([]);
	const without = await groupFrom(description(physical, mirror), []);
	expect(without.volumes).toMatchObject([{ state: ['degraded'], unsupported: expect.stringContaining('no leg of the mirror') }]);
});

test.each([
	['of volumes', '"m_mimage_0", 0, "m_mimage_1", 0'],
	['of physical volumes, as the oldest are', '"pv0", 0, "pv1", 0'],
])("a mirror of LVM's first kind, %s, is read from its first leg, which alone is sure to have all of its data", async (_, mirrors) => {
	const leg = (name: string, pv: number) =>
		`${name} { status = ["READ"] segment_count = 1 segment1 { start_extent = 0 extent_count = 1 type = "striped" stripe_count = 1 stripes = ["pv${pv}", 0] } }`;
	const text = description(
		physical,
		`m { status = ["VISIBLE"] segment_count = 1 segment1 { start_extent = 0 extent_count = 1 type = "mirror" mirror_count = 2
		mirror_log = "m_mlog" region_size = 1024 mirrors = [${mirrors}] } } ${leg('m_mimage_0', 0)} ${leg('m_mimage_1', 1)}`,
	);
	for (const [given, state] of [
		[[first, second], []],
		[[first], ['degraded']],
	] as const) {
		const { volumes } = await groupFrom(text, given);
		expect(volumes).toMatchObject([{ id: 'lv:vg/m', size: 65536, state }]);
		expect(Buffer.from((await volumes[0]?.device?.read(0, 10)) ?? []).toString()).toBe('begin of 0');
	}
	const { volumes } = await groupFrom(text, [second]);
	expect(volumes).toMatchObject([{ state: ['degraded'], unsupported: 'the first leg of the mirror was not given: give all disks' }]);
});

test('a volume tells which physical volumes hold it: those of its segments, and of its legs', () => {
	const leg = (pv: number) =>
		`m_rimage_${pv} { segment_count = 1 segment1 { type = "striped" stripe_count = 1 stripes = ["pv${pv}", 0] } }`;
	const mirror = `m { segment_count = 1 segment1 { type = "raid1" raids = ["m_rimage_0", "m_rimage_1", "m", "none"] } }`;
	const text = description(physical, `${linear} ${mirror} ${leg(0)} ${leg(1)}`);
	const [, group] = groupOf(parseLvmText(text, 'pv'), 'pv');
	const held = ['root', 'm', 'm_rimage_1', 'none'].map((name) => [...holders(group)(name)].sort());
	expect(held).toEqual([physical, physical, [second], []]);
});

const IN_SYNC = 0xffff_ffff_ffff_ffffn;

test.each([
	['the last written to', [5, 0, IN_SYNC], [99, 1, IN_SYNC], 'next of 1'],
	['the one that did not fail', [99, 2, IN_SYNC], [99, 2, IN_SYNC], 'next of 0'],
	['the one that is not being rebuilt', [9, 0, 2048n], [9, 0, IN_SYNC], 'next of 1'],
	['none, if all lack data', [99, 2, 2048n], [5, 0, IN_SYNC], undefined],
] as const)('of the legs of a mirror that Linux has notes of, what is read is %s', async (_, one, other, wanted) => {
	const volume = (name: string, pv: number, at: number) =>
		`${name} { status = ["READ"] segment_count = 1 segment1 { start_extent = 0 extent_count = 1 type = "striped" stripe_count = 1 stripes = ["pv${pv}", ${at}] } }`;
	const pair = (leg: number) => `${volume(`m_rmeta_${leg}`, leg, 0)} ${volume(`m_rimage_${leg}`, leg, 1)}`;
	const text = description(
		physical,
		`m { status = ["VISIBLE"] segment_count = 1 segment1 { start_extent = 0 extent_count = 1 type = "raid1"
		raids = ["m_rmeta_0", "m_rimage_0", "m_rmeta_1", "m_rimage_1"] } } ${pair(0)} ${pair(1)}`,
	);
	const found = await Promise.all(
		[one, other].map(async ([events, failed, recovery], index) => {
			const superblock = record(64, [
				[0, 4, 0x64526d44],
				[12, 4, index],
				[16, 8, events],
				[24, 8, failed],
			]);
			new DataView(superblock.buffer).setBigUint64(32, recovery, true);
			return {
				uuid: physical[index] ?? '',
				device: await deviceOf(SIZE, [
					[1 << 20, superblock],
					[(1 << 20) + 65536, `next of ${index}`],
				]),
			};
		}),
	);
	const { volumes } = await volumeGroup(...groupOf(parseLvmText(text, 'pv'), 'pv'), found, 'vg');
	const bytes = await volumes[0]?.device?.read(0, 9);
	expect(bytes && Buffer.from(bytes).toString()).toBe(wanted);
	expect(volumes[0]?.unsupported !== undefined).toBe(wanted === undefined);
});

test.each([
	[
		'striped over what is missing',
		'type = "striped" stripe_count = 2 stripe_size = 8 stripes = ["pv0", 0, "pv1", 0]',
		'a physical volume of it is missing',
	],
	['thin', 'type = "thin" thin_pool = "pool"', "vconv does not read LVM's thin volumes"],
	['on what is missing', 'type = "striped" stripe_count = 1 stripes = ["pv0", 0]', 'a physical volume of it is missing'],
])('a volume that is %s is named and not read', async (_, segment, why) => {
	const { volumes, missing } = await groupFrom(
		description(physical, `a { status = ["VISIBLE"] segment_count = 1 segment1 { start_extent = 0 extent_count = 2 ${segment} } }`),
		[second],
	);
	expect(volumes).toEqual([{ id: 'lv:vg/a', size: 2 * 65536, unsupported: why }]);
	expect(missing).toEqual([first]);
});

test('a description is sections, numbers, texts and lists, with comments', () => {
	expect(parseLvmText('# made\nvg { a = -1 b = "x \\"y\\"" # c\nc = [1, "two", []] d {} }', 'pv')).toEqual({
		vg: { a: -1, b: 'x "y"', c: [1, 'two', []], d: {} },
	});
});

test.each([
	'a {',
	'a = ',
	'a = "b',
	'a b',
	'= 1',
	'a = [1, 2',
	'}',
	`a = ${'['.repeat(100_000)}`,
	'a {'.repeat(100_000),
	`a = "${'x'.repeat(1e6)}`,
	`${' '.repeat(1e6)}"`,
])('a broken description is refused with its place: %.20s', (text) => {
	expect(() => parseLvmText(text, 'pv')).toThrow(CorruptError);
});

test('damaged physical volumes are an answer or a refusal, and soon', async () => {
	const [device] = await devices(description(physical, linear));
	const bytes = (await device?.read(0, SIZE)) ?? new Uint8Array();
	const regions = [
		[512, 700],
		[4096, 4096 + 60],
		[4096 + 512, 4096 + 512 + description(physical, linear).length],
	] as const;
	await survivesDamage(
		bytes,
		onDevice(async (damaged) => {
			const label = physicalVolume(await probeOf(damaged));
			if (!label) return;
			// Read past its checksum, which else would keep most damage from the grammar.
			const bare = await damaged.read(4096 + 512, description(physical, linear).length);
			const text = (await metadataText(damaged, label).catch(() => undefined)) ?? new TextDecoder().decode(bare);
			const [name, group] = groupOf(parseLvmText(text, 'pv'), 'pv');
			for (const { device: volume } of (await volumeGroup(name, group, [{ uuid: label.uuid, device: damaged }], 'vg')).volumes)
				await volume?.read(0, 1024);
		}),
		{ runs: 300, regions },
	);
});
