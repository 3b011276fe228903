import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { checkVhdx } from '../../../formats/vhdx/check.ts';
import { vhdx } from '../../../formats/vhdx/index.ts';
import { VconvError } from '../../../src/errors.ts';
import { memorySource } from '../../../src/io/memory.ts';
import { patternDisk } from '../../helpers/pattern.ts';
import { changed, context, DATA_AT, deltaDisk, MiB, vhdxBytes } from './images.ts';
import { makeEntry, withLog } from './log-maker.ts';

let images: Uint8Array[];
beforeAll(async () => {
	const plain = await vhdxBytes(patternDisk({ size: 4 * MiB, data: [[0, MiB]] }));
	const backing = { name: 'base.vhdx', format: 'vhdx', size: 4 * MiB, id: '00112233-4455-6677-8899-aabbccddeeff' };
	const child = await vhdxBytes(deltaDisk({ size: 4 * MiB, data: [[0, 4096]], zero: [[MiB, MiB]] }), { backing });
	const first = makeEntry({ sequence: 1, tail: 0, updates: [{ at: DATA_AT, zeros: 8192 }] });
	const second = makeEntry({ sequence: 2, tail: 0, updates: [{ at: DATA_AT, bytes: new Uint8Array(4096).fill(1) }] });
	const dirty = withLog(plain, [
		[0, first],
		[first.length, second],
	]);
	images = [plain, child, dirty];
});

/** Where structures are, in images with the default layout: `[start, length]`. */
const STRUCTURES = [
	[0, 600],
	[64 * 1024, 80],
	[128 * 1024, 80],
	[192 * 1024, 80],
	[256 * 1024, 80],
	[MiB, 3 * 4096],
	[2 * MiB, 256],
	[2 * MiB + 65536, 400],
	[3 * MiB, 64],
	[3 * MiB + 4096 * 8, 8],
] as const;

const VALUES = [0, 1, 6, 7, 0x7f, 0x80, 0xff, 0x1000, 0xffff, 0x100000, 0x7fffffff, 0x80000000, 0xffffffff];

/** Open it, walk its map, check it: all of it may fail, but only with an error that says why. */
const tryAll = async (bytes: Uint8Array): Promise<void> => {
	try {
		const disk = await vhdx.open(memorySource(bytes), context);
		let end = 0;
		for await (const { offset, length } of disk.extents(0, disk.size)) {
			expect(offset).toBe(end);
			end = offset + length;
			if (end > 2 ** 33) break;
		}
		await checkVhdx(memorySource(bytes), context);
	} catch (error) {
		if (!(error instanceof VconvError)) throw error;
	}
};

test('whatever is changed in its structures, it is opened or refused, and nothing else', async () => {
	const place = fc.constantFrom(...STRUCTURES).chain(([start, length]) => fc.nat(length - 4).map((at) => start + at));
	const change = fc.tuple(place, fc.constantFrom(...VALUES), fc.constantFrom(1, 2, 4));
	const changes = fc.array(change, { minLength: 1, maxLength: 3 });
	await fc.assert(
		fc.asyncProperty(fc.nat(2), changes, fc.boolean(), async (which, changes, reseal) => {
			const apply = (bytes: Uint8Array) => {
				const view = new DataView(bytes.buffer);
				for (const [at, value, size] of changes) {
					if (size === 1) view.setUint8(at, value);
					else if (size === 2) view.setUint16(at, value, true);
					else view.setUint32(at, value, true);
				}
			};
			const image = images[which] ?? new Uint8Array();
			const bytes = image.slice();
			apply(bytes);
			await tryAll(reseal ? changed(image, (_, copy) => apply(copy)) : bytes);
		}),
		{ numRuns: 300 },
	);
});

test('wherever it is cut, it is opened or refused, and nothing else', async () => {
	await fc.assert(
		fc.asyncProperty(fc.nat(2), fc.nat(6 * MiB), async (which, length) => tryAll((images[which] ?? new Uint8Array()).slice(0, length))),
		{ numRuns: 60 },
	);
});
