/** A file as it was: `id` is device, number, size and time of change, `DEV:INO:SIZE:NS`. */
export type FileIdentity = { readonly path: string; readonly id: string };

/** What failed, as `--json` prints an error. */
export type JobError = {
	readonly code: string;
	readonly message: string;
	readonly exitCode: number;
	readonly path?: string | undefined;
	readonly hint?: string | undefined;
};

/** Bytes, where they are known. */
export type JobSizes = {
	/** What the guest sees. */
	readonly virtual?: number | undefined;
	/** What is read takes on its disk. */
	readonly before?: number | undefined;
	/** What was written takes. */
	readonly after?: number | undefined;
};

type Common = {
	readonly id: string;
	/** Milliseconds since 1970. */
	readonly at: number;
	/** How many times it has been started. */
	readonly attempt: number;
};

/** What a journal says of a job; the last record of an id holds. */
export type JobRecord =
	| (Common & {
			readonly state: 'started';
			/** Nothing had the target's name then: whatever has it later has come since. */
			readonly absent: boolean;
	  })
	| (Common & {
			readonly state: 'done' | 'failed';
			readonly started: number;
			readonly sources: readonly FileIdentity[];
			readonly target?: FileIdentity | undefined;
			/** The other files of that image, or the disks of that machine. */
			readonly further?: readonly FileIdentity[] | undefined;
			readonly sizes: JobSizes;
			/** What the user should know. */
			readonly notes: readonly string[];
			readonly error?: JobError | undefined;
			/** It was written by a run that was killed before it could say so, and has been compared with its source since. */
			readonly adopted?: boolean | undefined;
	  });

/**
 * The records of a journal, by job. A last line that was torn when a run was killed is no record; nor is any other line that is
 * damaged: its job is looked at again, and nothing is lost.
 */
export const parseJournal = (text: string): { readonly records: ReadonlyMap<string, JobRecord>; readonly damaged: number } => {
	const records = new Map<string, JobRecord>();
	let damaged = 0;
	for (const line of text.split('\n').slice(0, -1)) {
		const record = parseRecord(line);
		if (record) records.set(record.id, record);
		else damaged++;
	}
	return { records, damaged };
};

export const printRecord = (record: JobRecord): string => `${JSON.stringify(record)}\n`;

const parseRecord = (line: string): JobRecord | undefined => {
	let record: unknown;
	try {
		record = JSON.parse(line);
	} catch {
		return undefined;
	}
	if (!isObject(record) || typeof record['id'] !== 'string' || !isTime(record['at']) || !isTime(record['attempt'])) return undefined;
	if (record['state'] === 'started') return typeof record['absent'] === 'boolean' ? (record as JobRecord) : undefined;
	if (record['state'] !== 'done' && record['state'] !== 'failed') return undefined;
	const { sources, sizes, notes, started, target, further = [], error } = record;
	const sound =
		Array.isArray(sources) &&
		sources.every(isIdentity) &&
		(target === undefined || isIdentity(target)) &&
		Array.isArray(further) &&
		further.every(isIdentity) &&
		isObject(sizes) &&
		Object.values(sizes).every(isTime) &&
		Array.isArray(notes) &&
		notes.every((note) => typeof note === 'string') &&
		isTime(started) &&
		(record['state'] === 'done' || (isObject(error) && typeof error['message'] === 'string' && typeof error['exitCode'] === 'number'));
	return sound ? (record as JobRecord) : undefined;
};

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

const isTime = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value) && value >= 0;

const isIdentity = (value: unknown): boolean => isObject(value) && typeof value['path'] === 'string' && typeof value['id'] === 'string';
