import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { diskFormats } from '../../formats/index.ts';
import { vhd } from '../../formats/vhd/index.ts';
import { vmdk } from '../../formats/vmdk/index.ts';
import { type Build, build, C, COPIED, DATA, data, L1, L2, packed } from '../formats/qcow2/build.ts';
import { vconv } from '../helpers/cli.ts';
import { dist } from '../helpers/dist.ts';
import { writeImage } from '../helpers/image.ts';
import { patternDisk } from '../helpers/pattern.ts';
import { scene } from './scene.ts';

beforeAll(async () => void (await vconv('convert', '--help')));

/** Raw deflate, as QCOW2 stores a cluster. */
const deflated = (bytes: Uint8Array): Uint8Array => deflateRawSync(bytes, { windowBits: 12 });

/** A QCOW2 with one compressed cluster of these bytes. */
const withPacked = (stored: Uint8Array): Uint8Array => {
	const image = build({ entries: [packed(DATA, Math.ceil(stored.length / 512) - 1)], clusters: [0] });
	image.set(stored.subarray(0, C), DATA);
	return image;
};

const refused: readonly (readonly [string, Build | Uint8Array])[] = [
	['T20: an L1 table of 2^31 entries', { change: { l1Size: 2 ** 31 } }],
	['T20: an L1 table of 2^32 - 1 entries', { change: { l1Size: 2 ** 32 - 1, size: 2 ** 53 - 512 } }],
	...[0, 8, 22, 31, 63].map((clusterBits) => [`T21: clusters of 2^${clusterBits} bytes`, { change: { clusterBits } }] as const),
	['T22: an entry off the clusters', { entries: [COPIED | BigInt(DATA + 512)], clusters: [1, 1] }],
	['T22: an entry behind the end', { entries: [COPIED | BigInt(DATA + C)], clusters: [1] }],
	['T24: a compressed cluster that goes on and on', withPacked(deflated(new Uint8Array(1000 * C)))],
	['T24: a compressed cluster that is cut off', withPacked(deflated(new Uint8Array(C).map((_, i) => i * 7)).subarray(0, 20))],
	['T24: a compressed cluster that is none', withPacked(new Uint8Array(600).fill(0xff))],
	['T25: refcounts of 2^7 bits', { change3: { refcountOrder: 7 } }],
	['T26: a feature that nobody knows', { change3: { incompatibleFeatures: 1n << 40n } }],
	['T31: 2^63 bytes', { change: { size: 2 ** 53 } }],
];

test.for(refused)('%s is refused in a QCOW2', async ([, image]) => {
	const { put, refuses } = scene();
	put('disk.qcow2', image instanceof Uint8Array ? image : build({ clusters: [1], entries: [data(0)], ...image }));
	await refuses('disk.qcow2', '-f', 'qcow2');
});

test('T23: two entries of one cluster are read, and found by check', async () => {
	const { at, put } = scene();
	put('disk.qcow2', build({ entries: [data(0), data(0)], clusters: [7] }));
	expect((await vconv(at('vm', 'disk.qcow2'), at('out.raw'))).code).toBe(0);
	expect(fs.readFileSync(at('out.raw')).every((byte) => byte === 7)).toBe(true);
	expect((await vconv('check', at('vm', 'disk.qcow2'))).code).toBe(2);
});

test('T22: an entry into a table of the image shows the guest that, as QEMU does, and check says so', async () => {
	const { at, put } = scene();
	const image = build({ entries: [COPIED | BigInt(L2)] });
	put('disk.qcow2', image);
	expect((await vconv(at('vm', 'disk.qcow2'), at('out.raw'))).code).toBe(0);
	expect(fs.readFileSync(at('out.raw')).equals(image.subarray(L2, L2 + C))).toBe(true);
	expect((await vconv('check', at('vm', 'disk.qcow2'))).code).toBe(2);
});

test('T24: what stands behind the end of a compressed cluster does not matter', async () => {
	const { at, put } = scene();
	const stored = Buffer.concat([deflated(new Uint8Array(C).fill(5)), Buffer.alloc(400, 0xee)]);
	put('disk.qcow2', withPacked(stored));
	expect((await vconv(at('vm', 'disk.qcow2'), at('out.raw'))).code).toBe(0);
	expect(fs.readFileSync(at('out.raw')).every((byte) => byte === 5)).toBe(true);
});

test.for(['packed', 'plain'])('T24: a small file that shows the same %s bytes again and again is not written out', async (kind) => {
	const { at, put } = scene();
	const entries = new Array<bigint>(C / 8).fill(kind === 'packed' ? packed(DATA, 0) : data(0));
	const image = build({ entries, clusters: [7], size: 4 * entries.length * C, change: { l1Size: 4 } });
	if (kind === 'packed') image.set(deflated(new Uint8Array(C).fill(5)), DATA);
	for (let i = 1; i < 4; i++) image.copyWithin(L1 + 8 * i, L1, L1 + 8);
	const name = put('disk.qcow2', image);
	const { code, stderr } = await vconv(name, at('out.raw'));
	expect([code, fs.existsSync(at('out.raw'))]).toEqual([3, false]);
	expect(stderr).toContain('how many times the bytes of its file it shows, 1033, is over the limit of 1032');
	expect(stderr).toContain('--limit expansion=MORE');
	expect((await vconv('hash', '--limit', 'expansion=4000', name)).code).toBe(0);
});

describe('T30, T31: a sparse VMDK is refused with', () => {
	/** Fields of SparseExtentHeader, by their host offsets. */
	const FIELDS = { capacity: 12, grainSize: 20, numGTEsPerGT: 44, gdOffset: 56 } as const;
	test.for<[keyof typeof FIELDS, bigint]>([
		['grainSize', 0n],
		['grainSize', 7n],
		['grainSize', 1n << 62n],
		['numGTEsPerGT', 0n],
		['numGTEsPerGT', 0xffff_ffffn],
		['gdOffset', 1n << 40n],
		['gdOffset', (1n << 64n) - 2n],
		['capacity', 1n << 55n],
		['capacity', (1n << 64n) - 1n],
	])('%s %s', async ([field, value]) => {
		const { put, refuses } = scene();
		const image = (await writeImage(vmdk, patternDisk({ size: 1 << 20, data: [[0, 65536]] }))).get('disk.vmdk')?.source();
		const bytes = (await image?.read(0, image.size)) ?? new Uint8Array();
		const view = new DataView(bytes.buffer);
		if (field === 'numGTEsPerGT') view.setUint32(FIELDS[field], Number(value), true);
		else view.setBigUint64(FIELDS[field], value, true);
		// Of two directories a sound one would do: the redundant one is nowhere either.
		if (field === 'gdOffset') view.setBigUint64(FIELDS[field] - 8, value, true);
		put('disk.vmdk', bytes);
		await refuses('disk.vmdk');
	});
});

test.for(diskFormats.map(({ id }) => id).filter((id) => id !== 'raw'))(
	'T32: what is no %s is not taken for one, and soon',
	async (format) => {
		const { put, refuses } = scene();
		for (const [length, byte] of [
			[0, 0],
			[1, 0],
			[511, 0xff],
			[512, 0xff],
			[65536, 0],
			[65536, 0xff],
		] as const) {
			put('disk.bin', new Uint8Array(length).fill(byte));
			await refuses('disk.bin', '-f', format);
			put('disk', new Uint8Array(length).fill(byte));
			await refuses('disk');
		}
	},
);

/** In a process of its own: the map of a disk from end to end, and what that took. */
const PROBE = `
const { openFile, gate } = await import(process.argv[1]);
const { diskFormats, openChain, flatten } = await import(process.argv[2]);
const before = performance.now();
const disk = flatten(await openChain(await openFile(process.argv[3]), { formats: diskFormats, gate: gate() }));
for await (const extent of disk.extents(0, disk.size));
console.log(JSON.stringify({ size: disk.size, milliseconds: performance.now() - before, megabytes: process.resourceUsage().maxRSS / 1024 }));
`;

test('T33: a disk of 64 TiB with nothing in it is looked at in a second and 150 MB', async () => {
	const { at, put } = scene();
	const [size, l1Size] = [64 * 2 ** 40, 2 ** 21];
	put('bomb.qcow2', build({ change: { size, l1Size, l1TableOffset: 5 * C } }));
	fs.truncateSync(at('vm', 'bomb.qcow2'), 5 * C + l1Size * 8);
	const modules = ['src/node/index.js', 'src/index.js'].map((name) => path.join(dist, name));
	const ran = spawnSync(process.execPath, ['--input-type=module', '-e', PROBE, ...modules, at('vm', 'bomb.qcow2')], { encoding: 'utf8' });
	expect(ran.stderr).toBe('');
	const took = JSON.parse(ran.stdout) as Readonly<Record<'size' | 'milliseconds' | 'megabytes', number>>;
	expect(took.size).toBe(size);
	expect(took.milliseconds).toBeLessThan(1000);
	expect(took.megabytes).toBeLessThan(150);
});

test('T33: more than 64 TiB is refused unless the limit is raised, and half of it where nothing is trusted', async () => {
	const { at, put, refuses } = scene();
	put('disk.raw', '');
	fs.truncateSync(at('vm', 'disk.raw'), 1 << 20);
	expect((await refuses('disk.raw', '--limit', 'virtual-size=512k')).stderr).toBe(
		`vconv: the size of the disk, 1 MiB, is over the limit of 512 KiB\n  at ${at('vm', 'disk.raw')}\n  try --limit virtual-size=MORE, if you trust it\n`,
	);
	put('big.qcow2', build({ change: { size: 40 * 2 ** 40, l1Size: 2 ** 21, l1TableOffset: 5 * C } }));
	fs.truncateSync(at('vm', 'big.qcow2'), 5 * C + 2 ** 24);
	expect((await refuses('big.qcow2', '--untrusted')).stderr).toContain('over the limit of 32 TiB');
	expect((await vconv('info', '--untrusted', at('vm', 'big.qcow2'))).stderr).toContain('over the limit of 32 TiB');
});

test('T29: a VHD whose BAT leads behind the end, or whose blocks cannot be, is refused', async () => {
	const image = (await writeImage(vhd, patternDisk({ size: 8 << 20, data: [[0, 512]] }))).get('disk.vhd')?.source();
	const sound = (await image?.read(0, image.size)) ?? new Uint8Array();
	for (const [offset, value] of [
		[512 + 32, 0],
		[512 + 32, 3],
		[512 + 32, 2 ** 31],
		[512 + 28, 2 ** 32 - 1],
		[1536, 2 ** 31],
	] as const) {
		const { put, refuses } = scene();
		const bytes = sound.slice();
		new DataView(bytes.buffer).setUint32(offset, value);
		put('disk.vhd', bytes);
		await refuses('disk.vhd');
	}
});
