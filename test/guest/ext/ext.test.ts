import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { UnsupportedError } from '../../../src/errors.ts';
import { sourceDevice } from '../../../src/guest/device.ts';
import { extReader } from '../../../src/guest/ext/index.ts';
import { memorySource } from '../../../src/io/memory.ts';
import { has, temporaryFolder } from '../../helpers/programs.ts';
import { debugfs, indexDirectories, makeFileSystem, makeTree } from './make.ts';
import { contentsOf, contentsOfFolder } from './walk.ts';

const open = (bytes: Uint8Array) => extReader.open(sourceDevice(memorySource(bytes, 'image')));

const openFile = (image: string) => open(fs.readFileSync(image));

const SHAPES: readonly (readonly [name: string, type: string, ...options: string[]])[] = [
	['ext2 with 1 KiB blocks', 'ext2', '-t', 'ext2', '-b', '1024'],
	['ext2 of revision 0', 'ext2', '-t', 'ext2', '-r', '0', '-I', '128'],
	['ext3 with 4 KiB blocks', 'ext3', '-t', 'ext3', '-b', '4096'],
	['ext4 with 4 KiB blocks', 'ext4', '-t', 'ext4', '-b', '4096'],
	['ext4 with 1 KiB blocks', 'ext4', '-t', 'ext4', '-b', '1024'],
	['ext4 with 64 KiB blocks', 'ext4', '-t', 'ext4', '-b', '65536', '-O', '^has_journal'],
	['ext4 with data inside inodes', 'ext4', '-t', 'ext4', '-O', 'inline_data', '-I', '256'],
	['ext4 with clusters', 'ext4', '-t', 'ext4', '-O', 'bigalloc', '-C', '16384', '-b', '4096'],
	['ext4 with clusters and 1 KiB blocks', 'ext4', '-t', 'ext4', '-O', 'bigalloc', '-C', '16384', '-b', '1024'],
	['ext4 with 32-bit block numbers', 'ext4', '-t', 'ext4', '-O', '^64bit'],
	['ext4 without extents', 'ext4', '-t', 'ext4', '-O', '^extents,^64bit'],
	['ext4 without checksums of all metadata', 'ext4', '-t', 'ext4', '-O', '^metadata_csum,uninit_bg'],
	['ext4 with a checksum seed', 'ext4', '-t', 'ext4', '-O', 'metadata_csum_seed'],
	['ext4 with descriptors in their groups', 'ext4', '-t', 'ext4', '-b', '1024', '-g', '1024', '-O', 'meta_bg,^resize_inode,^flex_bg'],
	['ext4 with two copies of the superblock', 'ext4', '-t', 'ext4', '-O', 'sparse_super2,^resize_inode'],
	['ext4 with casefold', 'ext4', '-t', 'ext4', '-O', 'casefold'],
];

describe.skipIf(!has('mke2fs') || !has('debugfs'))('the ext family', () => {
	let tree = '';
	let expected: Awaited<ReturnType<typeof contentsOf>> = {};
	const folder = fs.mkdtempSync(path.join(process.env['TMPDIR'] ?? '/tmp', 'vconv-ext-'));
	beforeAll(() => {
		tree = path.join(folder, 'tree');
		fs.mkdirSync(tree);
		makeTree(tree);
		expected = contentsOfFolder(tree);
		return () => fs.rmSync(folder, { recursive: true });
	});

	test.for(SHAPES)('%s is read as it was made', async ([, type, ...options]) => {
		const image = path.join(temporaryFolder(), 'image');
		makeFileSystem(image, tree, options, options.includes('65536') ? '96M' : '24M');
		const fileSystem = await openFile(image);
		expect(fileSystem).toMatchObject({ type, label: 'a label', clean: true });
		expect(await contentsOf(fileSystem)).toEqual(expected);
	});
});
