import type { Job } from '../../batch/expand.ts';
import type { FileIdentity, JobError, JobRecord } from '../../batch/journal.ts';
import { identify, isCut, isSameFile } from './identity.ts';

/** What an earlier run has left of a job to do: nothing, all of it, or to look whether its target is what it would write. */
export type Standing = 'done' | 'failed' | 'run' | 'adopt';

/**
 * Busy, ended by a signal, or of the surroundings: no space, no permission, a target that is there. Worth another try unasked; what is wrong
 * with the source itself is not.
 */
const isPassing = ({ code, exitCode }: JobError): boolean => code === 'ACCESS' || exitCode === 75 || exitCode >= 128;

/**
 * Where a job stands by its record. It is done as long as all that was read is as it was, and the target is what was written, all files of it,
 * and none cut; a guest that has booted from it since has changed what is in it, not what was done.
 */
export const standingOf = (job: Job, record: JobRecord | undefined, retryFailed: boolean): Standing => {
	if (!record) return 'run';
	if (record.state === 'started') return record.absent && canAdopt(job) && job.to !== undefined && identify(job.to) ? 'adopt' : 'run';
	const same = record.sources.length > 0 && record.sources.every(({ path, id }) => identify(path)?.id === id);
	if (record.state === 'failed') return same && !retryFailed && !(record.error && isPassing(record.error)) ? 'failed' : 'run';
	return same && filesWritten(record).every(isThere) ? 'done' : 'run';
};

/** The names of all files that jobs on record have written, and that are there still. */
export const writtenBy = (records: Iterable<JobRecord>): ReadonlySet<string> => {
	const names = new Set<string>();
	for (const record of records) {
		if (record.state !== 'done') continue;
		for (const file of filesWritten(record)) if (isThere(file)) names.add(file.path);
	}
	return names;
};

const filesWritten = ({ target, further = [] }: Extract<JobRecord, { readonly target?: unknown }>): readonly FileIdentity[] =>
	target === undefined ? further : [target, ...further];

const isThere = (file: FileIdentity): boolean => {
	const found = identify(file.path);
	return found !== undefined && isSameFile(found, file) && !isCut(found, file);
};

/** Whether `vconv compare` can tell that a target is what a job writes: it shows the guest the whole of the source, as it is. */
const canAdopt = ({ kind, values }: Job): boolean => kind === 'convert' && !values.has('snapshot') && values.get('layer') !== true;

/** The words after `vconv` that compare the target of a job with its source. */
export const adoptionArgv = ({ from, to = '', values }: Job): string[] => {
	const flags = { 'input-format': '-f', format: '-F', 'allow-external': '--allow-external', limits: '--limit' } as const;
	const words = Object.entries(flags).flatMap(([name, flag]) => {
		const value = values.get(name);
		const said = typeof value === 'string' ? [value] : Array.isArray(value) ? value : [];
		return said.flatMap((each: string) => [flag, each]);
	});
	return ['compare', ...words, ...(values.get('untrusted') === true ? ['--untrusted'] : []), from, to];
};
