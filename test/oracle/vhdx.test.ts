import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { diskFormats } from '../../formats/index.ts';
import { vhdx } from '../../formats/vhdx/index.ts';
import { convertDisk } from '../../src/convert/convert.ts';
import { flatten, openChain } from '../../src/convert/open.ts';
import type { Disk } from '../../src/core/disk.ts';
import type { BackingReference, OptionValues } from '../../src/core/format.ts';
import { overlay } from '../../src/disk/overlay.ts';
import { pakoCodec } from '../../src/engine/pako.ts';
import { portableMover } from '../../src/engine/portable.ts';
import { openFile } from '../../src/node/file.ts';
import { gate } from '../../src/node/gate.ts';
import { createTarget } from '../../src/node/target.ts';
import { BAT_AT, DATA_AT, deltaDisk, openVhdx, vhdxBytes } from '../formats/vhdx/images.ts';
import { makeEntry, withLog } from '../formats/vhdx/log-maker.ts';
import { firstDifference, fixedStamp } from '../helpers/image.ts';
import { patternDisk, type Runs } from '../helpers/pattern.ts';
import { has, run, temporaryFolder } from '../helpers/programs.ts';

const MiB = 1 << 20;
const size = 70 * MiB + 1024;
const data: Runs = [
	[0, 4096],
	[3 * MiB - 512, 1024],
	[33 * MiB, 5 * MiB],
	[70 * MiB, 1024],
];

type Written = { readonly options?: OptionValues; readonly backing?: BackingReference };

const write = async (file: string, disk: Disk, format: string, request: Written = {}): Promise<string> => {
	const found = diskFormats.find(({ id }) => id === format) ?? vhdx;
	await convertDisk({
		disk,
		target: await createTarget(file),
		format: found,
		mover: portableMover(pakoCodec),
		stamp: fixedStamp(),
		...request,
	});
	return file;
};

const open = async (file: string): Promise<Disk> => flatten(await openChain(await openFile(file), { formats: diskFormats, gate: gate() }));

/** The one file that 7-Zip takes out of an image: the disk. */
const extracted = (image: string): string => {
	const folder = `${image}.7z`;
	run('7zz', 'x', '-y', `-o${folder}`, image);
	return path.join(folder, fs.readdirSync(folder)[0] ?? '');
};

test
	.skipIf(!has('qemu-img') || !has('7zz'))
	.for([
		{},
		{ subformat: 'fixed' },
		{ block_size: '1M', block_state_zero: 'off' },
		{ block_size: '32M', log_size: '4M' },
		{ subformat: 'fixed', block_size: '256M', physical_sector_size: '512' },
	])('qemu-img and 7-Zip find the disk in what was written with %o', async (options) => {
	const folder = temporaryFolder();
	const disk = patternDisk({ size, data });
	const raw = await write(path.join(folder, 'disk.raw'), disk, 'raw');
	const image = await write(path.join(folder, 'disk.vhdx'), disk, 'vhdx', { options });
	expect(run('qemu-img', 'check', image)).toContain('No errors');
	expect(run('qemu-img', 'compare', '-f', 'raw', '-F', 'vhdx', raw, image)).toContain('identical');
	run('cmp', raw, extracted(image));
});

test.skipIf(!has('7zz'))('7-Zip finds the disk in an image of 4096-byte sectors, which qemu-img does not open', async () => {
	const folder = temporaryFolder();
	const disk = { ...patternDisk({ size: 64 * MiB, data: [[MiB, 3 * MiB]] }), sectorSize: 4096 as const };
	const image = await write(path.join(folder, 'disk.vhdx'), disk, 'vhdx');
	run('cmp', await write(path.join(folder, 'disk.raw'), disk, 'raw'), extracted(image));
});

test.skipIf(!has('7zz')).for(['1M', '8M'])('7-Zip finds the disk in a child, with blocks of %s', async (block_size) => {
	const folder = temporaryFolder();
	const base = patternDisk({ size, data: [[0, 40 * MiB]] });
	const parent = await write(path.join(folder, 'base.vhdx'), base, 'vhdx');
	const opened = await open(parent);
	const backing = { name: 'base.vhdx', format: 'vhdx', size, id: opened.id };
	await opened.close();
	const zero: Runs = [
		[8192, 512],
		[8 * MiB, 16 * MiB],
		[30 * MiB + 512, 1024],
	];
	const delta = deltaDisk({ size, data, zero });
	const child = await write(path.join(folder, 'child.avhdx'), delta, 'vhdx', { backing, options: { block_size } });
	const flat = await write(path.join(folder, 'flat.raw'), overlay(delta, base), 'raw');
	const reopened = await open(child);
	expect(await firstDifference(overlay(delta, base), reopened)).toBeUndefined();
	await reopened.close();
	run('cmp', flat, extracted(child));
});

test
	.skipIf(!has('qemu-img'))
	.for([
		{ options: 'subformat=dynamic' },
		{ options: 'subformat=fixed' },
		{ options: 'subformat=dynamic,block_size=1M,block_state_zero=off' },
	])('what qemu-img writes with $options is read as it was', async ({ options }) => {
	const folder = temporaryFolder();
	const disk = patternDisk({ size, data });
	const raw = await write(path.join(folder, 'disk.raw'), disk, 'raw');
	const image = path.join(folder, 'disk.vhdx');
	run('qemu-img', 'convert', '-f', 'raw', '-O', 'vhdx', '-o', options, raw, image);
	const opened = await open(image);
	expect(await firstDifference(disk, opened)).toBeUndefined();
	await opened.close();
});

test.skipIf(!has('qemu-img'))('a log is replayed in memory as qemu-img repairs it in a file', async () => {
	const folder = temporaryFolder();
	const image = await vhdxBytes(patternDisk({ size: 8 * MiB, data: [[0, 2 * MiB]] }));
	const bat = image.slice(BAT_AT, BAT_AT + 4096);
	const entry = new DataView(bat.buffer).getBigUint64(0, true);
	new DataView(bat.buffer).setBigUint64(3 * 8, entry, true);
	new DataView(bat.buffer).setBigUint64(0, 2n, true);
	const start = 16384;
	const sizes = { flushed: image.length, last: image.length };
	const first = makeEntry({ sequence: 5, tail: start, updates: [{ at: BAT_AT, bytes: bat }], ...sizes });
	const updates = [
		{ at: DATA_AT + 8192, zeros: 16384 },
		{ at: DATA_AT + 12288, bytes: new Uint8Array(4096).fill(0x5a) },
	];
	const second = makeEntry({ sequence: 6, tail: start, updates, ...sizes });
	const dirty = path.join(folder, 'dirty.vhdx');
	fs.writeFileSync(
		dirty,
		withLog(image, [
			[start, first],
			[start + first.length, second],
		]),
	);
	const ours = await open(dirty);
	const repaired = path.join(folder, 'repaired.vhdx');
	fs.copyFileSync(dirty, repaired);
	run('qemu-img', 'check', '-r', 'all', repaired);
	const raw = path.join(folder, 'repaired.raw');
	run('qemu-img', 'convert', '-f', 'vhdx', '-O', 'raw', repaired, raw);
	const theirs = await open(raw);
	expect(await firstDifference(ours, theirs)).toBeUndefined();
	expect(await firstDifference(ours, await openVhdx({ 'disk.vhdx': image }))).toBe(7);
	await ours.close();
	await theirs.close();
});

test.skipIf(!has('vhdiinfo')).for(['dynamic', 'fixed'])('libvhdi takes an image for %s', async (subformat) => {
	const image = await write(path.join(temporaryFolder(), 'disk.vhdx'), patternDisk({ size, data }), 'vhdx', { options: { subformat } });
	const told = run('vhdiinfo', image).toLowerCase();
	expect(told).toMatch(new RegExp(`disk type\\s*: ${subformat}`));
	expect(told).toContain(`(${size} bytes)`);
});
