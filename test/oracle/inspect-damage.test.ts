import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { DEBIAN, type Files } from '../guest/linux/make.ts';
import { description, physicalPieces } from '../guest/make-lvm.ts';
import { addFile, makeNtfs } from '../guest/ntfs/make.ts';
import { windowsFiles } from '../guest/windows/make.ts';
import { dist } from '../helpers/dist.ts';
import { has, run, temporaryFolder } from '../helpers/programs.ts';

process.env['PATH'] += ':/sbin:/usr/sbin'; // where Debian has mke2fs and its like

const RUNS = process.env['VCONV_THOROUGH'] ? 3000 : 40;
const MIB = 1 << 20;
const MOST_MS = 2000;
const MOST_MIB = 300;

/** Inspects an image with a few bytes of it overwritten, over and over, in a process whose memory is nobody else's. What fails is kept. */
const PROGRAM = `
import fs from 'node:fs';
import os from 'node:os';
import { pathToFileURL } from 'node:url';
const [dist, image, runs, first, most] = process.argv.slice(2);
const { inspectFiles } = await import(pathToFileURL(dist + '/src/node/index.js').href);
const { diskFormats } = await import(pathToFileURL(dist + '/src/index.js').href);
const opening = { formats: diskFormats, format: 'raw', gate: () => Promise.reject(new Error('nothing is named')) };

let state = Number(first);
const random = (below) => {
	state = (state + 0x6d2b79f5) | 0;
	let word = Math.imul(state ^ (state >>> 15), 1 | state);
	word = (word + Math.imul(word ^ (word >>> 7), 61 | word)) ^ word;
	return ((word ^ (word >>> 14)) >>> 0) % below;
};
const file = fs.openSync(image, 'r+');
const used = [];
const page = Buffer.alloc(1 << 20);
for (let at = 0, length; (length = fs.readSync(file, page, 0, page.length, at)) > 0; at += length)
	for (let word = 0; word < length; word += 8) if (page.readDoubleLE(word) !== 0) used.push(at + word);

const said = { slowest: 0, failures: [], reasons: 0, memory: 0 };
for (let run = 0; run < Number(runs); run++) {
	const changes = Array.from({ length: 1 + random(12) }, () => {
		const at = used[random(used.length)] + random(8);
		const old = Buffer.alloc(1 + random(4));
		fs.readSync(file, old, 0, old.length, at);
		return { at, old, now: Buffer.from(old).map(() => (random(2) ? random(256) : [0, 1, 0x7f, 0x80, 0xff][random(5)])) };
	});
	for (const { at, now } of changes) fs.writeSync(file, now, 0, now.length, at);
	const start = performance.now();
	let failure;
	try {
		const { incomplete } = await inspectFiles([image], { opening, machineFormats: [] });
		said.reasons += incomplete.length;
	} catch (error) {
		failure = error.stack;
	}
	const took = performance.now() - start;
	said.slowest = Math.max(said.slowest, took);
	if (took > Number(most)) failure ??= 'it took ' + took + ' ms';
	if (failure && said.failures.length < 5) {
		const kept = os.tmpdir() + '/vconv-damaged-' + process.pid + '-' + run + '.img';
		fs.copyFileSync(image, kept);
		said.failures.push(kept + ': ' + failure);
	}
	for (const { at, old } of changes.reverse()) fs.writeSync(file, old, 0, old.length, at);
}
said.memory = process.resourceUsage().maxRSS / 1024;
console.log(JSON.stringify(said));
`;

const fill = (folder: string, files: Files): string => {
	for (const [name, content] of Object.entries(files)) {
		fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
		fs.writeFileSync(path.join(folder, name), content);
	}
	return folder;
};

/** A disk with these volumes one after the other from 1 MiB on. */
const diskOf = (folder: string, label: string, ...volumes: readonly (readonly [type: string, file: string])[]): string => {
	const disk = path.join(folder, 'disk.img');
	const sizes = volumes.map(([, file]) => fs.statSync(file).size);
	run('truncate', '-s', String(sizes.reduce((sum, size) => sum + size, 2 * MIB)), disk);
	const lines = volumes.map(([type], index) => `size=${(sizes[index] ?? 0) / 512},type=${type}`);
	fs.writeFileSync(path.join(folder, 'script'), [`label: ${label}`, ...lines, ''].join('\n'));
	run('sh', '-c', 'sfdisk -q --no-reread --no-tell-kernel "$1" < "$2"', 'sh', disk, path.join(folder, 'script'));
	let at = 1;
	for (const [index, [, file]] of volumes.entries()) {
		run('dd', `if=${file}`, `of=${disk}`, 'bs=1M', `seek=${at}`, 'conv=notrunc,sparse', 'status=none');
		at += (sizes[index] ?? 0) / MIB;
	}
	return disk;
};

const fat = (file: string, size: string, tree: string, ...folders: readonly string[]): string => {
	run('truncate', '-s', size, file);
	run('mkfs.vfat', file);
	run('mcopy', '-s', '-i', file, ...folders.map((name) => path.join(tree, name)), '::');
	return file;
};

const ext = (file: string, size: string, tree: string, ...options: readonly string[]): string => {
	run('mke2fs', '-q', '-F', '-b', '1024', ...options, '-d', tree, file, size);
	return file;
};

/** A physical volume of LVM with one logical volume that holds this file. */
const inGroup = (file: string): string => {
	const size = fs.statSync(file).size;
	const uuid = 'aaaaaa-bbbb-cccc-dddd-eeee-ffff-000001';
	const segment = `segment1 { start_extent = 0 extent_count = ${size / 65_536} type = "striped" stripe_count = 1 stripes = ["pv0", 0] }`;
	const physical = `${file}.pv`;
	fs.writeFileSync(physical, Buffer.alloc(MIB));
	fs.appendFileSync(physical, fs.readFileSync(file));
	const open = fs.openSync(physical, 'r+');
	const text = description([uuid], `root { status = ["VISIBLE"] segment_count = 1 ${segment} }`);
	for (const [at, bytes] of physicalPieces(uuid, text)) fs.writeSync(open, Buffer.from(bytes as string, 'latin1'), 0, bytes.length, at);
	fs.closeSync(open);
	return physical;
};

const makers: Readonly<Record<string, (folder: string) => string>> = {
	'a Linux on ext4 with an ESP'(folder) {
		const esp = fat(path.join(folder, 'esp'), '4M', fill(path.join(folder, 'efi'), { 'EFI/BOOT/BOOTX64.EFI': 'loader' }), 'EFI');
		const root = ext(path.join(folder, 'root'), '16M', fill(path.join(folder, 'tree'), DEBIAN), '-t', 'ext4', '-O', '^metadata_csum');
		return diskOf(folder, 'gpt', ['U', esp], ['L', root]);
	},
	'a Linux on LVM, ext2'(folder) {
		const root = ext(path.join(folder, 'root'), '8M', fill(path.join(folder, 'tree'), DEBIAN), '-t', 'ext2');
		return diskOf(folder, 'dos', ['8e', inGroup(root)]);
	},
	'a Windows on FAT with NTFS beside it'(folder) {
		const system = fat(path.join(folder, 'c'), '16M', fill(path.join(folder, 'tree'), windowsFiles()), 'Windows');
		const data = path.join(folder, 'd');
		makeNtfs(data, '4M');
		for (let index = 0; index < 8; index++) addFile(data, `a file with a long name ${index}`, 'x'.repeat(index * 300));
		return diskOf(folder, 'dos', ['7', system], ['7', data]);
	},
};

const programs = ['sfdisk', 'mke2fs', 'mkfs.vfat', 'mcopy', 'mkntfs', 'ntfscp'];

describe.skipIf(!programs.every(has))(`a process that inspects damaged disks never fails, within ${MOST_MS} ms and ${MOST_MIB} MiB`, () => {
	test.for(Object.keys(makers))('%s', { timeout: 3_600_000 }, async (name) => {
		const folder = temporaryFolder();
		const image = makers[name]?.(folder) ?? '';
		const program = path.join(folder, 'program.mjs');
		fs.writeFileSync(program, PROGRAM);
		const argv = [program, dist, image, String(RUNS), process.env['VCONV_SEED'] ?? '1', String(MOST_MS)];
		const { stdout } = await promisify(execFile)(process.execPath, argv, { maxBuffer: 1 << 26 });
		const said = JSON.parse(stdout);
		expect(said.failures).toEqual([]);
		expect(said.reasons).toBeGreaterThan(0);
		expect(said.memory).toBeLessThan(MOST_MIB);
		if (process.env['VCONV_THOROUGH']) console.log(name, said);
	});
});
