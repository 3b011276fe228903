import fc from 'fast-check';
import { expect, test } from 'vitest';
import { vmdk } from '../../../formats/vmdk/index.ts';
import { contextFor } from '../../../src/convert/open.ts';
import type { Source } from '../../../src/core/source.ts';
import { readDisk } from '../../../src/disk/read.ts';
import { pakoCodec } from '../../../src/engine/pako.ts';
import { AccessError, VconvError } from '../../../src/errors.ts';
import { memorySource } from '../../../src/io/memory.ts';
import { effort } from '../../helpers/effort.ts';
import { writeImage } from '../../helpers/image.ts';
import { patternDisk } from '../../helpers/pattern.ts';
import { cowd, descriptor, seSparse } from './build.ts';

/** Everything that one image is asked; only a VconvError may come out. */
const exercise = async (image: Uint8Array, others: Readonly<Record<string, Uint8Array>>): Promise<void> => {
	const follow = async (_: unknown, name: string): Promise<Source> => {
		const found = others[name];
		if (!found) throw new AccessError(`there is no ${name}`);
		return memorySource(found, name);
	};
	const source = memorySource(image, 'disk.vmdk');
	const context = contextFor(source, { formats: [vmdk], gate: follow });
	const tried = async (work: () => Promise<unknown>) => {
		try {
			await work();
		} catch (error) {
			if (!(error instanceof VconvError)) throw error;
		}
	};
	await tried(async () => {
		const disk = await vmdk.open(source, context);
		await readDisk(disk, pakoCodec, 0, Math.min(disk.size, 1 << 20));
		let count = 0;
		for await (const _ of disk.extents(0, disk.size)) if (++count > 10_000) break;
	});
	await tried(async () => vmdk.check?.(source, context));
};

/** Bytes put somewhere: in the header as often as anywhere. Then a cut, or none. */
const mutations = fc.record({
	puts: fc.array(
		fc.record({
			at: fc.oneof(fc.nat(80), fc.nat(1 << 20)),
			bytes: fc.oneof(
				fc.array(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), { minLength: 1, maxLength: 8 }),
				fc.array(fc.nat(255), { minLength: 1, maxLength: 8 }),
			),
		}),
		{ maxLength: 3 },
	),
	keep: fc.oneof(fc.constant(1), fc.double({ min: 0, max: 1, noNaN: true })),
});

const mutate = (image: Uint8Array, { puts, keep }: { puts: { at: number; bytes: number[] }[]; keep: number }): Uint8Array => {
	const out = image.slice();
	for (const { at, bytes } of puts) for (const [i, byte] of bytes.entries()) out[(at + i) % out.length] = byte;
	return out.subarray(0, Math.floor(out.length * keep));
};

const disk = patternDisk({ size: 1 << 20, data: [[65536, 100_000]] });
const sparse = async (subformat: string) => {
	const image = await writeImage(vmdk, disk, { options: { subformat } });
	const sink = image.get('disk.vmdk');
	if (!sink) throw new Error('it has no main file');
	return sink.source().read(0, sink.size);
};
const sectors = new Map([3, 700].map((sector) => [sector, new Uint8Array(512).fill(1)]));
const grains = new Map([8, 800].map((sector) => [sector, new Uint8Array(4096).fill(1)]));
const split = (type: string, bytes: Uint8Array) => ({ text: descriptor('createType="custom"', `RW 1024 ${type} "part.vmdk"`), bytes });

test.each(['monolithicSparse', 'streamOptimized', 'monolithicFlat'])('a damaged %s is refused by name, or read', async (subformat) => {
	const image = await sparse(subformat);
	await fc.assert(
		fc.asyncProperty(mutations, async (mutation) => exercise(mutate(image, mutation), { 'disk-flat.vmdk': new Uint8Array(1 << 20) })),
		{ numRuns: 120 },
	);
});

test.each([split('VMFSSPARSE', cowd(1024, sectors)), split('SESPARSE', seSparse(1024, grains))])(
	'a damaged extent of ESXi is refused by name, or read',
	async ({ text, bytes }) => {
		const main = new TextEncoder().encode(text);
		await fc.assert(
			fc.asyncProperty(mutations, async (mutation) => exercise(main, { 'part.vmdk': mutate(bytes, mutation) })),
			{ numRuns: 120 },
		);
	},
);

test('a header that claims 64 TiB over a small file costs nothing', async () => {
	const image = await sparse('monolithicSparse');
	new DataView(image.buffer).setBigUint64(12, 2n ** 37n, true);
	const spent = effort();
	await exercise(image, {});
	expect(spent()).toBeLessThan(2000);
});
