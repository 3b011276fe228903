import { UsageError } from '../errors.ts';

/** What `-m` says; undefined where it is left out. @throws UsageError unless it is 1 to 64. */
export const threadCount = (said: string | undefined): number | undefined => {
	if (said === undefined) return undefined;
	if (/^[1-9]\d?$/.test(said) && Number(said) <= 64) return Number(said);
	throw new UsageError(`-m ${said} is not a number of threads`, { hint: '-m with 1 to 64' });
};
