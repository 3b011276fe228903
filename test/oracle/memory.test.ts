import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { convertFile } from '../../src/node/convert.ts';
import { Advice, fadvise } from '../../src/node/fadvise.ts';
import { native } from '../../src/node/native.ts';
import { readahead, residency } from '../../src/node/readahead.ts';
import { has, requires, run, temporaryFolder } from '../helpers/programs.ts';
import { rawFile } from '../helpers/raw.ts';

const MiB = 1 << 20;
const SIZE = 256 * MiB;
const TMPFS = 0x01021994;
const KOFFI = requires(native() !== undefined, 'koffi is not installed');

/** Bytes of a file that are in memory. */
const inMemory = (file: string): number => Number(run('fincore', '-b', '-n', '-o', 'RES', file));

test.skipIf(!KOFFI || !has('fincore') || !has('qemu-img'))(
	'what is on the disk does not stay in memory, unless another program reads it',
	{ timeout: 60_000 },
	async ({ skip }) => {
		const folder = temporaryFolder();
		skip(fs.statfsSync(folder).type === TMPFS, 'this folder is nowhere but in memory');
		const [input, output] = [path.join(folder, 'in.raw'), path.join(folder, 'out.qcow2')];
		rawFile(input, SIZE, [[0, SIZE]]);
		await convertFile(input, output, { threads: 2 });
		expect(inMemory(output)).toBeLessThan(SIZE / 2);
		await convertFile(input, output, { threads: 2, verifyWith: 'qemu-img', force: true });
		expect(inMemory(output)).toBeGreaterThanOrEqual(SIZE);
	},
);

test.skipIf(!KOFFI || !has('fincore'))('what will be needed is read before it is asked for', async ({ skip }) => {
	const folder = temporaryFolder();
	skip(fs.statfsSync(folder).type === TMPFS, 'this folder is nowhere but in memory');
	const file = path.join(folder, 'in.raw');
	rawFile(file, 16 * MiB, [[0, 16 * MiB]]);
	const fd = fs.openSync(file, 'r');
	fs.fsyncSync(fd);
	fadvise()?.(fd, 0, 0, Advice.DONTNEED);
	expect(inMemory(file)).toBe(0);
	const willNeed = readahead();
	for (let at = 4 * MiB; at < 8 * MiB; at += 65536) willNeed(fd, at, 65536);
	willNeed(fd, 12 * MiB, 2 * MiB);
	await expect.poll(() => inMemory(file)).toBe(6 * MiB);
	const said = [5, 9, 13].map((at) => residency()(fd, at * MiB));
	// Before Linux 6.5 nobody says.
	expect([
		[true, false, true],
		[false, false, false],
	]).toContainEqual(said);
	fs.closeSync(fd);
});
