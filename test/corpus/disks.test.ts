import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { fromDist } from '../helpers/dist.ts';
import { sharedFolder } from '../helpers/programs.ts';
import { corpus, digest, digestOfBlocks, diskRows, filesIn, type Row, unpackFolder } from './corpus.ts';

// As it is shipped, and with its threads.
const { convertFile, openFile } = await fromDist<typeof import('../../src/node/index.ts')>('src/node/index.js');
const { VconvError } = await fromDist<typeof import('../../src/errors.ts')>('src/errors.js');

const rows = diskRows();

/** Damaged images must be done with in this time, in ms, and sound ones in the other. */
const SOON = 10_000;
const LONG = 120_000;

const work = sharedFolder();

/** The part of the corpus that a row counts to. */
const partOf = ({ file }: Row): string =>
	file
		.split('/')
		.slice(0, file.startsWith('guests') ? 1 : 2)
		.join('/');

/** What was in a folder when it was unpacked; its files belong together. */
const unpacked = new Map<string, Promise<readonly string[]>>();

const unpack = (folder: string): Promise<readonly string[]> => {
	const known = unpacked.get(folder) ?? unpackFolder(folder, work());
	unpacked.set(folder, known);
	return known;
};

/** Convert it as a command line would, to a raw file; what is wrong with that file, or the error. */
const converted = async (row: Row): Promise<{ readonly wrong: string | undefined } | { readonly refused: unknown }> => {
	const out = path.join(fs.mkdtempSync(work('out-')), 'disk.raw');
	try {
		await convertFile(work(row.file), out);
		return { wrong: await wrongContent(row, out) };
	} catch (refused) {
		expect(fs.readdirSync(path.dirname(out)), 'left behind').toEqual([]);
		return { refused };
	} finally {
		fs.rmSync(path.dirname(out), { recursive: true });
	}
};

const wrongContent = async (row: Row, file: string): Promise<string | undefined> => {
	const source = await openFile(file);
	try {
		if (row.ofBlocks && source.size === row.size && (await digestOfBlocks(source)) === row.ofBlocks) return undefined;
		const sha256 = row.sha256.length === 0 && !row.ofBlocks && row.file.startsWith('malformed/') ? [await seed()] : row.sha256;
		if (sha256.length > 0 && !sha256.includes(await digest(source))) return `${source.size} bytes of wrong content`;
		return sha256.length === 0 && row.ofBlocks ? `${source.size} bytes, and ${row.size} are right` : undefined;
	} finally {
		await source.close();
	}
};

/** The disk of which most damaged images were made. */
const seed = async (): Promise<string> => {
	await unpack('seeds');
	const source = await openFile(work('seeds/seed.raw'));
	const hash = await digest(source);
	await source.close();
	return hash;
};

if (rows.length === 0) test.skip(`there is no corpus in ${corpus}, nor one that VCONV_CORPUS names: nothing of it is tested`);

describe.each([...new Set(rows.map(partOf))])('%s', (part) => {
	const own = rows.filter((row) => partOf(row) === part).map((row) => [row.file, row.expected, row] as const);
	test.for(own)('%s: %s', { timeout: LONG }, async ([, , row]) => {
		const folder = path.dirname(row.file);
		const before = await unpack(folder);
		const started = performance.now();
		const result = await converted(row);
		if (row.expected !== 'ok' || row.file.startsWith('malformed/')) expect(performance.now() - started).toBeLessThan(SOON);
		expect(filesIn(work(folder)), 'its folder').toEqual(before);

		if ('refused' in result) {
			if (row.expected === 'ok' || !(result.refused instanceof VconvError)) throw result.refused;
			expect(result.refused.message.length).toBeGreaterThan(10);
		} else {
			expect(row.expected, 'accepted').not.toBe('refuse');
			if (row.expected !== 'bounded') expect(result.wrong).toBeUndefined();
		}
	});
});
