import { redact } from '../bytes/redact.ts';
import { junit, type TestCase } from '../report/junit.ts';
import type { Job } from './expand.ts';
import type { JobError, JobRecord, JobSizes } from './journal.ts';

/** What came of one job; times are in milliseconds since 1970, sizes in bytes. */
export type JobReport = {
	readonly id: string;
	readonly name: string;
	readonly kind: string;
	readonly from: string;
	readonly to?: string | undefined;
	readonly state: 'done' | 'failed' | 'waiting';
	/** It had been done, or had failed, before this run began. */
	readonly earlier: boolean;
	readonly attempts: number;
	readonly started?: number | undefined;
	readonly ended?: number | undefined;
	readonly sizes: JobSizes;
	readonly notes: readonly string[];
	readonly error?: JobError | undefined;
	/** It was finished by a run that was killed, and compared with its source since. */
	readonly adopted?: boolean | undefined;
	readonly log: string;
};

/** What came of a batch: the contents of report.json. */
export type BatchReport = {
	readonly version: 1;
	readonly vconv: string;
	readonly plan: string;
	/** When this run began and ended. */
	readonly started: number;
	readonly ended: number;
	/** The run was stopped before all was tried. */
	readonly interrupted: boolean;
	readonly counts: { readonly done: number; readonly failed: number; readonly waiting: number };
	/** Of what is done. */
	readonly totals: { readonly virtual: number; readonly before: number; readonly after: number };
	readonly jobs: readonly JobReport[];
};

export type Standing = {
	readonly job: Pick<Job, 'id' | 'name' | 'kind' | 'from' | 'to'>;
	readonly status: 'waiting' | 'running' | 'done' | 'failed';
	readonly earlier: boolean;
	readonly record: JobRecord | undefined;
	readonly log: string;
};

/** A report on jobs as they stand; what looks like a secret is left out. */
export const batchReport = (
	standings: readonly Standing[],
	run: Pick<BatchReport, 'vconv' | 'plan' | 'started' | 'ended' | 'interrupted'>,
): BatchReport => {
	const jobs = standings.map(jobReport);
	const done = jobs.filter(({ state }) => state === 'done');
	const count = (state: JobReport['state']): number => jobs.filter((job) => job.state === state).length;
	const sum = (name: keyof JobSizes): number => done.reduce((total, { sizes }) => total + (sizes[name] ?? 0), 0);
	return {
		version: 1,
		...run,
		plan: redact(run.plan),
		counts: { done: done.length, failed: count('failed'), waiting: count('waiting') },
		totals: { virtual: sum('virtual'), before: sum('before'), after: sum('after') },
		jobs,
	};
};

const jobReport = ({ job, status, earlier, record, log }: Standing): JobReport => {
	const { id, name, kind, from, to } = job;
	const state = status === 'running' ? 'waiting' : status;
	const common = { id, name: redact(name), kind, from: redact(from), ...(to !== undefined && { to: redact(to) }), state, earlier, log };
	const ended = record && record.state !== 'started' && record.state === state ? record : undefined;
	if (!ended) return { ...common, attempts: record?.attempt ?? 0, sizes: {}, notes: [] };
	const { attempt, started, at, sizes, notes, error, adopted } = ended;
	return { ...common, attempts: attempt, started, ended: at, sizes, notes, ...(error && { error }), ...(adopted && { adopted }) };
};

/** Codes of jobs that were done and found something bad: a copy that differs, a machine that cannot move. */
const FOUND = [6, 7];

/** The report as JUnit's XML: each job is a test. */
export const batchJunit = (report: BatchReport): string =>
	junit({
		name: report.plan,
		at: report.started,
		seconds: (report.ended - report.started) / 1000,
		cases: report.jobs.map(
			(job): TestCase => ({
				name: job.name,
				className: `vconv.${job.kind}`,
				seconds: ((job.ended ?? 0) - (job.started ?? 0)) / 1000,
				...(problemOf(job) && { problem: problemOf(job) as NonNullable<TestCase['problem']> }),
				output: job.notes.join('\n') || undefined,
			}),
		),
	});

const problemOf = ({ state, error, log }: JobReport): TestCase['problem'] => {
	if (state === 'done') return undefined;
	if (state === 'waiting') return { kind: 'skipped', type: 'WAITING', message: 'it has not been done yet', text: 'run the batch again' };
	const { code = '', message = '', exitCode = 1, path, hint } = error ?? {};
	const text = [path && `at ${path}`, hint && `try ${hint}`, `log: ${log}`].filter(Boolean).join('\n');
	return { kind: FOUND.includes(exitCode) ? 'failure' : 'error', type: code, message, text };
};
