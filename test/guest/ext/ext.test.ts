import fs from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { CorruptError, UnsupportedError } from '../../../src/errors.ts';
import { sourceDevice } from '../../../src/guest/device.ts';
import { extReader } from '../../../src/guest/ext/index.ts';
import { fileTree } from '../../../src/guest/tree.ts';
import { memorySource } from '../../../src/io/memory.ts';
import { has, temporaryFolder } from '../../helpers/programs.ts';
import { checkFileSystem, debugfs, growFirstBlock, indexDirectories, makeFileSystem, temporaryTree } from './make.ts';
import { type Contents, contentsOf, contentsOfFolder } from './walk.ts';

const open = (bytes: Uint8Array) => extReader.open(sourceDevice(memorySource(bytes, 'image')));

const openFile = (image: string) => open(fs.readFileSync(image));

const ALL_SHAPES: readonly (readonly [name: string, type: string, ...options: string[]])[] = [
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

/** Those that a reader meets; with VCONV_THOROUGH, all that mke2fs makes. */
const SHAPES = process.env['VCONV_THOROUGH']
	? ALL_SHAPES
	: ALL_SHAPES.filter(([name]) => !/revision 0|ext3|ext4 with 1 KiB|32-bit|all metadata|seed|casefold|two copies/.test(name));

describe.skipIf(!has('mke2fs') || !has('debugfs'))('the ext family', () => {
	let tree = '';
	let expected: Contents = {};
	beforeAll(() => {
		const made = temporaryTree();
		tree = made.folder;
		expected = contentsOfFolder(tree);
		return made.remove;
	});

	test.for(SHAPES)('%s is read as it was made', async ([, type, ...options]) => {
		const image = path.join(temporaryFolder(), 'image');
		makeFileSystem(image, tree, options, options.includes('65536') ? '64M' : '16M');
		const fileSystem = await openFile(image);
		expect(fileSystem).toMatchObject({ type, label: 'a label', clean: true });
		expect(await contentsOf(fileSystem)).toEqual(expected);
	});

	test.for(SHAPES.filter(([name]) => /1 KiB/.test(name)))('%s and indexed directories is read as it was made', async ([, , ...options]) => {
		const image = path.join(temporaryFolder(), 'image');
		makeFileSystem(image, tree, options);
		indexDirectories(image);
		expect(debugfs(image, 'htree_dump /many')).toContain('Root node dump');
		expect(await contentsOf(await openFile(image))).toEqual(expected);
	});

	test.for([1024, 4096])('a directory with blocks of %i bytes that Linux itself has indexed is read', async (blockSize) => {
		const image = path.join(temporaryFolder(), 'image');
		makeFileSystem(image, tree, ['-t', 'ext4', '-b', String(blockSize), '-O', 'metadata_csum_seed']);
		indexDirectories(image);
		growFirstBlock(image, '/many', blockSize);
		expect(() => checkFileSystem(image)).not.toThrow();
		expect(await contentsOf(await openFile(image))).toEqual(expected);
	});

	test('a part of a file is that part, over holes too', async () => {
		const image = path.join(temporaryFolder(), 'image');
		for (const options of [
			['-t', 'ext2', '-b', '1024'],
			['-t', 'ext4'],
		]) {
			makeFileSystem(image, tree, options);
			const fileSystem = await openFile(image);
			const sparse = (await fileSystem.list(await fileSystem.root())).find(({ name }) => name === 'sparse');
			const node = await fileSystem.node(sparse ?? expect.fail());
			const text = async (offset: number, length: number) => Buffer.from(await fileSystem.read(node, offset, length)).toString();
			expect(await text(0, 5)).toBe('begin');
			expect(await text(1_499_999, 8)).toBe('\0middle\0');
			expect(await text(4_999_999, 4)).toBe('\0end');
			await expect(fileSystem.read(node, 5_000_000, 4)).rejects.toThrow(CorruptError);
		}
	});

	test('what debugfs says of a file system is what is reported', async () => {
		const image = path.join(temporaryFolder(), 'image');
		makeFileSystem(image, tree, ['-t', 'ext4', '-U', '01234567-89ab-cdef-0123-456789abcdef']);
		const said = debugfs(image, 'stats -h');
		const number = (field: string): number => Number(new RegExp(`^${field}: +(\\d+)`, 'm').exec(said)?.[1]);
		expect(await openFile(image)).toMatchObject({
			uuid: '01234567-89ab-cdef-0123-456789abcdef',
			size: number('Block count') * number('Block size'),
			free: number('Free blocks') * number('Block size'),
			freeInodes: number('Free inodes'),
			blockSize: number('Block size'),
			caseInsensitive: false,
			state: [],
		});
	});

	test('a file system that was not unmounted or has errors says so', async () => {
		const image = path.join(temporaryFolder(), 'image');
		makeFileSystem(image, tree, ['-t', 'ext2']);
		debugfs(image, 'ssv state 2');
		expect(await openFile(image)).toMatchObject({ clean: false, state: ['not-unmounted', 'errors'] });
	});

	test.for([
		['compression', 0x1, /compression/],
		['journal_dev', 0x8, /journal_dev/],
		['dirdata', 0x1000, /dirdata/],
		['one that is not known', 0x80000, /FEATURE_I19/],
	] as const)('the feature %s is refused by its name', async ([, bit, message]) => {
		const image = path.join(temporaryFolder(), 'image');
		makeFileSystem(image, tree, ['-t', 'ext2']);
		const bytes = fs.readFileSync(image);
		bytes.writeUInt32LE(bytes.readUInt32LE(1024 + 0x60) | bit, 1024 + 0x60);
		const refused = open(bytes);
		await expect(refused).rejects.toThrow(UnsupportedError);
		await expect(refused).rejects.toThrow(message);
	});

	test('a file that nobody may change is told', async () => {
		const image = path.join(temporaryFolder(), 'image');
		makeFileSystem(image, tree, ['-t', 'ext4']);
		debugfs(image, 'sif /etc/hostname flags 0x80010');
		const files = fileTree(await openFile(image));
		expect((await files.stat('/etc/hostname'))?.node.immutable).toBe(true);
		expect((await files.stat('/etc'))?.node.immutable).toBeUndefined();
	});

	test('an encrypted directory is refused, and the rest is read', async () => {
		const image = path.join(temporaryFolder(), 'image');
		makeFileSystem(image, tree, ['-t', 'ext4', '-O', 'encrypt']);
		debugfs(image, 'sif /etc flags 0x80800');
		const fileSystem = await openFile(image);
		const entries = await fileSystem.list(await fileSystem.root());
		const node = async (wanted: string) => fileSystem.node(entries.find(({ name }) => name === wanted) ?? expect.fail());
		await expect(fileSystem.list(await node('etc'))).rejects.toThrow(UnsupportedError);
		expect(await fileSystem.list(await node('many'))).toHaveLength(266);
	});

	test.for([
		['the superblock', () => 1024 + 0x88],
		['a descriptor', () => 4096 + 0x0c],
		['an inode', (image: string) => inodeOffset(image, '/etc') + 8],
		['a directory', (image: string) => Number(debugfs(image, 'blocks /etc').match(/^\d+/m)?.[0]) * 4096 + 9],
	] as const)('%s without its checksum is damaged', async ([, place]) => {
		const image = path.join(temporaryFolder(), 'image');
		makeFileSystem(image, tree, ['-t', 'ext4', '-b', '4096']);
		const bytes = fs.readFileSync(image);
		const at = place(image);
		bytes[at] = (bytes[at] ?? 0) ^ 0x10;
		await expect(open(bytes).then(contentsOf)).rejects.toThrow(CorruptError);
	});
});

/** Where debugfs says that the inode of a path is, in blocks of 4 KiB. */
const inodeOffset = (image: string, file: string): number => {
	const [, block, offset] = /block (\d+), offset (0x[0-9a-f]+)/.exec(debugfs(image, `imap ${file}`)) ?? [];
	return Number(block) * 4096 + Number(offset);
};
