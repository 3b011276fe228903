import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type JobRecord, parseJournal, printRecord } from '../../batch/journal.ts';
import { AccessError, BusyError } from '../../errors.ts';
import { accessError, statOf } from '../file.ts';
import { nodeFiles } from '../files.ts';
import { makeFolders } from '../folder.ts';
import { refuseOverwriting } from '../overwriting.ts';
import { writeFully } from '../write.ts';
import { type FolderLock, takeLock } from './lock.ts';
import { openOwn, refuseForeign } from './own.ts';

/** The folder in which a batch keeps what it knows: nobody else's while it is open. */
export type StateFolder = {
	/** The last record of each job. */
	readonly records: ReadonlyMap<string, JobRecord>;
	/** Lines of the journal that are no records. */
	readonly damaged: number;
	readonly lock: FolderLock;
	/** Add a record; it is on the disk when this returns. */
	append(record: JobRecord): void;
	/** Where the log of a job is. */
	log(id: string): string;
	/** Replace a file of the folder: whoever reads it sees the old or the new one. */
	write(name: string, text: string): string;
	close(): void;
};

/** What the journal of a folder says, whoever writes to it; nothing if there is none. */
export const readRecords = (folder: string): ReadonlyMap<string, JobRecord> => {
	const name = path.join(folder, JOURNAL);
	if (!fs.existsSync(name)) return new Map();
	refuseForeign(folder);
	const fd = openOwn(name, fs.constants.O_RDONLY);
	try {
		return parseJournal(fs.readFileSync(fd, 'utf8')).records;
	} catch (cause) {
		throw accessError('cannot be read', name, cause);
	} finally {
		fs.closeSync(fd);
	}
};

const JOURNAL = 'batch.jsonl';

/** The names of the reports, in the folder. */
export const REPORTS = { json: 'report.json', junit: 'report.xml', page: 'report.html' } as const;

/**
 * A batch writes over none of the files that it is about. Where it has been before, what has these names is its own.
 * @param used the plan, and what its jobs read and write.
 * @throws UsageError, AccessError for a folder that cannot be looked into.
 */
export const refuseState = (folder: string, used: readonly string[]): void => {
	if (hasJournal(folder)) return;
	refuseOverwriting(
		Object.values(REPORTS).map((name) => ({
			name: path.join(folder, name),
			role: `${name} of the batch`,
			hint: 'another folder for --state',
		})),
		used.filter(canBeLookedAt).map((name) => ({ name, role: name })),
	);
};

/** What cannot, nobody reads or writes: its job will say so. */
const canBeLookedAt = (name: string): boolean => {
	try {
		statOf(name);
		return true;
	} catch {
		return false;
	}
};

const hasJournal = (folder: string): boolean => {
	try {
		return nodeFiles.idOf(path.join(folder, JOURNAL)) !== undefined;
	} catch (cause) {
		throw accessError('cannot be looked into', folder, cause);
	}
};

/** How long the children of a batch that was killed may take to notice, in ms. */
const PATIENCE = 1000;

/**
 * Open the folder of a batch, which is made if it is not there.
 * @throws BusyError if another batch has it; AccessError, for a folder or files of another user too.
 */
export const openState = async (folder: string): Promise<StateFolder> => {
	const jobs = path.join(folder, 'jobs');
	try {
		// One that is there is looked at before anything is made in it.
		for (const each of [folder, jobs]) {
			makeFolders(path.resolve(each), 0o700);
			refuseForeign(each);
		}
	} catch (cause) {
		throw cause instanceof AccessError ? cause : accessError('cannot be made', folder, cause);
	}
	const lock = await patiently(() => takeLock(path.join(folder, 'batch.lock')));
	const name = path.join(folder, JOURNAL);
	let fd: number;
	let end: number;
	let journal: ReturnType<typeof parseJournal>;
	try {
		fd = openOwn(name, fs.constants.O_RDWR | fs.constants.O_CREAT);
		const bytes = fs.readFileSync(fd);
		// What is behind the last line end was torn; it must not become the beginning of the next record.
		end = bytes.lastIndexOf(10) + 1;
		if (end < bytes.length) fs.ftruncateSync(fd, end);
		journal = parseJournal(bytes.toString('utf8', 0, end));
		nodeFiles.fsyncFolder(folder);
	} catch (cause) {
		lock.release();
		throw cause instanceof AccessError ? cause : accessError('cannot be opened', name, cause);
	}
	const records = new Map(journal.records);
	return {
		records,
		damaged: journal.damaged,
		lock,
		append(record) {
			const bytes = Buffer.from(printRecord(record));
			writeFully(nodeFiles, fd, bytes, end, name);
			try {
				fs.fdatasyncSync(fd);
			} catch (cause) {
				throw accessError('cannot be made durable', name, cause);
			}
			end += bytes.length;
			records.set(record.id, record);
		},
		log: (id) => path.join(jobs, `${id}.log`),
		write(file, text) {
			const final = path.join(folder, file);
			const next = `${final}.new`;
			try {
				// What an interrupted run has left, or anybody has put there, is not written to.
				nodeFiles.remove(next);
				fs.writeFileSync(next, text, { mode: 0o600, flag: 'wx' });
				fs.renameSync(next, final);
			} catch (cause) {
				throw accessError('cannot be written', final, cause);
			}
			return final;
		},
		close() {
			fs.closeSync(fd);
			lock.release();
		},
	};
};

const patiently = async <T>(take: () => Promise<T>): Promise<T> => {
	const until = performance.now() + PATIENCE;
	for (;;) {
		try {
			return await take();
		} catch (error) {
			if (!(error instanceof BusyError) || performance.now() > until) throw error;
		}
		await sleep(50);
	}
};
