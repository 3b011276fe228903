import fs from 'node:fs';
import path from 'node:path';
import type { JobRecord } from '../../batch/journal.ts';
import { AccessError, VconvError } from '../../errors.ts';
import { accessError, statOf } from '../file.ts';
import { deviceOf, freeSpaceFor, nearest } from './identity.ts';
import type { JobState } from './run.ts';
import { saidBy } from './said.ts';
import { type Survey, survey } from './survey.ts';

/** What a job would take. */
type Estimate = Survey & { readonly state: JobState; readonly seconds: number };

export type Estimates = {
	readonly jobs: readonly Estimate[];
	/** Bytes a second that are assumed of one job. */
	readonly rate: number;
	/** Whether they are those of earlier runs. */
	readonly measured: boolean;
	/** Seconds for all of them, with so many at once. */
	readonly seconds: number;
	/** Room for all targets, by file system. */
	readonly space: readonly { readonly folder: string; readonly needed: number; readonly free: number | undefined }[];
};

/** Bytes a second, where nothing has been measured: half of what a plain disk gives. */
const ASSUMED_RATE = 100e6;

/** What takes less was not limited by bytes, in seconds. */
const SHORTEST = 2;

/** Look at all jobs that wait, and say what they would take. */
export const estimate = async (
	states: readonly JobState[],
	records: ReadonlyMap<string, JobRecord>,
	atOnce: number,
	signal: AbortSignal,
): Promise<Estimates> => {
	const known = measuredRate(records);
	const rate = known ?? ASSUMED_RATE;
	const jobs: Estimate[] = [];
	for (const state of states.filter(({ status }) => status === 'waiting')) {
		signal.throwIfAborted();
		const looked = await survey(state.job, signal);
		const failure = looked.failure ?? inTheWay(state);
		jobs.push({ ...looked, failure, state, seconds: looked.before / rate });
	}
	return { jobs, rate, measured: known !== undefined, seconds: together(jobs, atOnce), space: spaceOf(jobs) };
};

/** What has the name of the target and is not to be replaced, or leaves no room for it. */
const inTheWay = ({ job, doing }: JobState): VconvError | undefined => {
	const { kind, to } = job;
	if (to === undefined || doing === 'compare') return undefined;
	try {
		if (!statOf(to)) refuseReadOnly(path.dirname(to));
		else if (kind === 'convert' && !saidBy(job).has('force'))
			return new AccessError('it exists already', { path: to, hint: 'removing it, or force: true in the plan to replace it' });
		return undefined;
	} catch (error) {
		if (error instanceof VconvError) return error;
		throw error;
	}
};

/** @throws AccessError if there is no writing to a folder, or to the one that it would be made in. */
export const refuseReadOnly = (folder: string): void => {
	const at = nearest(folder);
	try {
		fs.accessSync(at, fs.constants.W_OK);
		if (!fs.statSync(at).isDirectory()) throw new AccessError('it is no folder', { path: at, hint: 'another folder' });
	} catch (cause) {
		throw cause instanceof AccessError ? cause : accessError('cannot be written to', at, cause);
	}
};

const measuredRate = (records: ReadonlyMap<string, JobRecord>): number | undefined => {
	let [bytes, seconds] = [0, 0];
	for (const record of records.values()) {
		if (record.state !== 'done' || record.adopted) continue;
		const took = (record.at - record.started) / 1000;
		if (took < SHORTEST) continue;
		bytes += record.sizes.before ?? 0;
		seconds += took;
	}
	return bytes > 0 && seconds > 0 ? bytes / seconds : undefined;
};

/** Each job goes, largest first, to whoever is free first. */
const together = (jobs: readonly Estimate[], atOnce: number): number => {
	const workers = new Array<number>(Math.max(1, Math.min(atOnce, jobs.length))).fill(0);
	for (const { seconds } of jobs.toSorted((a, b) => b.seconds - a.seconds)) {
		const first = workers.indexOf(workers.reduce((a, b) => Math.min(a, b)));
		workers[first] = (workers[first] ?? 0) + seconds;
	}
	return workers.reduce((a, b) => Math.max(a, b));
};

const spaceOf = (jobs: readonly Estimate[]): Estimates['space'] => {
	const devices = new Map<string, { folder: string; needed: number; free: number | undefined }>();
	for (const { state, needed } of jobs) {
		const { to } = state.job;
		const device = to === undefined ? undefined : deviceOf(to);
		if (to === undefined || device === undefined) continue;
		const entry = devices.get(device) ?? { folder: to.replace(/\/[^/]*$/, ''), needed: 0, free: freeSpaceFor(to) };
		devices.set(device, { ...entry, needed: entry.needed + needed });
	}
	return [...devices.values()];
};
