import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { convertFile } from '../../src/node/convert.ts';
import { native } from '../../src/node/native.ts';
import { has, run, temporaryFolder } from '../helpers/programs.ts';
import { rawFile } from '../helpers/raw.ts';

const MiB = 1 << 20;
const SIZE = 256 * MiB;
const TMPFS = 0x01021994;

/** Bytes of a file that are in memory. */
const inMemory = (file: string): number => Number(run('fincore', '-b', '-n', '-o', 'RES', file));

test.skipIf(!native() || !has('fincore'))(
	'what is on the disk does not stay in memory, unless it is read again',
	{ timeout: 60_000 },
	async ({ skip }) => {
		const folder = temporaryFolder();
		skip(fs.statfsSync(folder).type === TMPFS, 'this folder is nowhere but in memory');
		const [input, output] = [path.join(folder, 'in.raw'), path.join(folder, 'out.qcow2')];
		rawFile(input, SIZE, [[0, SIZE]]);
		await convertFile(input, output, { threads: 2 });
		expect(inMemory(output)).toBeLessThan(SIZE / 2);
		await convertFile(input, output, { threads: 2, verify: 'full', force: true });
		expect(inMemory(output)).toBeGreaterThanOrEqual(SIZE);
	},
);
