import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { dist } from '../helpers/dist.ts';
import { patternBytes } from '../helpers/pattern.ts';
import { has, run, temporaryFolder } from '../helpers/programs.ts';

const MiB = 1 << 20;

/** A folder on a file system whose files can share blocks; undefined where none can be mounted. */
const sharingFolder = (): string | undefined => {
	const folder = temporaryFolder();
	const [image, mount] = [path.join(folder, 'xfs.img'), path.join(folder, 'mnt')];
	fs.mkdirSync(mount);
	fs.closeSync(fs.openSync(image, 'w'));
	fs.truncateSync(image, 512 * MiB);
	run('mkfs.xfs', '-q', '-m', 'reflink=1', image);
	if (spawnSync('mount', ['-o', 'loop', image, mount]).status !== 0) return undefined;
	onTestFinished(() => void spawnSync('umount', [mount]));
	return mount;
};

test.skipIf(!has('mkfs.xfs') || !has('qemu-img'))('files that can share blocks do, and read the same', ({ skip }) => {
	const folder = sharingFolder();
	if (!folder) return skip('no file system can be mounted here');
	const raw = path.join(folder, 'disk.raw');
	fs.writeFileSync(raw, patternBytes(0, 64 * MiB));
	fs.truncateSync(raw, 128 * MiB);
	const free = (): number => {
		run('sync', '-f', folder);
		const { bfree, bsize } = fs.statfsSync(folder);
		return bfree * bsize;
	};
	const before = free();
	for (const [format, name] of [
		['raw', 'copy.raw'],
		['qcow2', 'copy.qcow2'],
	] as const) {
		const copy = path.join(folder, name);
		run(process.execPath, path.join(dist, 'bin/vconv.js'), '-q', '-O', format, raw, copy);
		run('qemu-img', 'compare', '-f', 'raw', '-F', format, raw, copy);
	}
	// Without koffi the bytes are copied, which is right too.
	const taken = before - free();
	expect(taken < 8 * MiB).toBe(fs.existsSync('node_modules/koffi'));
});
