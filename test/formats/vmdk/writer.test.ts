import { describe, expect, test } from 'vitest';
import { geometryOf } from '../../../formats/vmdk/geometry.ts';
import { allocateGrains } from '../../../formats/vmdk/grains.ts';
import { MARKER, sparseHeader } from '../../../formats/vmdk/layout.ts';
import { SUBFORMATS } from '../../../formats/vmdk/options.ts';
import { vmdkWriter } from '../../../formats/vmdk/writer.ts';
import { optionValues } from '../../../src/convert/options.ts';
import type { Layout, OptionValues, WriteRequest } from '../../../src/core/format.ts';
import { UnsupportedError, UsageError } from '../../../src/errors.ts';
import { type MemorySink, memorySink } from '../../../src/io/memory.ts';
import { fixedStamp } from '../../helpers/image.ts';

const MiB = 2 ** 20;
const GiB = 2 ** 30;
const TiB = 2 ** 40;

type Plan = Partial<Omit<WriteRequest, 'options'>> & { readonly options?: OptionValues };

const plan = ({ options = {}, ...request }: Plan = {}): Layout =>
	vmdkWriter.plan({
		size: 64 * MiB,
		sectorSize: 512,
		name: 'web.vmdk',
		options: optionValues(vmdkWriter.options, options, 'vmdk'),
		compress: false,
		stamp: fixedStamp(),
		...request,
	});

/** The files of a layout without any data. */
const finished = async (layout: Layout): Promise<MemorySink[]> => {
	const sinks = ['web.vmdk', ...(layout.files ?? [])].map(memorySink);
	await layout.finish(sinks);
	return sinks;
};

const bytesOf = async (sink: MemorySink | undefined): Promise<Uint8Array> => sink?.source().read(0, sink.size) ?? new Uint8Array();

const textOf = async (sink: MemorySink | undefined): Promise<string> => new TextDecoder().decode(await bytesOf(sink));

const BACKING = { name: 'base.vmdk', format: 'vmdk', size: 64 * MiB, id: 'CAFE0001' };

test('the descriptor for ESXi says what vmkfstools would', async () => {
	const layout = plan({ size: 10 * GiB, options: { subformat: 'vmfs', thin_provisioned: 'on' } });
	expect(layout.files).toEqual(['web-flat.vmdk']);
	const [main, flat] = await finished(layout);
	expect(await textOf(main)).toBe(
		`# Disk DescriptorFile
version=1
encoding="UTF-8"
CID=01010101
parentCID=ffffffff
createType="vmfs"

# Extent description
RW 20971520 VMFS "web-flat.vmdk"

# The Disk Data Base
#DDB

ddb.adapterType = "lsilogic"
ddb.geometry.cylinders = "1305"
ddb.geometry.heads = "255"
ddb.geometry.sectors = "63"
ddb.longContentID = "01010101010101010101010101010101"
ddb.thinProvisioned = "1"
ddb.toolsVersion = "2147483647"
ddb.uuid = "60 00 C2 92 02 02 02 02-02 02 02 02 02 02 02 02"
ddb.virtualHWVersion = "8"
`,
	);
	expect(flat?.size).toBe(10 * GiB);
});

test('the parts of a split disk are 2047 MiB and named as VMware names them', async () => {
	const layout = plan({ size: 2 * GiB, name: 'a.b.vmdk', options: { subformat: 'twoGbMaxExtentFlat' } });
	expect(await textOf((await finished(layout))[0])).toContain('RW 4192256 FLAT "a.b-f001.vmdk" 0\nRW 2048 FLAT "a.b-f002.vmdk" 0\n');
	expect(plan({ name: 'disk', options: { subformat: 'twoGbMaxExtentSparse' } }).files).toEqual(['disk-s001']);
});

test('a delta names its parent, and leaves the identity of the disk to it', async () => {
	const text = await textOf((await finished(plan({ backing: BACKING })))[0]);
	expect(text).toContain('parentCID=cafe0001\ncreateType="monolithicSparse"\nparentFileNameHint="base.vmdk"\n');
	expect(text).not.toContain('ddb.uuid');
});

test('no image has a CID that means something', async () => {
	const stamp = { now: new Date(0), id: () => new Uint8Array(16).fill(0xff) };
	expect(await textOf((await finished(plan({ stamp })))[0])).toContain('CID=7fffffff\n');
});

test.each([
	['ide', 504 * MiB, [1024, 16, 63]],
	['ide', 2 * TiB, [16383, 16, 63]],
	['lsilogic', 512, [1, 64, 32]],
	['lsilogic', 512 * MiB, [512, 64, 32]],
	['buslogic', GiB, [512, 128, 32]],
	['lsilogic', 937703088 * 512, [58369, 255, 63]],
] as const)('the geometry on %s of %i bytes is %o', (adapter, size, [cylinders, heads, sectors]) => {
	expect(geometryOf(size, adapter)).toEqual({ cylinders, heads, sectors });
});

test.each([
	[{}, 'ide', '4'],
	[{ adapter_type: 'pvscsi' }, 'pvscsi', '7'],
	[{ compat6: 'on' }, 'ide', '6'],
	[{ subformat: 'streamOptimized', hwversion: '13' }, 'lsilogic', '13'],
])('the options %o come to adapter %s and hardware version %s', async (options, adapter, version) => {
	const text = await textOf((await finished(plan({ options })))[0]);
	expect(text).toContain(`ddb.adapterType = "${adapter}"`);
	expect(text).toContain(`ddb.virtualHWVersion = "${version}"`);
});

test('-c makes a stream of the usual kind', () => {
	expect(plan({ compress: true }).packing).toMatchObject({ method: 'zlib', always: true, windowBits: 15 });
});

describe('it is refused', () => {
	test.each<[string, Plan]>([
		['compressing what is stored as it is', { compress: true, options: { subformat: 'vmfs' } }],
		['a flat delta', { backing: BACKING, options: { subformat: 'monolithicFlat' } }],
		['a compressed delta', { backing: BACKING, compress: true }],
		['zeroed grains without grains', { options: { subformat: 'monolithicFlat', zeroed_grain: 'on' } }],
		['thin provisioning elsewhere than on ESXi', { options: { thin_provisioned: 'on' } }],
		['two hardware versions', { options: { compat6: 'on', hwversion: '10' } }],
		['a hardware version that is none', { options: { hwversion: 'x' } }],
		['a version of the tools over 32 bits', { options: { toolsversion: '4294967296' } }],
		['a name with a quotation mark', { name: 'a"b.vmdk' }],
		['a parent whose name breaks the line', { backing: { ...BACKING, name: 'a\nRW 1 FLAT "/etc/passwd"' } }],
	])('%s, as misuse', (_, request) => {
		expect(() => plan(request)).toThrow(UsageError);
	});

	test.each<[string, Plan]>([
		['a disk with sectors of 4096 bytes', { sectorSize: 4096 }],
		['a disk of no bytes', { size: 0 }],
		['a disk over 64 TiB', { size: 64 * TiB + 512 }],
		['more files than a descriptor may name', { size: 9 * TiB, options: { subformat: 'twoGbMaxExtentSparse' } }],
		['a parent of another format', { backing: { ...BACKING, format: 'qcow2' } }],
		['a parent of another size', { backing: { ...BACKING, size: 32 * MiB } }],
		['a parent that nobody could recognise', { backing: { ...BACKING, id: undefined } }],
		['a descriptor longer than its room', { backing: { ...BACKING, name: 'x'.repeat(10240) } }],
	])('%s, as what the format cannot hold', (_, request) => {
		expect(() => plan(request)).toThrow(UnsupportedError);
	});

	test('a grain behind the last sector of 32 bits', () => {
		const grains = allocateGrains(2 ** 32 - 128, 'web.vmdk');
		expect(grains.place(0, 128)).toBe(2 ** 32 - 128);
		const remedies = expect.stringMatching(/twoGbMaxExtentSparse.*zeroed_grain=on/);
		expect(() => grains.place(1, 128)).toThrow(expect.objectContaining({ code: 'UNSUPPORTED', path: 'web.vmdk', hint: remedies }));
	});
});

test.each(SUBFORMATS)('a torn %s is no valid image: its first bytes are written last', async (subformat) => {
	const writes: [string, number][] = [];
	const layout = plan({ options: { subformat } });
	const recording = (name: string) => ({ ...memorySink(name), write: async (at: number) => void writes.push([name, at]) });
	await layout.finish(['web.vmdk', ...(layout.files ?? [])].map(recording));
	expect(writes.filter(([name, at]) => name === 'web.vmdk' && at === 0)).toHaveLength(1);
	expect(writes.at(-1)).toEqual(['web.vmdk', 0]);
});

test('an empty stream has its grain directory, its footer and its end', async () => {
	const bytes = await bytesOf((await finished(plan({ options: { subformat: 'streamOptimized' } })))[0]);
	const view = new DataView(bytes.buffer);
	const marker = (sector: number) => [view.getUint32(sector * 512, true), view.getUint32(sector * 512 + 12, true)];
	expect(bytes.length).toBe(133 * 512);
	expect(marker(128)).toEqual([1, MARKER.grainDirectory]);
	expect(marker(130)).toEqual([1, MARKER.footer]);
	expect(marker(132)).toEqual([0, MARKER.endOfStream]);
	const place = { path: 'web.vmdk', offset: 0 };
	const header = sparseHeader.decode(bytes, place);
	const footer = sparseHeader.decode(bytes.subarray(131 * 512), place);
	expect(footer).toEqual({ ...header, gdOffset: 129n });
	expect(header).toMatchObject({ version: 3, flags: 0x30001, capacity: 131072, gdOffset: 2n ** 64n - 1n, overHead: 128 });
});

test('both copies of the grain tables say the same', async () => {
	const layout = plan({ size: 100 * MiB });
	const hosts = [0, 5, 512, 1599].map((grain) => layout.place(grain * 65536, 65536, 65536, false) / 512);
	expect(hosts).toEqual([128, 256, 384, 512]);
	const bytes = await bytesOf((await finished(layout))[0]);
	const view = new DataView(bytes.buffer);
	const { rgdOffset, gdOffset, overHead } = sparseHeader.decode(bytes, { path: 'web.vmdk', offset: 0 });
	expect([rgdOffset, gdOffset, overHead]).toEqual([21, 38n, 128]);
	for (const directory of [rgdOffset, Number(gdOffset)]) {
		const entry = (grain: number): number => {
			const table = view.getUint32(directory * 512 + Math.floor(grain / 512) * 4, true);
			return view.getUint32(table * 512 + (grain % 512) * 4, true);
		};
		expect([0, 5, 512, 1599, 1].map(entry)).toEqual([...hosts, 0]);
	}
});

test('terabytes of zeros over a parent share one table', () => {
	const size = 4 * TiB;
	const layout = plan({ size, backing: { ...BACKING, size }, options: { zeroed_grain: 'on' } });
	const before = process.memoryUsage().arrayBuffers;
	layout.zero?.(0, size);
	expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(MiB);
});
