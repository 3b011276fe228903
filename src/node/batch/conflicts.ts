import type { Job } from '../../batch/expand.ts';
import { UsageError } from '../../errors.ts';
import { placeOf, realOf } from '../place.ts';
import type { JobState } from './run.ts';
import { survey } from './survey.ts';

/**
 * No job replaces what another reads, parents and extents among it, which its plan does not name. Sources are looked into only if a job is to begin
 * that may replace anything.
 * @throws UsageError
 */
export const refuseReplacingSources = async (states: readonly JobState[], signal: AbortSignal): Promise<void> => {
	const replacing = states.filter(({ job, status }) => status === 'waiting' && mayReplace(job)).map(({ job }) => job);
	if (replacing.length === 0) return;
	const readers = new Map<string, Job>();
	const written: { readonly name: string; readonly job: Job }[] = [];
	for (const { job } of states) {
		signal.throwIfAborted();
		const { files, further = [] } = await survey(job, signal);
		for (const { path } of files) for (const place of [placeOf(path), realOf(path)]) readers.set(place, job);
		if (job.to !== undefined && replacing.includes(job)) written.push(...[job.to, ...further].map((name) => ({ name, job })));
	}
	for (const { name, job } of written) {
		const reader = readers.get(placeOf(name));
		if (!reader || reader === job) continue;
		throw new UsageError(`${job.name} would be written over what ${reader.name} reads`, { path: name, hint: 'another target' });
	}
};

const mayReplace = ({ kind, argv }: Job): boolean => kind === 'convert' && argv.includes('--force');
