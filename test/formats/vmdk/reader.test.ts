import { expect, test } from 'vitest';
import { vmdk } from '../../../formats/vmdk/index.ts';
import { GTE_ZEROED, SPARSE_FLAGS, sparseHeader } from '../../../formats/vmdk/layout.ts';
import { contextFor } from '../../../src/convert/open.ts';
import type { Disk, Extent } from '../../../src/core/disk.ts';
import type { Source } from '../../../src/core/source.ts';
import { readDisk } from '../../../src/disk/read.ts';
import { pakoCodec } from '../../../src/engine/pako.ts';
import type { MemorySink } from '../../../src/io/memory.ts';
import { firstDifference, openImage, writeImage } from '../../helpers/image.ts';
import { patternBytes, patternDisk } from '../../helpers/pattern.ts';
import { descriptor, files } from './build.ts';

const MiB = 2 ** 20;
const GRAIN = 65536;

const sparse = (options = { subformat: 'monolithicSparse' }, size = 4 * MiB) =>
	writeImage(vmdk, patternDisk({ size, data: [[GRAIN, 3 * GRAIN]] }), { options });
const fileOf = (image: ReadonlyMap<string, MemorySink>, name = 'disk.vmdk') => image.get(name) as MemorySink;
const header = async (sink: MemorySink) => sparseHeader.decode(await sink.source().read(0, 512), { path: 'disk.vmdk', offset: 0 });
const u32 = (value: number) => new Uint8Array(new Uint32Array([value]).buffer);
const patch = async (sink: MemorySink, changes: Partial<Awaited<ReturnType<typeof header>>>) =>
	sink.write(0, sparseHeader.encode({ ...(await header(sink)), ...changes }));
const tableAt = async (sink: MemorySink, directory: number) => {
	const bytes = await sink.source().read(directory * 512, 4);
	return new DataView(bytes.buffer).getUint32(0, true) * 512;
};
const map = async (disk: Disk): Promise<Extent[]> => {
	const extents: Extent[] = [];
	for await (const extent of disk.extents(0, disk.size)) extents.push(extent);
	return extents;
};

/** What a reader of the whole map tells the user. */
const notes = async (sink: MemorySink): Promise<string[]> => {
	const said: string[] = [];
	const source = sink.source();
	const gate = async () => source;
	const disk = await vmdk.open(source, contextFor(source, { formats: [vmdk], gate, note: ({ what }) => said.push(what) }));
	await map(disk);
	return said;
};

test('extents of zeros are read, and do not shrink the disk', async () => {
	const image = await files({
		'disk.vmdk': descriptor('createType="custom"', 'RW 8 FLAT "a.bin" 2', 'RW 16 ZERO', 'RDONLY 8 FLAT "b.bin" 0'),
		'a.bin': patternBytes(0, 10 * 512),
		'b.bin': patternBytes(0, 8 * 512),
	});
	const disk = await openImage(image, 'disk.vmdk');
	expect(disk.size).toBe(32 * 512);
	const bytes = await readDisk(disk, pakoCodec, 0, disk.size);
	expect(bytes.subarray(0, 4096)).toEqual(patternBytes(1024, 4096));
	expect(bytes.subarray(4096, 12288)).toEqual(new Uint8Array(8192));
	expect(bytes.subarray(12288)).toEqual(patternBytes(0, 4096));
});

test.each([
	['NOACCESS', ['RW 8 FLAT "a.bin" 0', 'NOACCESS 8 FLAT "b.bin" 0'], 'NOACCESS'],
	['an object of vSAN', ['RW 8 VMFS "vsan://52ff-01/8a2b-02"'], 'an object of vSAN'],
	['a mapped device', ['RW 8 VMFSRDM "disk-rdm.vmdk"'], "VMFSRDM 'disk-rdm.vmdk'"],
	['a device of Windows', ['RW 8 FLAT "\\\\.\\PhysicalDrive0" 0'], 'PhysicalDrive0'],
	['a partition of Windows', ['RW 8 FLAT "\\\\.\\PhysicalDrive0" 63 partitionUUID \\\\?\\Volume{1}'], 'PhysicalDrive0'],
	['a device of Linux', ['RW 8 FLAT "/dev/sda" 0'], '/dev/sda'],
	['the descriptor itself', ['RW 1 FLAT "disk.vmdk" 0'], 'names itself'],
	['a file that is not there', ['RW 8 FLAT "gone.bin" 0'], 'gone.bin'],
	['a file that is too short', ['RW 9 FLAT "a.bin" 0'], '4096 bytes'],
	['a sparse file that is none', ['RW 8 SPARSE "a.bin"'], 'it is not the SPARSE extent'],
	['a COWD that is none', ['RW 8 VMFSSPARSE "a.bin"'], 'it is not the VMFSSPARSE extent'],
	['a seSparse that is none', ['RW 8 SESPARSE "a.bin"'], 'it is not the SESPARSE extent'],
])('an extent that is %s is refused', async (_, lines, message) => {
	const made = { 'disk.vmdk': descriptor('createType="custom"', ...lines), 'a.bin': new Uint8Array(4096).fill(1) };
	const image = await files(made);
	const opened = image.get('disk.vmdk')?.source();
	if (opened) image.set('disk.vmdk', { ...fileOf(image), source: () => opened }); // one file is one, however often it is opened
	await expect(openImage(image, 'disk.vmdk')).rejects.toThrow(message);
});

test('a disk of vSAN is told as such for all that its descriptor has version 4, and no other of that version is read', async () => {
	const said = (...lines: string[]) => descriptor('createType="vmfs"', ...lines).replace('version=1', 'version=4');
	const open = (text: string) => files({ 'disk.vmdk': text, 'a.bin': new Uint8Array(4096) }).then((image) => openImage(image, 'disk.vmdk'));
	await expect(open(said('RW 8 VMFS "vsan://52ff-01/8a2b-02"'))).rejects.toThrow('an object of vSAN');
	await expect(open(said('RW 8 VMFS "a.bin"'))).rejects.toThrow('descriptor version 4');
});

test.each([
	['fullDevice', 'physical disk'],
	['partitionedDevice', 'physical disk'],
	['vsanSparse', "does not know createType 'vsanSparse'"],
])('createType %s is refused', async (createType, message) => {
	const image = await files({ 'disk.vmdk': descriptor(`createType="${createType}"`, 'RW 8 ZERO') });
	await expect(openImage(image, 'disk.vmdk')).rejects.toThrow(message);
});

test.each([
	['fullDevice', ['RW 8 FLAT "/dev/sdb" 0'], 'vconv convert -f raw /dev/sdb COPY'],
	[
		'partitionedDevice',
		['RW 63 FLAT "disk-pt.vmdk" 0', 'RW 8 FLAT "/dev/sdb1" 0 partitionUUID /dev/sdb1'],
		'vconv convert -f raw DEVICE COPY',
	],
	['vmfsPassthroughRawDeviceMap', ['RW 8 VMFSRDM "disk-rdmp.vmdk"'], 'vmkfstools -i'],
])('of a disk of createType %s it is said how to copy the device', async (createType, lines, hint) => {
	const image = await files({ 'disk.vmdk': descriptor(`createType="${createType}"`, ...lines), 'disk-pt.vmdk': new Uint8Array(32256) });
	await expect(openImage(image, 'disk.vmdk')).rejects.toMatchObject({ reason: 'device', hint: expect.stringContaining(hint) });
});

test('createType may be spelt as in the manuals', async () => {
	const image = await files({
		'disk.vmdk': descriptor('createType="2GbMaxExtentFlat"', 'RW 8 FLAT "a.bin" 0'),
		'a.bin': patternBytes(0, 4096),
	});
	expect(await readDisk(await openImage(image, 'disk.vmdk'), pakoCodec, 0, 4096)).toEqual(patternBytes(0, 4096));
});

test('an encrypted disk is refused, and change tracking is no concern', async () => {
	const locked = await files({ 'disk.vmdk': descriptor('createType="vmfs"', 'RW 8 ZERO', 'ddb.iofilters = "vmwarevmcrypt"') });
	await expect(openImage(locked, 'disk.vmdk')).rejects.toThrow('encrypted');
	const tracked = await files({ 'disk.vmdk': descriptor('createType="vmfs"', 'RW 8 ZERO', 'changeTrackPath="disk-ctk.vmdk"') });
	expect((await openImage(tracked, 'disk.vmdk')).size).toBe(4096);
});

test('a flat extent without its descriptor is known by its name', async () => {
	const image = await files({ 'web-flat.vmdk': new Uint8Array(4096) });
	await expect(openImage(image, 'web-flat.vmdk')).rejects.toMatchObject({
		exitCode: 3,
		hint: 'web.vmdk, its descriptor, or -f raw for the bytes as they are',
	});
	expect((await openImage(image, 'web-flat.vmdk', { format: 'raw' })).size).toBe(4096);
});

test('one file of a split disk is not taken for the disk', async () => {
	const image = await sparse({ subformat: 'twoGbMaxExtentSparse' });
	const [part] = [...image.keys()].filter((name) => name !== 'disk.vmdk');
	await expect(openImage(image, part ?? '')).rejects.toThrow('part of a disk');
	// QEMU's parts have room for a descriptor, with nothing in it.
	const source = image.get(part ?? '')?.source() as Source;
	const bytes = new Uint8Array(source.size + 512);
	bytes.set(await source.read(0, source.size));
	const header = new DataView(bytes.buffer);
	header.setBigUint64(28, BigInt(source.size / 512), true);
	header.setBigUint64(36, 1n, true);
	await expect(openImage(await files({ 'a-s001.vmdk': bytes }), 'a-s001.vmdk')).rejects.toThrow('part of a disk');
});

test('the descriptor says the size where the last grain is counted whole', async () => {
	const image = await sparse(undefined, 2 * MiB + 512);
	const sink = fileOf(image);
	await patch(sink, { capacity: (2 * MiB + GRAIN) / 512 });
	expect((await openImage(image, 'disk.vmdk')).size).toBe(2 * MiB + 512);
	await patch(sink, { capacity: (2 * MiB + 2 * GRAIN) / 512 });
	await expect(openImage(image, 'disk.vmdk')).rejects.toThrow('its header says');
});

test.each([
	'primary directory past the end of the file',
	'table past the end of the file',
	'table upon the directory',
	'table that is in the copy alone',
])('a %s is made good by the redundant one, and that is said', async (damage) => {
	const disk = patternDisk({ size: 4 * MiB, data: [[GRAIN, 3 * GRAIN]] });
	const image = await sparse();
	const sink = fileOf(image);
	const { gdOffset } = await header(sink);
	if (damage.startsWith('primary')) await patch(sink, { gdOffset: 2n ** 40n });
	else
		await sink.write(Number(gdOffset) * 512, u32(damage.endsWith('file') ? 0xfffffff0 : damage.endsWith('alone') ? 0 : Number(gdOffset)));
	expect(await firstDifference(disk, await openImage(image, 'disk.vmdk'))).toBeUndefined();
	expect(await notes(sink)).toEqual(['the redundant grain directory is right']);
	await patch(sink, { uncleanShutdown: 1 });
	await expect(openImage(image, 'disk.vmdk').then(map)).rejects.toThrow('no redundant copy');
});

test('an entry of a grain table that leads out of the file is refused, whatever the copy says', async () => {
	const image = await sparse();
	const sink = fileOf(image);
	await sink.write((await tableAt(sink, Number((await header(sink)).gdOffset))) + 4, u32(0xfffffff0));
	await expect(openImage(image, 'disk.vmdk').then(map)).rejects.toThrow('the grain of guest offset 0x10000 is past the end of the file');
});

test('a grain that two entries name is refused', async () => {
	const image = await sparse();
	const sink = fileOf(image);
	const table = await tableAt(sink, Number((await header(sink)).gdOffset));
	await sink.write(table + 40, await sink.source().read(table + 4, 4));
	await expect(openImage(image, 'disk.vmdk').then(map)).rejects.toThrow('two grains of the disk are in one place');
});

test('an entry of 1 is a grain of zeros only where the header says so', async () => {
	const image = await sparse();
	const sink = fileOf(image);
	const { gdOffset, flags } = await header(sink);
	await sink.write((await tableAt(sink, Number(gdOffset))) + 8, u32(GTE_ZEROED));
	await patch(sink, { version: 2, flags: flags | SPARSE_FLAGS.zeroedGrain });
	expect((await map(await openImage(image, 'disk.vmdk'))).map(({ kind }) => kind)).toEqual(['absent', 'data', 'zero', 'data', 'absent']);
	await patch(sink, { flags: flags & ~SPARSE_FLAGS.zeroedGrain });
	await expect(openImage(image, 'disk.vmdk').then(map)).rejects.toThrow('upon other metadata');
});

test('runs of grains are one extent', async () => {
	const [, data, ...rest] = await map(await openImage(await sparse(), 'disk.vmdk'));
	expect(data).toMatchObject({ kind: 'data', offset: GRAIN, length: 3 * GRAIN });
	expect(rest).toHaveLength(1);
});

test.each([
	['version', { version: 4 }],
	['flags', { flags: 3 | (1 << 20) }],
	['flags', { flags: 3 | SPARSE_FLAGS.compressed }],
	['compressAlgorithm', { compressAlgorithm: 7 }],
	['grainSize', { grainSize: 4 }],
	['numGTEsPerGT', { numGTEsPerGT: 0x10000 }],
	['singleEndLineChar', { singleEndLineChar: 0x0d }],
	['capacity', { capacity: 2 ** 40 }],
] as const)('a wrong %s is refused by name', async (field, changes) => {
	const image = await sparse();
	await patch(fileOf(image), changes);
	await expect(openImage(image, 'disk.vmdk')).rejects.toMatchObject({ field });
});

test('a packed grain under the wrong number is refused', async () => {
	const image = await sparse({ subformat: 'streamOptimized' });
	const sink = fileOf(image);
	const [, first] = await map(await openImage(image, 'disk.vmdk'));
	if (first?.kind !== 'packed') throw new Error('it is not packed');
	await sink.write(first.at - 12, u32(0));
	await expect(openImage(image, 'disk.vmdk').then(map)).rejects.toMatchObject({ field: 'lba' });
});

test('zeros behind the end of a stream do not matter, and a missing end does', async () => {
	const image = await sparse({ subformat: 'streamOptimized' });
	const sink = fileOf(image);
	const whole = sink.size;
	await sink.resize(whole + 5000);
	expect((await openImage(image, 'disk.vmdk')).size).toBe(4 * MiB);
	await sink.resize(whole - 512);
	await expect(openImage(image, 'disk.vmdk')).rejects.toMatchObject({ field: 'footer' });
});

test('a delta is read through its parent, and another parent is refused', async () => {
	const parent = await sparse();
	const id = (await openImage(parent, 'disk.vmdk')).id;
	const flat = new Uint8Array(MiB * 4);
	const all = async (parentCid: string) =>
		new Map([
			...parent,
			...(await files({
				'top.vmdk': descriptor(
					`parentCID=${parentCid}`,
					'parentFileNameHint="/vmfs/volumes/x/disk.vmdk"',
					'createType="custom"',
					'RW 8192 ZERO',
				),
				flat,
			})),
		]);
	const disk = await openImage(await all(id ?? ''), 'top.vmdk');
	expect(disk.size).toBe(4 * MiB);
	await expect(openImage(await all('00c0ffee'), 'top.vmdk')).rejects.toMatchObject({ name: 'ChangedError' });
});

test('tables in holes of the file are not read', async () => {
	const size = 2 ** 40;
	const image = await writeImage(vmdk, patternDisk({ size, data: [[size - MiB, 4096]] }));
	const source = fileOf(image).source();
	let read = 0;
	const counted: Source = {
		...source,
		async read(at, length) {
			read += length;
			return source.read(at, length);
		},
	};
	const disk = await openImage(new Map([['disk.vmdk', { source: () => counted }]]), 'disk.vmdk');
	expect((await map(disk)).filter(({ kind }) => kind === 'data')).toMatchObject([{ offset: size - MiB, length: GRAIN }]);
	expect(read).toBeLessThan(2 * MiB);
});
