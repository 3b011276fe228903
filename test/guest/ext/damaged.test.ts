import fs from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { VconvError } from '../../../src/errors.ts';
import { sourceDevice } from '../../../src/guest/device.ts';
import { extReader } from '../../../src/guest/ext/index.ts';
import { memorySource } from '../../../src/io/memory.ts';
import { has, temporaryFolder } from '../../helpers/programs.ts';
import { debugfs, makeFileSystem } from './make.ts';
import { contentsOf } from './walk.ts';

const RUNS = process.env['VCONV_THOROUGH'] ? 4000 : 60;

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
		const used: number[] = [];
		for (let at = 0; at < bytes.length; at += 16)
			if (bytes.subarray(at, at + 16).some((byte) => byte !== 0 && byte !== 0x78 && byte !== 0x79)) used.push(at);

		const change = fc.record({
			place: fc.integer({ min: 0, max: used.length - 1 }),
			within: fc.integer({ min: 0, max: 15 }),
			value: fc.oneof(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), fc.integer({ min: 0, max: 255 })),
		});
		await fc.assert(
			fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 12 }), async (changes) => {
				const damaged = new Uint8Array(bytes);
				for (const { place, within, value } of changes) damaged[(used[place] ?? 0) + within] = value;
				const start = performance.now();
				try {
					await contentsOf(await extReader.open(sourceDevice(memorySource(damaged, 'damaged'))), 2000);
				} catch (error) {
					if (!(error instanceof VconvError)) throw new Error('not a VconvError', { cause: error });
				}
				expect(performance.now() - start).toBeLessThan(2000);
			}),
			{ numRuns: RUNS },
		);
	});
});
