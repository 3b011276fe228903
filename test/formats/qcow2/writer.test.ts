import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { qcow2 } from '../../../formats/qcow2/index.ts';
import { raw } from '../../../formats/raw/index.ts';
import { convertDisk, planImage } from '../../../src/convert/convert.ts';
import type { Disk } from '../../../src/core/disk.ts';
import type { Layout, OptionValues } from '../../../src/core/format.ts';
import { difference } from '../../../src/disk/difference.ts';
import { portableMover } from '../../../src/engine/portable.ts';
import { UnsupportedError, UsageError } from '../../../src/errors.ts';
import { memorySink, memoryTarget } from '../../../src/io/memory.ts';
import { nodeCodec } from '../../../src/node/packer.ts';
import { firstDifference, fixedStamp, openImage, type WriteOptions } from '../../helpers/image.ts';
import { mixedDisk, patternDisk, type Runs } from '../../helpers/pattern.ts';

const KiB = 2 ** 10;
const MiB = 2 ** 20;
const GiB = 2 ** 30;
const TiB = 2 ** 40;
const codec = nodeCodec();

const writeWith = async (disk: Disk, options: WriteOptions = {}, format = qcow2) => {
	const name = `disk.${format.extensions[0]}`;
	const target = memoryTarget(name);
	await convertDisk({ disk, target, format, mover: portableMover(codec), stamp: fixedStamp(), ...options });
	return target.files;
};

const plan = (size: number, options: OptionValues = {}, more: Omit<WriteOptions, 'options'> = {}): Layout =>
	planImage({ disk: patternDisk({ size, data: [] }), format: qcow2, name: 'disk.qcow2', stamp: fixedStamp(), options, ...more });

/** Options that go together, and disks of up to 300 KiB or so. */
const anyOptions = fc
	.record({
		version3: fc.boolean(),
		clusterBits: fc.integer({ min: 9, max: 17 }),
		refcountBits: fc.constantFrom('1', '2', '4', '8', '16', '32', '64'),
		extended: fc.boolean(),
		preallocation: fc.constantFrom('off', 'off', 'off', 'metadata', 'full'),
		compress: fc.boolean(),
		zstd: fc.boolean(),
	})
	.map(({ version3, clusterBits, refcountBits, extended, preallocation, compress, zstd }) => ({
		compress: compress && preallocation === 'off',
		options: {
			compat: version3 ? '1.1' : '0.10',
			cluster_size: String(2 ** clusterBits),
			refcount_bits: version3 ? refcountBits : '16',
			extended_l2: version3 && extended && clusterBits >= 14 ? 'on' : 'off',
			compression_type: version3 && zstd ? 'zstd' : 'zlib',
			preallocation,
		},
	}));

const anyRuns = fc
	.array(fc.tuple(fc.integer({ min: 0, max: 60_000 }), fc.integer({ min: 1, max: 40_000 })), { maxLength: 8 })
	.map((gaps): Runs => {
		let at = 0;
		return gaps.map(([gap, length]) => {
			const offset = at + gap;
			at = offset + length;
			return [offset, length] as const;
		});
	});

const anyDisk = fc.tuple(anyRuns, fc.integer({ min: 0, max: 100_000 })).map(([data, more]) => {
	const [offset, length] = data.at(-1) ?? [0, 0];
	return patternDisk({ size: Math.ceil((offset + length + more) / 512) * 512, data });
});

describe('every byte comes back', () => {
	test('of any disk, with any options that go together', async () => {
		await fc.assert(
			fc.asyncProperty(anyDisk, anyOptions, async (disk, how) => {
				const files = await writeWith(disk, how);
				expect(await firstDifference(disk, await openImage(files, 'disk.qcow2'))).toBeUndefined();
			}),
			{ numRuns: 100 },
		);
	});

	test('of any delta, over any base', async () => {
		await fc.assert(
			fc.asyncProperty(anyDisk, anyDisk, anyOptions, async (disk, base, { options, compress }) => {
				const how = {
					options: { ...options, preallocation: 'off' },
					compress,
					backing: { name: 'disk.raw', format: 'raw', size: base.size },
				};
				const { block } = plan(disk.size, how.options, how);
				const files = await writeWith(difference(disk, base, codec, block), how);
				const bases = await writeWith(base, {}, raw);
				const opened = await openImage(new Map([...files, ...bases]), 'disk.qcow2');
				expect(await firstDifference(disk, opened)).toBeUndefined();
			}),
			{ numRuns: 100 },
		);
	});

	test('where packed clusters and such as do not pack take turns', async () => {
		const disk = mixedDisk(2 * MiB);
		for (const cluster_size of ['512', '4k', '64k']) {
			const files = await writeWith(disk, { options: { cluster_size }, compress: true });
			expect(await firstDifference(disk, await openImage(files, 'disk.qcow2'))).toBeUndefined();
		}
	});
});

test('the same disk gives the same bytes', async () => {
	const bytes = async () => {
		const source = (await writeWith(mixedDisk(MiB), { compress: true })).get('disk.qcow2')?.source();
		return source?.read(0, source.size) ?? new Uint8Array();
	};
	expect(Buffer.compare(await bytes(), await bytes())).toBe(0);
});

test('a virtual size is rounded up to a sector', () => {
	expect(plan(1000).size).toBe(1024);
	expect(plan(0).size).toBe(0);
});

test('the header is written last', async () => {
	const writes: number[] = [];
	const sink = memorySink();
	const layout = plan(MiB);
	layout.place(0, 65536, 65536, false);
	await layout.finish([
		{
			...sink,
			async write(offset) {
				writes.push(offset);
			},
			async resize() {
				writes.push(-1);
			},
		},
	]);
	expect(writes.at(-1)).toBe(0);
	expect(writes.filter((offset) => offset === 0)).toHaveLength(1);
});

test('packed clusters lie end to end, and cross into the next cluster only where it is next in the file', () => {
	const layout = plan(MiB, {}, { compress: true });
	expect(layout.place(0, 65536, 40_000, true)).toBe(0x10000);
	expect(layout.place(0x10000, 65536, 40_000, true)).toBe(0x10000 + 40_000);
	expect(layout.place(0x20000, 65536, 65536, false)).toBe(0x30000);
	expect(layout.place(0x30000, 65536, 50_000, true)).toBe(0x10000 + 80_000);
	expect(layout.place(0x40000, 65536, 50_000, true)).toBe(0x40000);
});

test('preallocated images need no placing', () => {
	expect(plan(MiB, { preallocation: 'metadata' })).toMatchObject({ fixedAt: 65536, dense: false });
	expect(plan(MiB, { preallocation: 'full' })).toMatchObject({ fixedAt: 65536, dense: true });
	expect(plan(MiB).fixedAt).toBeUndefined();
});

test('with subclusters a block is a 32nd of a cluster, unless it is packed', () => {
	expect(plan(MiB, { extended_l2: 'on' }).block).toBe(2048);
	expect(plan(MiB, { extended_l2: 'on' }, { compress: true }).block).toBe(65536);
});

test('a disk of many TiB that is full or empty takes no memory', () => {
	const size = 16 * TiB;
	const backing = { name: 'base.raw', format: 'raw', size };
	const before = process.memoryUsage().arrayBuffers;
	const layouts = [plan(size, { preallocation: 'metadata' }), plan(size, {}, { backing })];
	layouts[1]?.zero?.(0, size);
	expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * MiB);
});

const backing = { name: 'base.raw', format: 'raw', size: MiB };
test.for([
	[{ cluster_size: '3k' }, {}],
	[{ cluster_size: '4M' }, {}],
	[{ cluster_size: '256' }, {}],
	[{ cluster_size: 'big' }, {}],
	[{ compat: '0.10', extended_l2: 'on' }, {}],
	[{ compat: 'v2', lazy_refcounts: 'on' }, {}],
	[{ compat: '0.10', refcount_bits: '8' }, {}],
	[{ compat: '0.10', compression_type: 'zstd' }, {}],
	[{ extended_l2: 'on', cluster_size: '8k' }, {}],
	[{ preallocation: 'metadata' }, { backing }],
	[{ preallocation: 'full' }, { compress: true }],
	[{ compression_level: '10' }, { compress: true }],
	[{ compression_level: '0', compression_type: 'zstd' }, { compress: true }],
	[{ compression_level: '3' }, {}],
	[{ refcount_bits: '3' }, {}],
	[{ data_file: 'x' }, {}],
] as [OptionValues, Omit<WriteOptions, 'options'>][])('%o is refused with %o', ([options, more]) => {
	expect(() => plan(MiB, options, more)).toThrow(UsageError);
});

test.for([
	['a disk too large for its clusters', 200 * GiB, { cluster_size: '512' }, {}],
	['a disk over the limit', 65 * TiB, {}, {}],
	['a long name', MiB, {}, { backing: { ...backing, name: 'x'.repeat(1024) } }],
	['a name that does not fit into a small cluster', MiB, { cluster_size: '512' }, { backing: { ...backing, name: 'x'.repeat(400) } }],
] as const)('%s is refused', ([, size, options, more]) => {
	expect(() => plan(size, options, more)).toThrow(UnsupportedError);
});

test('an image that its refcounts cannot count is refused', () => {
	const options = { cluster_size: '512', refcount_bits: '64' };
	expect(() => plan(64 * GiB, { ...options, preallocation: 'metadata' })).toThrow(UnsupportedError);
	expect(plan(64 * GiB, options).size).toBe(64 * GiB);
});

test('the file that backs a VHD is named as QEMU names it', async () => {
	const layout = plan(KiB, {}, { backing: { ...backing, format: 'vhd' } });
	const sink = memorySink();
	await layout.finish([sink]);
	const head = Buffer.from(await sink.source().read(0, 4096)).toString('latin1');
	expect(head).toContain('vpc');
	expect(head).toContain('base.raw');
});
