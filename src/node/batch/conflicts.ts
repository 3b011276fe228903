import path from 'node:path';
import type { Job } from '../../batch/expand.ts';
import { UsageError } from '../../errors.ts';
import { placeOf, realOf } from '../place.ts';
import type { JobState } from './run.ts';
import { saidBy } from './said.ts';
import { survey } from './survey.ts';

/**
 * No job replaces what another reads or writes: parents and extents are among that, and images of parents that are kept, which its plan does not name.
 * Sources are looked into only if a job is to begin that may replace anything.
 * @param place where the plan says a job.
 * @throws UsageError
 */
export const refuseReplacing = async (states: readonly JobState[], place: (job: Job) => string, signal: AbortSignal): Promise<void> => {
	const replacing = new Set(states.filter(({ job, status }) => status === 'waiting' && mayReplace(job)).map(({ job }) => job));
	if (replacing.size === 0) return;
	const read: Use[] = [];
	const written: Use[] = [];
	for (const { job } of states) {
		signal.throwIfAborted();
		const { files, further = [] } = await survey(job, signal);
		read.push(...files.flatMap(({ path: name }) => [placeOf(name), realOf(name)].map((place) => ({ name, place, job }))));
		const target = job.kind === 'migrate' ? realOf : placeOf;
		if (job.to !== undefined) written.push(...[job.to, ...further].map((name) => ({ name, place: target(name), job })));
	}
	const machines = written.filter(({ job }) => job.kind === 'migrate');
	const targets = written.filter(({ job }) => replacing.has(job));
	for (const [does, uses] of [['reads', read] as const, ['writes', written] as const]) {
		const byPlace = new Map<string, Use[]>();
		for (const use of uses) byPlace.set(use.place, [...(byPlace.get(use.place) ?? []), use]);
		for (const { name, place: at, job } of targets) {
			// What a machine's disks will be called is not known yet: a folder in which a machine replaces files is its own.
			const near = job.kind === 'migrate' ? uses.filter((use) => isWithin(use.place, at)) : (byPlace.get(at) ?? []);
			const around = does === 'writes' ? machines.filter((use) => isWithin(at, use.place)) : [];
			const other = [...near, ...around].find((use) => use.job !== job);
			if (!other) continue;
			throw new UsageError(`${job.name} would be written over what ${other.job.name} ${does} (${place(other.job)}): ${name}`, {
				path: place(job),
				field: `${job.field}.to`,
				hint: 'another target',
			});
		}
	}
};

type Use = { readonly name: string; readonly place: string; readonly job: Job };

const isWithin = (place: string, folder: string): boolean => place === folder || place.startsWith(`${folder}${path.sep}`);

const mayReplace = (job: Job): boolean => (job.kind === 'convert' || job.kind === 'migrate') && saidBy(job).has('force');
