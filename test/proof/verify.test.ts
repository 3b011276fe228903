import fc from 'fast-check';
import { expect, test } from 'vitest';
import { diskFormats } from '../../formats/index.ts';
import { hexDigits } from '../../src/bytes/hex.ts';
import type { DiskFormat, OptionValues } from '../../src/core/format.ts';
import { clip } from '../../src/disk/clip.ts';
import { readDisk } from '../../src/disk/read.ts';
import { pakoCodec } from '../../src/engine/pako.ts';
import { portableMover } from '../../src/engine/portable.ts';
import { VconvError } from '../../src/errors.ts';
import { sha256 } from '../../src/node/sha256.ts';
import type { Proof } from '../../src/proof/file.ts';
import { hashDisk } from '../../src/proof/hash.ts';
import { treeRoot } from '../../src/proof/tree.ts';
import { verifyDisk } from '../../src/proof/verify.ts';
import { openImage, writeImage } from '../helpers/image.ts';
import { mixedDisk } from '../helpers/pattern.ts';
import { slowRoot } from '../helpers/tree.ts';

const MiB = 1 << 20;
const hashing = { mover: portableMover(pakoCodec), sha256 };
const RUNS = process.env['VCONV_THOROUGH'] ? 200 : 4;

/** Every format that is written, in each way that stores data otherwise. */
const SHAPES: readonly (readonly [format: string, options?: OptionValues, compress?: boolean])[] = [
	['raw'],
	['qcow2'],
	['qcow2', { extended_l2: 'on' }],
	['qcow2', {}, true],
	['vmdk'],
	['vmdk', { subformat: 'streamOptimized' }],
	['vmdk', { subformat: 'twoGbMaxExtentFlat' }],
	['vhd', { force_size: 'on' }],
	['vhd', { subformat: 'fixed', force_size: 'on' }],
	['vhdx'],
	['vdi'],
];

const formatOf = (id: string): DiskFormat => diskFormats.find((format) => format.id === id) as DiskFormat;
const SIZE = 2 * MiB + 512;

/** Of a disk in a format: its files, and a proof of it. */
const proved = async ([format, options, compress]: (typeof SHAPES)[number]) => {
	const files = await writeImage(formatOf(format), mixedDisk(SIZE), {
		name: 'disk',
		...(options && { options }),
		...(compress && { compress }),
	});
	const disk = await openImage(files, 'disk', { format });
	const leaves = await hashDisk(disk, hashing);
	const root = await treeRoot(leaves, sha256);
	const proof: Proof = { tool: '', created: '', source: '', target: { name: '', format }, virtualSize: disk.size, root, leaves };
	return { files, disk, proof };
};

test('a disk has one root in all formats', async () => {
	const disk = mixedDisk(SIZE);
	const root = slowRoot(await readDisk(disk, pakoCodec, 0, SIZE));
	for (const shape of SHAPES) {
		const { proof } = await proved(shape);
		expect([shape, proof.virtualSize, hexDigits(proof.root)]).toEqual([shape, SIZE, root]);
	}
});

test.for(SHAPES)('%s %o, compressed: %s: a bit of the guest that is flipped is found', async (shape) => {
	const { files, disk, proof } = await proved(shape);
	expect(await verifyDisk(disk, proof, 'p', hashing)).toBeUndefined();
	const before = await readDisk(disk, pakoCodec, 0, disk.size);
	await fc.assert(
		fc.asyncProperty(fc.nat(SIZE - 1), fc.nat(7), async (near, bit) => {
			// The byte of the file behind the first byte of data from there on, or a byte of the packed unit that holds it.
			let place: { file: string; at: number; guestOffset: number } | undefined;
			for await (const extent of disk.extents(near, disk.size - near)) {
				if (extent.kind !== 'data' && extent.kind !== 'packed') continue;
				const first = clip(extent, Math.max(extent.offset, near), extent.offset + extent.length);
				if (first.kind === 'data') place = { file: first.source.name, at: first.at, guestOffset: first.offset };
				if (first.kind === 'packed') place = { file: first.source.name, at: first.at + (near % first.stored), guestOffset: first.offset };
				break;
			}
			if (!place) return;
			const sink = files.get(place.file);
			const [byte = 0] = (await sink?.source().read(place.at, 1)) ?? [];
			await sink?.write(place.at, Uint8Array.of(byte ^ (1 << bit)));
			try {
				const flipped = await openImage(files, 'disk', { format: shape[0] });
				const found = await verifyDisk(flipped, proof, 'p', hashing);
				// Some bits of a packed unit are nobody's: those behind the end of its stream, and beside the head of a block that is stored as it is.
				if (!found) {
					expect(Buffer.compare(await readDisk(flipped, pakoCodec, 0, flipped.size), before)).toBe(0);
					return;
				}
				expect(found).toMatchObject({ kind: 'content' });
				const { guestOffset, length } = found as { guestOffset: number; length: number };
				if (shape[2] || shape[1]?.['subformat'] === 'streamOptimized') return;
				expect(guestOffset).toBeLessThanOrEqual(place.guestOffset);
				expect(guestOffset + length).toBeGreaterThan(place.guestOffset);
			} catch (error) {
				if (!(error instanceof VconvError)) throw error;
			} finally {
				await sink?.write(place.at, Uint8Array.of(byte));
			}
		}),
		{ numRuns: RUNS },
	);
});

test('a disk of another size, and a proof that contradicts itself, are told', async () => {
	const { disk, proof } = await proved(['raw']);
	const sizes = { kind: 'size', size: SIZE, expected: SIZE + 512 };
	const larger = { ...proof, virtualSize: SIZE + 512, leaves: undefined };
	expect(await verifyDisk(disk, larger, 'p', hashing)).toEqual(sizes);
	await expect(verifyDisk(disk, { ...proof, root: new Uint8Array(32) }, 'p', hashing)).rejects.toMatchObject({
		exitCode: 4,
		field: 'tree.root',
	});
	const bare = { ...proof, leaves: undefined };
	expect(await verifyDisk(disk, bare, 'p', hashing)).toBeUndefined();
	const other = await verifyDisk(mixedDisk(SIZE), { ...bare, root: new Uint8Array(32) }, 'p', hashing);
	expect(other).toEqual({ kind: 'content', guestOffset: 0, length: SIZE });
});
