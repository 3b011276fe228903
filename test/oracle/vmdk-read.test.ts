import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { diskFormats } from '../../formats/index.ts';
import { flatten, openChain } from '../../src/convert/open.ts';
import type { Disk } from '../../src/core/disk.ts';
import { readDisk } from '../../src/disk/read.ts';
import { pakoCodec } from '../../src/engine/pako.ts';
import { openFile } from '../../src/node/file.ts';
import { gate } from '../../src/node/gate.ts';
import { has, run, temporaryFolder } from '../helpers/programs.ts';

const QEMU = has('qemu-img');
const SUBFORMATS = ['monolithicSparse', 'monolithicFlat', 'twoGbMaxExtentSparse', 'twoGbMaxExtentFlat', 'streamOptimized'];

const open = async (file: string): Promise<Disk> => flatten(await openChain(await openFile(file), { formats: diskFormats, gate: gate() }));

/** The same bytes every time, which deflate does not shrink. */
const noise = (length: number): Buffer => {
	const bytes = Buffer.alloc(length);
	let state = 0x9e3779b9;
	for (let at = 0; at < length; at++) {
		state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
		bytes[at] = state >>> 24;
	}
	return bytes;
};

/** A raw file that ends within a grain, with runs of noise at these places. */
const rawFile = (folder: string, name: string, size: number, places: readonly number[]): string => {
	const file = path.join(folder, name);
	const fd = fs.openSync(file, 'w');
	for (const at of places) fs.writeSync(fd, noise(100_000), 0, Math.min(100_000, size - at), at);
	fs.ftruncateSync(fd, size);
	fs.closeSync(fd);
	return file;
};

const same = async (disk: Disk, raw: string): Promise<boolean> => {
	expect(disk.size).toBe(fs.statSync(raw).size);
	const source = await openFile(raw);
	for (let at = 0; at < disk.size; at += 1 << 20) {
		const length = Math.min(1 << 20, disk.size - at);
		if (Buffer.compare(await readDisk(disk, pakoCodec, at, length), await source.read(at, length)) !== 0) return false;
	}
	await source.close();
	return true;
};

test.skipIf(!QEMU).each(SUBFORMATS)('what qemu-img writes as %s is read byte for byte', async (subformat) => {
	const folder = temporaryFolder();
	for (const [size, places] of [
		[512, [0]],
		[5 * 2 ** 20 + 512, [0, 70_000, 3_000_000, 5 * 2 ** 20 - 50_000]],
		[33 * 2 ** 20, [32 * 2 ** 20 - 50_000]],
	] as const) {
		const raw = rawFile(folder, 'disk.raw', size, places);
		const image = path.join(folder, 'disk.vmdk');
		run('qemu-img', 'convert', '-f', 'raw', '-O', 'vmdk', '-o', `subformat=${subformat}`, raw, image);
		const disk = await open(image);
		expect(await same(disk, raw)).toBe(true);
		await disk.close();
	}
});

test.skipIf(!QEMU)('a delta of qemu-img is read through its parents, and its grains of zeros hide theirs', async () => {
	const folder = temporaryFolder();
	const size = 8 * 2 ** 20;
	const at = (name: string) => path.join(folder, name);
	run(
		'qemu-img',
		'convert',
		'-O',
		'vmdk',
		'-o',
		'zeroed_grain=on',
		rawFile(folder, 'base.raw', size, [0, 1 << 20, 2 << 20]),
		at('base.vmdk'),
	);
	run('qemu-img', 'create', '-q', '-f', 'vmdk', '-o', 'zeroed_grain=on', '-b', at('base.vmdk'), '-F', 'vmdk', at('top.vmdk'));
	run('qemu-io', '-f', 'vmdk', '-c', 'write -P 7 1114112 65536', '-c', 'write -z 2097152 65536', at('top.vmdk'));
	run('qemu-img', 'convert', '-O', 'raw', at('top.vmdk'), at('top.raw'));
	const disk = await open(at('top.vmdk'));
	expect(await same(disk, at('top.raw'))).toBe(true);
	await disk.close();
	run('qemu-io', '-f', 'vmdk', '-c', 'write -P 9 0 512', at('base.vmdk')); // gives it a new CID
	await expect(open(at('top.vmdk'))).rejects.toMatchObject({ name: 'ChangedError' });
});

type Info = { 'format-specific': { data: Record<string, unknown> }; 'cluster-size'?: number };

test.skipIf(!QEMU).each(SUBFORMATS)('info says of a %s what qemu-img says', async (subformat) => {
	const folder = temporaryFolder();
	const image = path.join(folder, 'disk.vmdk');
	run('qemu-img', 'create', '-q', '-f', 'vmdk', '-o', `subformat=${subformat}`, image, '3G');
	const theirs = JSON.parse(run('qemu-img', 'info', '--output=json', image)) as Info;
	const { info, close } = await open(image);
	await close();
	const extents = (theirs['format-specific'].data['extents'] as { filename: string }[]).map((extent) => ({
		...extent,
		filename: expect.stringContaining(path.basename(extent.filename)),
	}));
	expect(info.clusterSize).toBe(theirs['cluster-size']);
	expect(info.specific?.data).toMatchObject({ ...theirs['format-specific'].data, extents });
});
