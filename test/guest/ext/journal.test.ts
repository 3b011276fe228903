import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { CorruptError, UnsupportedError } from '../../../src/errors.ts';
import { sourceDevice } from '../../../src/guest/device.ts';
import { extReader } from '../../../src/guest/ext/index.ts';
import type { FileSystem } from '../../../src/guest/filesystem.ts';
import { fileTree } from '../../../src/guest/tree.ts';
import { memorySource } from '../../../src/io/memory.ts';
import { has, temporaryFolder } from '../../helpers/programs.ts';
import { debugfs, makeFileSystem, temporaryTree } from './make.ts';
import { contentsOf } from './walk.ts';

const open = (bytes: Uint8Array) => extReader.open(sourceDevice(memorySource(bytes, 'image')));

const MAGIC = Buffer.from('c03b3998', 'hex');

/** Logs of every kind of tags and checksums: of the file system, and what debugfs is told to write. */
const KINDS: readonly (readonly [name: string, options: readonly string[], open: string])[] = [
	['without checksums', ['-t', 'ext3', '-b', '1024'], 'jo'],
	['with 64-bit numbers and no checksums', ['-t', 'ext4', '-b', '1024', '-O', '64bit,^metadata_csum'], 'jo'],
	['with checksums v2', ['-t', 'ext4', '-b', '1024', '-O', '^64bit'], 'jo -c -v 2'],
	['with 64-bit numbers and checksums v2', ['-t', 'ext4', '-b', '4096', '-O', '64bit'], 'jo -c -v 2'],
	['with checksums v3', ['-t', 'ext4', '-b', '1024', '-O', '^64bit'], 'jo -c -v 3'],
	['with 64-bit numbers and checksums v3', ['-t', 'ext4', '-b', '4096', '-O', '64bit'], 'jo -c -v 3'],
];

describe.skipIf(!has('mke2fs') || !has('debugfs') || !has('e2fsck'))('a log that was not written back', () => {
	let tree = '';
	beforeAll(() => {
		const made = temporaryTree();
		tree = made.folder;
		return made.remove;
	});

	/** A file system with a log of three transactions over the blocks of one file; the last is for block `last`. */
	const dirty = (options: readonly string[], opening: string) => {
		const folder = temporaryFolder();
		const image = path.join(folder, 'image');
		makeFileSystem(image, tree, options);
		const blockSize = Number(options[options.indexOf('-b') + 1]);
		const blocks = (/^\d.*/m.exec(debugfs(image, 'blocks /sizes/300001'))?.[0] ?? '').trim().split(' ').map(Number);
		const write = (name: string, ...parts: readonly Buffer[]): string => {
			fs.writeFileSync(path.join(folder, name), Buffer.concat(parts));
			return path.join(folder, name);
		};
		const filled = (text: string): Buffer => Buffer.alloc(blockSize, text);
		const first = write(
			'first',
			filled('1st'),
			Buffer.concat([MAGIC, filled('escaped')]).subarray(0, blockSize),
			filled('revoked'),
			filled('old'),
		);
		const third = write('third', filled('3rd'));
		debugfs(
			image,
			opening,
			`jw -b ${[blocks[1], blocks[2], blocks[4], blocks[5]].join(',')} ${first}`,
			`jw -r ${blocks[4]}`,
			`jw -b ${blocks[5]} ${third}`,
			'jc',
		);
		return { image, blocks, blockSize };
	};

	/** The file over which the transactions were written. */
	const written = async (fileSystem: FileSystem): Promise<string | undefined> => {
		const bytes = await fileTree(fileSystem).readFile('/sizes/300001');
		return bytes && Buffer.from(bytes).toString('latin1');
	};

	const replayedByE2fsck = (image: string): Uint8Array => {
		const copy = `${image}.replayed`;
		fs.copyFileSync(image, copy);
		try {
			execFileSync('e2fsck', ['-y', '-E', 'journal_only', copy], { stdio: 'pipe' });
		} catch (error) {
			if ((error as { status?: number }).status !== 1) throw error;
		}
		return fs.readFileSync(copy);
	};

	test.for(KINDS)('%s is seen as e2fsck replays it', async ([, options, opening]) => {
		const { image } = dirty(options, opening);
		const seen = await open(fs.readFileSync(image));
		expect(seen).toMatchObject({ clean: false, state: expect.arrayContaining(['needs-recovery']) });
		const file = await written(seen);
		expect(file).toContain(`${MAGIC.toString('latin1')}escaped`);
		expect(file).toContain('3rd');
		expect(file).not.toContain('revoked');
		expect(await contentsOf(seen)).toEqual(await contentsOf(await open(replayedByE2fsck(image))));
	});

	/** Where in the image the blocks of the log are that begin with the magic and have a type. */
	const logBlocks = (bytes: Buffer, blockSize: number, type: number): readonly number[] => {
		const found: number[] = [];
		for (let at = 0; at < bytes.length; at += blockSize) {
			if (bytes.subarray(at, at + 4).equals(MAGIC) && bytes.readUInt32BE(at + 4) === type) found.push(at);
		}
		return found;
	};

	test('a transaction whose commit lacks its checksum did not happen', async () => {
		const { image, blockSize } = dirty(['-t', 'ext4', '-b', '4096'], 'jo -c -v 3');
		const bytes = fs.readFileSync(image);
		const commit = logBlocks(bytes, blockSize, 2).at(-1) ?? expect.fail();
		bytes[commit + 40] = 1;
		const file = await written(await open(bytes));
		expect(file).toContain('oldold');
		expect(file).not.toContain('3rd');
	});

	test('a logged block without its checksum is refused when it is read', async () => {
		const { image, blockSize } = dirty(['-t', 'ext4', '-b', '4096'], 'jo -c -v 3');
		const bytes = fs.readFileSync(image);
		bytes[bytes.indexOf(Buffer.alloc(blockSize, '3rd')) + 9] = 1;
		await expect(open(bytes).then(written)).rejects.toThrow(/does not have its checksum in the log/);
	});

	test('one on another device is refused with its UUID', async () => {
		const folder = temporaryFolder();
		const image = path.join(folder, 'image');
		makeFileSystem(image, tree, ['-t', 'ext4', '-O', '^metadata_csum']);
		debugfs(image, 'feature needs_recovery', 'ssv journal_inum 0', 'ssv journal_uuid 01234567-89ab-cdef-0123-456789abcdef');
		const refused = open(fs.readFileSync(image));
		await expect(refused).rejects.toThrow(UnsupportedError);
		await expect(refused).rejects.toThrow(/01234567-89ab-cdef-0123-456789abcdef/);
	});

	test.for([
		['the next of the log', 0, true],
		['another', 7, false],
	] as const)('fast commits with the number of %s transaction are told: %s', async ([, ahead, are]) => {
		const { image, blockSize } = dirty(['-t', 'ext3', '-b', '1024', '-J', 'size=4'], 'jo');
		const bytes = fs.readFileSync(image);
		const log = logBlocks(bytes, blockSize, 4)[0] ?? expect.fail();
		const last = bytes.readUInt32BE((logBlocks(bytes, blockSize, 2).at(-1) ?? expect.fail()) + 8);
		// As Linux lays them out: the first block of the 64 at the end stays empty, and the head is in the next.
		bytes.writeUInt32BE(0x20, log + 40);
		bytes.writeUInt32BE(64, log + 84);
		const head = Number(/^\d+$/m.exec(debugfs(image, `bmap <8> ${bytes.readUInt32BE(log + 16) - 63}`))?.[0]) * blockSize;
		bytes.set([9, 0, 8, 0, 0, 0, 0, 0], head);
		bytes.writeUInt32LE(last + 1 + ahead, head + 8);
		const { state, unseen } = await open(bytes);
		expect([state?.includes('fast-commits-not-replayed'), unseen !== undefined]).toEqual([are, are]);
	});

	test.for([
		['no magic', 0, 0],
		['another block size', 12, 512],
		['more blocks than its inode', 16, 0x7fffffff],
		['a beginning outside itself', 28, 0x7fffffff],
	] as const)('one whose superblock has %s is damaged', async ([, at, value]) => {
		const { image, blockSize } = dirty(['-t', 'ext3', '-b', '1024'], 'jo');
		const bytes = fs.readFileSync(image);
		bytes.writeUInt32BE(value, (logBlocks(bytes, blockSize, 4)[0] ?? expect.fail()) + at);
		await expect(open(bytes)).rejects.toThrow(CorruptError);
	});
});
