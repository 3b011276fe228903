import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import zlib from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { diskFormats } from '../../formats/index.ts';
import type { Disk } from '../../src/core/disk.ts';
import type { Mover } from '../../src/core/mover.ts';
import { fromDist } from '../helpers/dist.ts';
import { fixedStamp } from '../helpers/image.ts';
import { patternBytes, patternDisk } from '../helpers/pattern.ts';
import { temporaryFolder } from '../helpers/programs.ts';

const MiB = 1 << 20;
const { nodeMover, nodeCodec, openFile, createTarget } = await fromDist<typeof import('../../src/node/index.ts')>('src/node/index.js');
const { convertDisk, openLayer, portableMover } = await fromDist<typeof import('../../src/index.ts')>('src/index.js');

const { prepareZstd, zstd } = await fromDist<typeof import('../../src/node/zstd.ts')>('src/node/zstd.js');
await prepareZstd();

/** 12 MiB: text that packs, noise that does not, written zeros and holes, so that every kind of block occurs in most chunks. */
const content = (): Buffer => {
	const bytes = Buffer.alloc(12 * MiB);
	for (let at = 0; at < bytes.length; at += 96 * 1024) {
		const part = bytes.subarray(at, at + 96 * 1024);
		if (at % 5 === 0) zlib.deflateRawSync(Buffer.from(patternBytes(at, 96 * 1024))).copy(part);
		else if (at % 3 !== 0) part.set(patternBytes(at, part.length));
	}
	return bytes;
};

let outputs = 1000;

const writeWith = async (mover: Mover, disk: Disk, format: string, options: Record<string, string>, compress: boolean, folder: string) => {
	const name = path.join(folder, `out-${outputs++}`);
	const found = diskFormats.find(({ id }) => id === format);
	if (!found) throw new Error(`no format ${format}`);
	const moved = await convertDisk({ disk, target: await createTarget(name), format: found, mover, options, compress, stamp: fixedStamp() });
	// Descriptors say their own name.
	const image = fs.readFileSync(name).toString('latin1').replaceAll(path.basename(name), 'out-');
	return { moved, sum: createHash('sha256').update(image, 'latin1').digest('hex'), name };
};

describe('the output is the same for any number of threads', () => {
	test.for([
		['raw', {}, false],
		['raw', { sparse: '0' }, false],
		['qcow2', {}, false],
		['qcow2', { cluster_size: '512' }, false],
		['qcow2', { cluster_size: '2M' }, true],
		['qcow2', {}, true],
		['qcow2', { compression_type: 'zstd' }, true],
		['qcow2', { extended_l2: 'on' }, false],
		['qcow2', { preallocation: 'metadata' }, false],
		['vmdk', {}, false],
		['vmdk', { subformat: 'streamOptimized' }, false],
		['vhd', {}, false],
		['vhdx', {}, false],
		['vdi', {}, false],
	] as const)('%s %o, compressed: %s', async ([format, options, compress], { skip }) => {
		skip('compression_type' in options && !zstd(), 'no zstd here');
		const folder = temporaryFolder();
		const raw = path.join(folder, 'in.raw');
		fs.writeFileSync(raw, content());
		const sums = new Set<string>();
		const counts = new Set<string>();
		for (const mover of [nodeMover({ threads: 1 }), nodeMover({ threads: 3 }), portableMover(nodeCodec())]) {
			const { disk } = await openLayer(await openFile(raw), {
				formats: diskFormats,
				gate: async () => Promise.reject(new Error('no gate')),
			});
			const { sum, moved } = await writeWith(mover, disk, format, options, compress, folder);
			sums.add(sum);
			counts.add(JSON.stringify(moved));
			await disk.close();
		}
		expect([sums.size, counts.size]).toEqual([1, 1]);
	});
});

test('what comes from no file is moved too, among chunks that do', async () => {
	const folder = temporaryFolder();
	const raw = path.join(folder, 'in.raw');
	fs.writeFileSync(raw, content());
	const source = await openFile(raw);
	const pattern = patternDisk({ size: 12 * MiB, data: [[0, 12 * MiB]] });
	const mixed: Disk = {
		size: 12 * MiB,
		sectorSize: 512,
		info: { format: 'mixed' },
		async *extents(guestOffset, length) {
			for (let at = guestOffset; at < guestOffset + length; at += 300 * 1024) {
				const count = Math.min(300 * 1024, guestOffset + length - at);
				if ((at / (300 * 1024)) % 2 === 0) yield { kind: 'data', offset: at, length: count, source, at };
				else yield* pattern.extents(at, count);
			}
		},
		close: () => source.close(),
	};
	const { name } = await writeWith(nodeMover({ threads: 3 }), mixed, 'raw', {}, false, folder);
	const expected = content();
	for (let at = 300 * 1024; at < 12 * MiB; at += 600 * 1024) expected.set(patternBytes(at, Math.min(300 * 1024, 12 * MiB - at)), at);
	expect(Buffer.compare(fs.readFileSync(name), expected)).toBe(0);
	await mixed.close();
});

test.for([1, 4])('a damaged cluster is told with its place, and nothing is left, with %i threads', async (threads) => {
	const folder = temporaryFolder();
	const raw = path.join(folder, 'in.raw');
	fs.writeFileSync(raw, Buffer.from(patternBytes(0, 24 * MiB)));
	const options = { formats: diskFormats, gate: async () => Promise.reject(new Error('no gate')) };
	const { disk } = await openLayer(await openFile(raw), options);
	const { name } = await writeWith(nodeMover({ threads }), disk, 'qcow2', {}, true, folder);
	await disk.close();

	const image = await openLayer(await openFile(name), options);
	let place: { at: number; offset: number } | undefined;
	for await (const extent of image.disk.extents(20 * MiB, 65_536)) if (extent.kind === 'packed') place = extent;
	const fd = fs.openSync(name, 'r+');
	fs.writeSync(fd, Buffer.alloc(64, 0xaa), 0, 64, place?.at);
	fs.closeSync(fd);
	const before = fs.readdirSync(folder);
	await expect(writeWith(nodeMover({ threads }), image.disk, 'raw', {}, false, folder)).rejects.toMatchObject({
		code: 'CORRUPT',
		path: name,
		offset: place?.at,
		message: expect.stringContaining('guest offset 0x1400000'),
	});
	expect(fs.readdirSync(folder)).toEqual(before);
	await image.disk.close();
});

test('an abort ends the move at once and leaves nothing', async () => {
	const folder = temporaryFolder();
	const abort = new AbortController();
	const disk = patternDisk({ size: 1024 * MiB, data: [[0, 1024 * MiB]] });
	const target = await createTarget(path.join(folder, 'out.raw'));
	const format = diskFormats.find(({ id }) => id === 'raw');
	if (!format) throw new Error('no raw');
	const request = { disk, target, format, mover: nodeMover({ threads: 2 }), stamp: fixedStamp(), signal: abort.signal };
	await expect(convertDisk({ ...request, onProgress: ({ done }) => done > 8 * MiB && abort.abort(new Error('enough')) })).rejects.toThrow(
		'enough',
	);
	expect(fs.readdirSync(folder)).toEqual([]);
});

test.skipIf(process.platform !== 'linux')('room is laid aside for what is written, and for nothing else', async () => {
	const folder = temporaryFolder();
	const data = Array.from({ length: 6 }, (_, i): [number, number] => [i * 32 * MiB, MiB]);
	for (const format of ['raw', 'qcow2', 'vhd', 'vhdx', 'vdi']) {
		const raw = path.join(folder, `${format}.raw`);
		const fd = fs.openSync(raw, 'w');
		for (const [at, length] of data) fs.writeSync(fd, patternBytes(at, length), 0, length, at);
		fs.closeSync(fd);
		const { disk } = await openLayer(await openFile(raw), { formats: diskFormats, gate: async () => Promise.reject(new Error('no gate')) });
		const { name } = await writeWith(nodeMover({ threads: 2 }), disk, format, {}, false, folder);
		await disk.close();
		expect(fs.statSync(name).blocks * 512, format).toBeLessThan(12 * MiB);
	}
});
