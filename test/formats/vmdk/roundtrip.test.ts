import fc from 'fast-check';
import { expect, test } from 'vitest';
import { vmdk } from '../../../formats/vmdk/index.ts';
import { SUBFORMATS } from '../../../formats/vmdk/options.ts';
import { convertDisk, planImage } from '../../../src/convert/convert.ts';
import { measureImage } from '../../../src/convert/measure.ts';
import type { Disk } from '../../../src/core/disk.ts';
import type { Sink } from '../../../src/core/sink.ts';
import { readDisk } from '../../../src/disk/read.ts';
import { pakoCodec } from '../../../src/engine/pako.ts';
import { portableMover } from '../../../src/engine/portable.ts';
import { type MemorySink, memorySource, memoryTarget } from '../../../src/io/memory.ts';
import { firstDifference, fixedStamp, openImage, writeImage } from '../../helpers/image.ts';
import { patternDisk, type Runs } from '../../helpers/pattern.ts';

const MiB = 2 ** 20;

/** Sectors that hold data, ascending and apart. */
const layouts = fc
	.record({ sectors: fc.integer({ min: 1, max: 8192 }), edges: fc.uniqueArray(fc.nat(8192), { maxLength: 12 }) })
	.map(({ sectors, edges }) => {
		const within = edges.filter((edge) => edge < sectors).sort((a, b) => a - b);
		const data: [number, number][] = [];
		for (let i = 0; i + 1 < within.length; i += 2) {
			const [start, end] = [within[i] as number, within[i + 1] as number];
			data.push([start * 512, (end - start) * 512]);
		}
		return { size: sectors * 512, data };
	});

test.each(SUBFORMATS)('any disk keeps every byte as %s', async (subformat) => {
	await fc.assert(
		fc.asyncProperty(layouts, async (layout) => {
			const disk = patternDisk(layout);
			const files = await writeImage(vmdk, disk, { options: { subformat } });
			expect(await firstDifference(disk, await openImage(files, 'disk.vmdk'))).toBeUndefined();
		}),
		{ numRuns: 15 },
	);
});

test.each(SUBFORMATS)('the same disk gives the same bytes as %s', async (subformat) => {
	const disk = patternDisk({ size: 3 * MiB, data: [[MiB, MiB]] });
	const all = async (files: Map<string, MemorySink>) => {
		const contents = [...files].map(async ([name, sink]) => [name, Buffer.from(await sink.source().read(0, sink.size)).toString('base64')]);
		return Promise.all(contents);
	};
	const [once, again] = [
		await writeImage(vmdk, disk, { options: { subformat } }),
		await writeImage(vmdk, disk, { options: { subformat } }),
	];
	expect(await all(again)).toEqual(await all(once));
});

test.each(['twoGbMaxExtentSparse', 'twoGbMaxExtentFlat'])(
	'a disk over several files of %s keeps what lies across their borders',
	async (subformat) => {
		const edges = [2047 * MiB, 4094 * MiB];
		const data: Runs = edges.map((edge) => [edge - 1024, 2048]);
		const disk = patternDisk({ size: 5000 * MiB + 512, data });
		const files = await writeImage(vmdk, disk, { options: { subformat } });
		const image = await openImage(files, 'disk.vmdk');
		expect(files.size).toBe(4);
		expect(image.size).toBe(disk.size);
		for (const edge of edges) expect(await window(image, edge)).toEqual(await window(disk, edge));
	},
);

const window = (disk: Disk, edge: number): Promise<Uint8Array> => readDisk(disk, pakoCodec, edge - 65536, 131072);

test.each(['off', 'on'])('a delta says data, zeros and what is left to the parent (zeroed_grain=%s)', async (zeroed_grain) => {
	const grain = 65536;
	const size = 6 * grain + 512;
	const base = patternDisk({ size, data: [[0, size]] });
	const changed = patternDisk({ size, data: [[0, size]] });
	const delta: Disk = {
		...changed,
		async *extents() {
			yield { kind: 'absent', offset: 0, length: grain };
			yield* changed.extents(grain, grain);
			yield { kind: 'absent', offset: 2 * grain, length: grain };
			yield* changed.extents(3 * grain, grain);
			yield { kind: 'zero', offset: 4 * grain, length: size - 4 * grain };
		},
	};
	const files = await writeImage(vmdk, base, { name: 'base.vmdk' });
	const { id } = await openImage(files, 'base.vmdk');
	const backing = { name: 'base.vmdk', format: 'vmdk', size, id };
	for (const [name, sink] of await writeImage(vmdk, delta, { name: 'child.vmdk', options: { zeroed_grain }, backing }))
		files.set(name, sink);
	const seen = patternDisk({ size, data: [[0, 4 * grain]] });
	expect(await firstDifference(seen, await openImage(files, 'child.vmdk'))).toBeUndefined();
});

test.each(SUBFORMATS)('noise takes no more as %s than was measured', async (subformat) => {
	const size = 2 * MiB;
	const source = memorySource(noise(size));
	const disk: Disk = {
		...patternDisk({ size, data: [] }),
		async *extents(offset, length) {
			yield { kind: 'data', offset, length, source, at: offset };
		},
	};
	const request = { disk, format: vmdk, stamp: fixedStamp(), options: { subformat } };
	const { written: measured } = await measureImage(disk, planImage({ ...request, name: 'disk.vmdk' }));
	let written = 0;
	const counted = (sink: Sink): Sink => ({
		...sink,
		async write(at, bytes) {
			written += bytes.length;
			await sink.write(at, bytes);
		},
	});
	const target = memoryTarget('disk.vmdk');
	const beside = async (name: string) => counted(await target.beside(name));
	await convertDisk({ ...request, mover: portableMover(pakoCodec), target: { ...target, main: counted(target.main), beside } });
	expect(written).toBeLessThanOrEqual(measured);
	expect(written).toBeGreaterThan(measured * 0.95);
});

const noise = (length: number): Uint8Array => {
	let state = 1;
	return Uint8Array.from({ length }, () => {
		state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
		return state >>> 24;
	});
};
