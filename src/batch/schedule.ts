/** What a schedule knows of a job. */
export type Task = {
	/** Bytes that it reads, as far as they are known. */
	readonly size: number;
	/** The file system that it reads from. */
	readonly sourceDevice: string;
	/** The file system that it writes to; undefined where it writes nothing. */
	readonly targetDevice: string | undefined;
	/** Bytes that it takes at the most on the target's file system. */
	readonly needed: number;
};

export type Running = Task & {
	/** Bytes of `needed` that are on the disk already. */
	readonly written: number;
};

export type Limits = {
	/** Jobs at once. */
	readonly jobs: number;
	/** Of them, jobs that read from one file system. */
	readonly perDevice: number;
	/** Free bytes of a file system at this moment; undefined where it does not say. */
	free(device: string): number | undefined;
};

/** Largest first: what takes longest is not what all wait for in the end. Ties keep their order. */
export const bySize = <T extends Pick<Task, 'size'>>(tasks: readonly T[]): T[] => tasks.toSorted((a, b) => b.size - a.size);

/** Why nothing, or what, can start now. */
export type Choice<T> = { readonly start: T } | { readonly wait: 'jobs' | 'device' | 'space' | 'none' };

/**
 * The first of the waiting jobs that may start: within the limits, and with room for it beside what the running ones have still to
 * write. A job that has its target's file system to itself starts in any case, for no waiting will give it more room: it says then
 * what is missing.
 */
export const choose = <T extends Task>(waiting: readonly T[], running: readonly Running[], limits: Limits): Choice<T> => {
	if (waiting.length === 0) return { wait: 'none' };
	if (running.length >= limits.jobs) return { wait: 'jobs' };
	let wait: 'device' | 'space' = 'device';
	for (const task of waiting) {
		if (running.filter(({ sourceDevice }) => sourceDevice === task.sourceDevice).length >= limits.perDevice) continue;
		if (fits(task, running, limits)) return { start: task };
		wait = 'space';
	}
	return { wait };
};

/** The ledger: free space, less what is promised and not yet written. */
const fits = ({ targetDevice, needed }: Task, running: readonly Running[], { free }: Limits): boolean => {
	if (targetDevice === undefined) return true;
	const others = running.filter((other) => other.targetDevice === targetDevice);
	if (others.length === 0) return true;
	const promised = others.reduce((sum, other) => sum + Math.max(0, other.needed - other.written), 0);
	const room = free(targetDevice);
	return room === undefined || needed <= room - promised;
};
