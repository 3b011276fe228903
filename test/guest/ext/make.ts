import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { extendCrc32c } from '../../../src/bytes/crc32c.ts';

process.env['PATH'] += ':/sbin:/usr/sbin'; // where Debian has mke2fs and its like

/** A folder with what a file system must get right, and how to be rid of it. */
export const temporaryTree = (): { readonly folder: string; readonly remove: () => void } => {
	const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'vconv-ext-'));
	makeTree(folder);
	return { folder, remove: () => fs.rmSync(folder, { recursive: true }) };
};

/** Sizes around every limit, holes, links, names, a large directory. */
const makeTree = (root: string): void => {
	const file = (name: string, bytes: string | Uint8Array): void => {
		fs.mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
		fs.writeFileSync(path.join(root, name), bytes);
	};
	for (const size of [0, 1, 59, 60, 61, 100, 150, 1023, 1024, 4096, 4097, 12_288, 300_001]) file(`sizes/${size}`, noise(size));
	file('etc/hostname', 'guest\n');
	file('etc/naïve – 漢字', 'a name in UTF-8');
	file(`etc/${'n'.repeat(255)}`, 'the longest name');
	file('deep/a/b/c/d/e/f/g', 'deep');
	const sparse = path.join(root, 'sparse');
	fs.writeFileSync(sparse, 'begin');
	const open = fs.openSync(sparse, 'r+');
	fs.writeSync(open, 'middle', 1_500_000);
	fs.writeSync(open, 'end', 5_000_000);
	fs.closeSync(open);
	fs.symlinkSync('etc/hostname', path.join(root, 'fast'));
	fs.symlinkSync(`${'./'.repeat(200)}etc/hostname`, path.join(root, 'slow'));
	fs.mkdirSync(path.join(root, 'many'));
	for (let i = 0; i < 400; i++) fs.writeFileSync(path.join(root, 'many', `a file among many others, number ${i}`), String(i));
	for (let i = 0; i < 400; i += 3) fs.rmSync(path.join(root, 'many', `a file among many others, number ${i}`));
};

const noise = (size: number): Uint8Array => Uint8Array.from({ length: size }, (_, i) => (i * 2654435761) >>> 13);

/** A file system of `size` with the contents of a folder. */
export const makeFileSystem = (image: string, folder: string, options: readonly string[], size = '16M'): void => {
	execFileSync('mke2fs', ['-q', '-F', '-L', 'a label', ...options, '-d', folder, image, size], { stdio: ['ignore', 'ignore', 'pipe'] });
};

/** Index the directories, as Linux does once they grow. */
export const indexDirectories = (image: string): void => {
	try {
		execFileSync('e2fsck', ['-fyD', image], { stdio: 'pipe' });
	} catch (error) {
		if ((error as { status?: number }).status !== 1) throw error; // 1: it has changed something, as asked
	}
};

/**
 * What Linux makes of an indexed directory that it has indexed itself: the end of its first block is still that of a block of entries,
 * only for the checksum of the index in place of theirs.
 */
export const growFirstBlock = (image: string, directory: string, blockSize: number): void => {
	const number = (command: string, pattern: RegExp): number => Number(pattern.exec(debugfs(image, command))?.[1]);
	const stat = `stat ${directory}`;
	const inode = number(stat, /Inode: (\d+)/);
	const generation = number(stat, /Generation: (\d+)/);
	const seed = number('stats -h', /Checksum seed: +(0x[0-9a-f]+)/);
	const start = number(`bmap ${directory} 0`, /^(\d+)/m) * blockSize;
	const bytes = fs.readFileSync(image);
	const block = bytes.subarray(start, start + blockSize);
	const [counts, tail] = [32, blockSize - 8];
	block.set([12, 0, 0, 0xde], tail);
	const le32 = (value: number) => new Uint8Array(Uint32Array.of(value).buffer);
	const sum = [
		le32(inode),
		le32(generation),
		block.subarray(0, counts + block.readUInt16LE(counts + 2) * 8),
		block.subarray(tail, tail + 4),
		le32(0),
	];
	block.writeUInt32LE(sum.reduce(extendCrc32c, seed) >>> 0, tail + 4);
	fs.writeFileSync(image, bytes);
};

/** What e2fsck has to say of an image. @throws if it would change anything. */
export const checkFileSystem = (image: string): string => execFileSync('e2fsck', ['-fn', image], { encoding: 'utf8', stdio: 'pipe' });

/** Have debugfs write into an image. */
export const debugfs = (image: string, ...commands: readonly string[]): string => {
	const script = `${image}.commands`;
	fs.writeFileSync(script, commands.map((command) => `${command}\n`).join(''));
	return execFileSync('debugfs', ['-w', '-f', script, image], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
};
