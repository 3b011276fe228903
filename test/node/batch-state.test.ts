import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { runChild } from '../../src/node/batch/child.ts';
import { openState, readRecords } from '../../src/node/batch/folder.ts';
import { temporaryFolder } from '../helpers/programs.ts';

const isRoot = process.geteuid?.() === 0;
const NOBODY = 65534;

describe('the state folder of a batch', () => {
	/** A place for it, and a file that must stay as it is. */
	const places = () => {
		const folder = temporaryFolder();
		const victim = path.join(folder, 'victim');
		fs.writeFileSync(victim, 'precious');
		return { victim, state: path.join(folder, 'plan.batch') };
	};

	const plants = {
		'a link': (victim: string, name: string) => fs.symlinkSync(victim, name),
		'a second name of a file': (victim: string, name: string) => fs.linkSync(victim, name),
		'a FIFO': (_: string, name: string) => void execFileSync('mkfifo', [name]),
	};

	describe.for(Object.entries(plants))('with %s planted in it', ([, plant]) => {
		test('in the place of a report on its way, which is not written through it', async () => {
			const { victim, state } = places();
			const folder = await openState(state);
			plant(victim, path.join(state, 'report.json.new'));
			folder.write('report.json', '{}');
			folder.close();
			expect(fs.readFileSync(victim, 'utf8')).toBe('precious');
			expect(fs.lstatSync(path.join(state, 'report.json')).isFile()).toBe(true);
		});

		test('in the place of a log, which is done without, or of the journal, which is refused', async () => {
			const { victim, state } = places();
			const folder = await openState(state);
			plant(victim, folder.log('0123'));
			const { signal } = new AbortController();
			const { code, notes } = await runChild({ argv: ['--version'], log: folder.log('0123'), hold: folder.lock.fd, signal });
			expect({ code, notes }).toEqual({ code: 0, notes: [expect.stringContaining(`${folder.log('0123')}: the log ends early`)] });
			folder.close();
			const journal = path.join(state, 'batch.jsonl');
			fs.rmSync(journal);
			plant(victim, journal);
			await expect(openState(state)).rejects.toMatchObject({ code: 'ACCESS', path: journal });
			expect(() => readRecords(state)).toThrow(expect.objectContaining({ code: 'ACCESS' }));
			expect(fs.readFileSync(victim, 'utf8')).toBe('precious');
		});
	});

	test.runIf(isRoot).for(['', 'jobs', 'batch.jsonl'])("that has another user's %j is refused, and not written to", async (part) => {
		const { state } = places();
		fs.mkdirSync(path.join(state, 'jobs'), { recursive: true });
		fs.writeFileSync(path.join(state, 'batch.jsonl'), '');
		fs.chownSync(path.join(state, part), NOBODY, NOBODY);
		await expect(openState(state)).rejects.toMatchObject({ code: 'ACCESS', path: path.join(state, part) });
		expect(fs.readdirSync(state, { recursive: true }).filter((name) => name !== 'batch.lock')).toEqual(['batch.jsonl', 'jobs']);
	});

	test.runIf(isRoot)('may be behind a link of the user, but not behind one of another', async () => {
		const { state } = places();
		fs.mkdirSync(`${state}.there`);
		fs.symlinkSync(`${state}.there`, state);
		(await openState(state)).close();
		fs.lchownSync(state, NOBODY, NOBODY);
		await expect(openState(state)).rejects.toMatchObject({ code: 'ACCESS', path: state });
	});
});
