import fs from 'node:fs';
import path from 'node:path';
import type { Job } from '../../batch/expand.ts';
import type { JobError, JobRecord } from '../../batch/journal.ts';
import { jobKinds } from '../../batch/kinds.ts';
import { bySize, choose, type Running, type Task } from '../../batch/schedule.ts';
import { redact } from '../../bytes/redact.ts';
import { BLOCKED } from '../../errors.ts';
import { accessError } from '../file.ts';
import { makeFolders } from '../folder.ts';
import { type ChildEnd, type ChildProgress, runChild } from './child.ts';
import type { StateFolder } from './folder.ts';
import { deviceOf, freeSpaceFor, identify, usageOf } from './identity.ts';
import { saidBy } from './said.ts';
import { adoptionArgv, standingOf } from './standing.ts';
import { type Survey, sizeOf, survey } from './survey.ts';

/** A job and how it stands. */
export type JobState = {
	readonly job: Job;
	status: 'waiting' | 'running' | 'done' | 'failed';
	/** It was done or failed in an earlier run, and nothing was left to do. */
	earlier: boolean;
	/** Bytes that its source takes, roughly until it has been looked at. */
	size: number;
	/** What it is doing: converting, or comparing what a killed run has left. */
	doing: 'work' | 'compare';
	progress: ChildProgress | undefined;
	/** Milliseconds since 1970. */
	startedAt: number | undefined;
	record: JobRecord | undefined;
};

export type RunOptions = {
	/** Jobs at once. */
	readonly jobs: number;
	/** Of them, jobs that read from one file system. */
	readonly perDevice: number;
	/** Threads of each, unless it says otherwise itself. */
	readonly threads: number;
	/** Begin nothing more after a failure. */
	readonly failFast: boolean;
	readonly signal: AbortSignal;
	/** Something about a job has changed. */
	onChange(state: JobState): void;
};

/** How the jobs of a plan stand before anything is begun. */
export const jobStates = (jobs: readonly Job[], { records }: Pick<StateFolder, 'records'>, retryFailed: boolean): JobState[] =>
	jobs.map((job) => {
		const record = records.get(job.id);
		const standing = standingOf(job, record, retryFailed);
		const earlier = standing === 'done' || standing === 'failed';
		return {
			job,
			status: earlier ? standing : 'waiting',
			earlier,
			size: record && 'sizes' in record ? (record.sizes.before ?? 0) : 0,
			doing: standing === 'adopt' ? 'compare' : 'work',
			progress: undefined,
			startedAt: undefined,
			record,
		};
	});

type Ready = Task & { readonly state: JobState; readonly survey: Survey };

/** Jobs that are looked at before they can start, beyond those that run: among them a smaller one may pass a larger that must wait. */
const AHEAD = 8;

/**
 * Do all jobs that wait, each as a process of its own, and put on record what comes of them. What `signal` interrupts is as if it had not
 * been begun, and waits for the next run.
 */
export const runJobs = async (states: readonly JobState[], folder: StateFolder, options: RunOptions): Promise<void> => {
	const toDo = states.filter(({ status }) => status === 'waiting');
	for (const state of toDo) if (!options.signal.aborted) state.size = await sizeOf(state.job, options.signal);
	const waiting = bySize(toDo);
	const ready: Ready[] = [];
	const running = new Map<Ready, Promise<void>>();
	const failures: unknown[] = [];
	let failed = false;
	const limits = { ...options, free: (device: string) => freeOn(device, [...ready, ...running.keys()]) };
	const goesOn = (): boolean => !options.signal.aborted && failures.length === 0 && !(failed && options.failFast);

	const start = (task: Ready): void => {
		ready.splice(ready.indexOf(task), 1);
		const work = perform(task, folder, options)
			.then(() => {
				failed ||= task.state.status === 'failed';
			})
			.catch((error: unknown) => void failures.push(error))
			.finally(() => running.delete(task));
		running.set(task, work);
	};

	while (goesOn() && (waiting.length > 0 || ready.length > 0 || running.size > 0)) {
		while (waiting.length > 0 && ready.length < AHEAD) {
			const state = waiting.shift();
			if (!state || !goesOn()) break;
			ready.push(await prepare(state, options.signal));
		}
		const choice = choose(ready, [...running.keys()].map(progressOf), limits);
		if ('start' in choice && goesOn()) start(choice.start);
		else await Promise.race(running.values());
	}
	await Promise.all(running.values());
	if (failures.length > 0) throw failures[0];
};

const progressOf = (task: Ready): Running => ({ ...task, written: task.state.doing === 'work' ? (task.state.progress?.data ?? 0) : 0 });

/** Look at the source, and make the folder of the target. */
const prepare = async (state: JobState, signal: AbortSignal): Promise<Ready> => {
	const { job } = state;
	const looked = await survey(job, signal);
	state.size = looked.before;
	return {
		state,
		survey: looked,
		size: looked.before,
		sourceDevice: deviceOf(job.from) ?? '',
		targetDevice: job.to === undefined ? undefined : deviceOf(job.to),
		needed: looked.needed,
	};
};

/** Free bytes of the file system that holds the target of one of these. */
const freeOn = (device: string, tasks: readonly Ready[]): number | undefined => {
	const to = tasks.find(({ targetDevice }) => targetDevice === device)?.state.job.to;
	return to === undefined ? undefined : freeSpaceFor(to);
};

/** Do one job to its end, and put it on record. */
const perform = async ({ state, survey: looked }: Ready, folder: StateFolder, options: RunOptions): Promise<void> => {
	const { job } = state;
	const comparing = state.doing === 'compare';
	const started = Date.now();
	const attempt = (state.record?.attempt ?? 0) + (comparing ? 0 : 1);
	const common = { id: job.id, attempt, started };
	const notes = looked.files.length > 0 && isStale(state.record, looked) ? ['the source has changed since it was converted before'] : [];
	state.status = 'running';
	state.startedAt = started;
	options.onChange(state);
	const obstacle = job.to === undefined ? undefined : makeFolder(path.dirname(job.to));
	if (!comparing) {
		const absent = job.to !== undefined && !obstacle && fs.lstatSync(job.to, { throwIfNoEntry: false }) === undefined;
		folder.append({ id: job.id, at: started, attempt, state: 'started', absent });
	}
	const argv = comparing ? [...adoptionArgv(job), ...live] : argvOf(job, options.threads);
	const run = (further: readonly string[]): Promise<ChildEnd> =>
		runChild({
			argv: [...argv, ...further],
			log: folder.log(job.id),
			hold: folder.lock.fd,
			signal: options.signal,
			onProgress(progress) {
				state.progress = progress;
				options.onChange(state);
			},
		});
	let end = obstacle ?? (await run([]));
	if (isOutdated(end)) {
		notes.push('an interrupted run had written a part of it from another source, with other options or another vconv: begun anew');
		end = await run(['--restart']);
	}
	state.progress = undefined;
	if (end.code !== 0 && options.signal.aborted) {
		state.status = 'waiting';
		return options.onChange(state);
	}
	const target = job.to === undefined ? undefined : identify(job.to);
	const images = job.to === undefined || !target ? [] : [job.to, ...(saidBy(job).has('keep-chain') ? (looked.further ?? []) : [])];
	const used = images.length > 0 ? images.reduce((sum, name) => sum + usageOf(name), 0) : undefined;
	const after = images.length > 1 ? used : (numberOf(end, 'stored-size') ?? used);
	state.record = {
		...common,
		at: Date.now(),
		state: end.code === 0 ? 'done' : 'failed',
		sources: looked.files,
		target,
		further: [...(looked.further ?? []), ...diskNames(job, end)].flatMap((name) => identify(name) ?? []),
		sizes: { virtual: numberOf(end, 'virtual-size') ?? looked.virtual, before: looked.before, after },
		notes: [...notes, ...end.notes, ...toActOn(end)],
		...(end.code !== 0 && { error: comparing ? foreign(job, end) : failureOf(end) }),
		...(comparing && { adopted: true }),
	};
	folder.append(state.record);
	state.status = state.record.state === 'done' ? 'done' : 'failed';
	options.onChange(state);
};

/** What makes any command say how far it is. */
const live = ['--json', '--progress=json'];

const argvOf = ({ kind, argv, values }: Job, threads: number): string[] => [
	...argv,
	...(jobKinds[kind]?.live ?? []),
	...(kind === 'convert' && !values.has('threads') ? ['-m', String(threads)] : []),
	// Nobody watches, so that all of it is read back unless the plan says otherwise.
	...(kind === 'convert' && !argv.some((word) => /^--verify(=|$)/.test(word)) ? ['--verify', 'full'] : []),
];

/** Whether a child has refused to go on with what an interrupted run has left: nobody wants that part any more, and nobody is there to say so. */
const isOutdated = ({ code, error }: ChildEnd): boolean => code !== 0 && error?.code === 'OUTDATED';

const isStale = (record: JobRecord | undefined, { files }: Survey): boolean =>
	record?.state === 'done' && record.sources.some(({ path: name, id }) => files.find((file) => file.path === name)?.id !== id);

/** Make the folder of a target; how the job ends if it cannot be made. */
const makeFolder = (name: string): ChildEnd | undefined => {
	try {
		makeFolders(name);
		return undefined;
	} catch (cause) {
		const { code, message, exitCode, hint } = accessError('cannot be made', name, cause);
		return { code: exitCode, notes: [], error: { code, message, exitCode, path: name, ...(hint !== undefined && { hint }) } };
	}
};

const numberOf = ({ result }: ChildEnd, name: string): number | undefined => {
	const value = result?.[name];
	return typeof value === 'number' && value >= 0 ? value : undefined;
};

/** The files of disks that a migration says it has written. */
const diskNames = ({ to }: Job, { result }: ChildEnd): readonly string[] => {
	const disks = result?.['disks'];
	if (to === undefined || !Array.isArray(disks)) return [];
	const names = disks.flatMap((disk: { readonly files?: unknown } | null) => disk?.files ?? []);
	return names.filter((name) => typeof name === 'string').map((name) => path.join(to, name));
};

/** What a migration says that a machine must not start without. */
const toActOn = ({ result }: ChildEnd): readonly string[] => {
	const losses: unknown = result?.['losses'];
	if (!Array.isArray(losses)) return [];
	return losses
		.filter((loss: { readonly severity?: unknown } | null) => loss?.severity === 'error')
		.map(({ subject, message, code }) => `to be acted on before it starts: ${subject}: ${message} [${code}]`);
};

/** Why a job failed: as it says itself, or by its code alone. */
const failureOf = ({ code, error }: ChildEnd): JobError => {
	if (error) return { ...error, exitCode: code };
	if (code === BLOCKED)
		return { code: 'BLOCKED', message: 'validation found what stands in the way', exitCode: code, hint: 'its log, which names it' };
	if (code > 128)
		return { code: 'ENDED', message: `its process was ended by signal ${code - 128}`, exitCode: code, hint: 'the batch again' };
	return { code: 'FAILED', message: `it exited with ${code} and said nothing`, exitCode: code, hint: 'its log' };
};

/** What has the target's name is not what this job writes, or cannot be seen to be. */
const foreign = ({ to = '' }: Job, { code, error }: ChildEnd): JobError => ({
	code: 'ACCESS',
	message:
		code === 1
			? 'it exists already, and holds another disk than the source'
			: `it exists already, and ${error?.message ?? 'cannot be compared'}`,
	exitCode: 5,
	path: redact(to),
	hint: 'removing it, or force: true in the plan to replace it',
});
