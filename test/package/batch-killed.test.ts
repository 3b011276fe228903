import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { JobRecord } from '../../src/batch/journal.ts';
import type { BatchReport } from '../../src/batch/report.ts';
import { ended, journalOf, mixedPlan, startVconv } from '../helpers/batch.ts';
import { vconv } from '../helpers/cli.ts';
import { temporaryFolder } from '../helpers/programs.ts';

const [JOBS, KILLS] = process.env['VCONV_THOROUGH'] ? [40, 10] : [6, 2];

const isDone = (record: JobRecord): boolean => record.state === 'done';

/** What a finished target is, and when it was last written to. */
const stamp = (name: string): string => {
	const { ino, size, mtimeNs } = fs.statSync(name, { bigint: true });
	return `${ino}:${size}:${mtimeNs}`;
};

test.skipIf(process.platform === 'win32')(
	'a batch that is killed with all its children, again and again, ends with every output right and nothing done twice',
	{ timeout: 300_000 },
	async () => {
		const folder = temporaryFolder();
		const plan = mixedPlan(folder, JOBS);
		const state = path.join(folder, 'plan.batch');
		const finished = new Map<string, string>();
		let killed = 0;
		for (let seed = 1; killed < KILLS; seed++) {
			const before = journalOf(state).filter(isDone).length;
			if (before >= JOBS - 1) break;
			const child = startVconv(folder, 'batch', plan, '-j', '3', '--progress=none');
			const end = ended(child);
			// A moment that is different each time: after some job is done, and part of another.
			while (journalOf(state).filter(isDone).length <= before + (seed % 2) && child.exitCode === null) await sleep(5);
			await sleep((seed * 97) % 250);
			if (child.exitCode === null && child.pid) {
				process.kill(-child.pid, 'SIGKILL');
				killed++;
			}
			await end;
			for (const record of journalOf(state)) {
				const to = record.state === 'done' ? record.target?.path : undefined;
				if (to && !finished.has(record.id)) finished.set(record.id, `${to}|${stamp(to)}`);
			}
		}
		const last = await ended(startVconv(folder, 'batch', plan, '-j', '3', '--json'));
		expect(last.code, last.stderr).toBe(0);
		expect(killed).toBeGreaterThan(0);

		const report = JSON.parse(fs.readFileSync(path.join(state, 'report.json'), 'utf8')) as BatchReport;
		expect(report).toEqual(JSON.parse(last.stdout));
		expect(report.counts).toEqual({ done: JOBS, failed: 0, waiting: 0 });
		for (const { from, to = '' } of report.jobs) {
			expect(await vconv('compare', from, to)).toMatchObject({ code: 0 });
		}
		for (const known of finished.values()) {
			const [to = '', then] = known.split('|');
			expect(stamp(to), to).toBe(then);
		}
		const records = journalOf(state);
		for (const { id } of report.jobs) {
			const own = records.filter((record) => record.id === id).map((record) => record.state);
			expect(own.indexOf('done'), own.join()).toBe(own.length - 1);
		}

		const again = await ended(startVconv(folder, 'batch', plan, '--json'));
		expect(again.code).toBe(0);
		expect(journalOf(state)).toEqual(records);
		if (process.env['VCONV_THOROUGH'])
			console.log(
				`${killed} kills, ${report.jobs.filter(({ adopted }) => adopted).length} adopted, attempts ${report.jobs.map(({ attempts }) => attempts).join(' ')}`,
			);
	},
);
