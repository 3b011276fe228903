import fs from 'node:fs';
import path from 'node:path';
import { describe, test } from 'vitest';
import { extReader } from '../../../src/guest/ext/index.ts';
import { has, temporaryFolder } from '../../helpers/programs.ts';
import { onDevice, survivesDamage } from '../damage.ts';
import { debugfs, makeFileSystem } from './make.ts';
import { contentsOf } from './walk.ts';

/** Without checksums of all metadata, so that what is damaged is looked at. */
const SHAPES: readonly (readonly [name: string, size: string, ...options: string[]])[] = [
	['maps of blocks', '512k', '-t', 'ext2', '-b', '1024'],
	['extents and data inside inodes', '512k', '-t', 'ext4', '-b', '1024', '-O', '^has_journal,^metadata_csum,inline_data', '-I', '256'],
	['a log', '4M', '-t', 'ext4', '-b', '1024', '-O', '^metadata_csum,^resize_inode', '-J', 'size=1'],
];

describe.skipIf(!has('mke2fs') || !has('debugfs'))('a damaged ext file system', () => {
	test.for(SHAPES)('with %s is read or refused, and soon', async ([name, size, ...options]) => {
		const folder = temporaryFolder();
		const tree = path.join(folder, 'tree');
		fs.mkdirSync(path.join(tree, 'etc'), { recursive: true });
		for (let i = 0; i < 40; i++) fs.writeFileSync(path.join(tree, 'etc', `file ${i}`), 'x'.repeat(i * 9));
		fs.writeFileSync(path.join(tree, 'large'), 'y'.repeat(60_000));
		fs.symlinkSync('a/'.repeat(60), path.join(tree, 'link'));
		const image = path.join(folder, 'image');
		makeFileSystem(image, tree, options, size);
		if (name === 'a log') {
			fs.writeFileSync(path.join(folder, 'logged'), 'z'.repeat(3 * 1024));
			debugfs(image, 'jo', `jw -b 700,701,702 ${path.join(folder, 'logged')}`, 'jw -r 701', 'jc');
		}
		const bytes = fs.readFileSync(image);
		await survivesDamage(
			bytes,
			onDevice(async (device) => contentsOf(await extReader.open(device), 2000)),
			{ runs: 60 },
		);
	});
});
