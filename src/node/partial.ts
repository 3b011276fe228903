import path from 'node:path';
import { AccessError, BusyError, VconvError } from '../errors.ts';
import { accessError } from './file.ts';
import type { Files } from './files.ts';
import { isJournal, type JournalFile, journalFile } from './journal.ts';
import { newSha256 } from './sha256.ts';

/** What a partial file's name ends with, and what its journal's adds to that. */
export const PARTIAL = '.vconv-partial';
export const JOURNAL = '.journal';

/** A file on its way to its name, and the journal beside it, which is locked while it is open. */
export type Partial = {
	/** The name that it will have. */
	readonly final: string;
	readonly name: string;
	readonly fd: number;
	/** What it is, whatever has its name. */
	readonly id: string;
	readonly journalName: string;
	readonly journalFd: number;
	readonly journalId: string;
	readonly journal: JournalFile;
	/** It was there, with the bytes that an earlier run wrote. */
	readonly found: boolean;
};

/** Bytes that a name may have on the file systems there are. */
const MAX_NAME = 255;

/** Under which a file is written until it has its name: always the same, so that another run finds it. */
const partialName = (final: string): string => {
	const plain = path.basename(final);
	const whole = `.${plain}${PARTIAL}`;
	if (Buffer.byteLength(whole + JOURNAL) <= MAX_NAME) return path.join(path.dirname(final), whole);
	const short = `${plain.slice(0, 40)}.${newSha256().update(plain).digest('hex').slice(0, 16)}`;
	return path.join(path.dirname(final), `.${short}${PARTIAL}`);
};

/** Bytes on the disk of the partial file that an earlier run has left for a name; 0 if there is none that can be opened. */
export const heldOf = (final: string, files: Files): number => {
	try {
		const fd = files.open(partialName(final));
		const { allocated } = files.state(fd);
		files.close(fd);
		return allocated;
	} catch {
		return 0;
	}
};

export type PartialOptions = {
	readonly files: Files;
	readonly force: boolean;
	/** The file that the user named; the same as the final name unless that is a further one of its image. */
	readonly main: string;
	/** There is no partial file: whatever is noted of it elsewhere is to be forgotten before it is made. */
	missing?(): void;
};

/**
 * Open the partial file of a name and lock it, both made if they are not there.
 * @throws BusyError if another run writes it; AccessError if the name is taken and `force` is not set, if what has the partial's name is not
 * vconv's, or if it cannot be opened. What was made is gone then.
 */
export const openPartial = async (final: string, { files, force, main, missing }: PartialOptions): Promise<Partial> => {
	const name = partialName(final);
	const journalName = name + JOURNAL;
	const undo: (() => void)[] = [];
	try {
		if (final === main && !force) refuseTaken(final, files);
		const journalFd = await openJournal(final, journalName, files, undo);
		// Its image got no name before the run ended, so that this one is none either.
		if (final !== main && isOf(final, name, files) && files.idOf(main) === undefined) files.remove(final);
		if (!force) refuseTaken(final, files);
		const journal = journalFile(journalFd, journalName, files);
		const { fd, found } = openData(name, files, undo, () => {
			journal.forget();
			missing?.();
		});
		const [id, journalId] = [files.state(fd).id, files.state(journalFd).id];
		return { final, name, fd, id, journalName, journalFd, journalId, journal, found };
	} catch (error) {
		for (const act of undo.reverse()) {
			try {
				act();
			} catch {} // the failure that brought us here is the one to tell
		}
		throw error instanceof VconvError ? error : accessError('cannot be created', final, error);
	}
};

const refuseTaken = (final: string, files: Files): void => {
	if (files.idOf(final) === undefined) return;
	throw new AccessError('it exists already', { path: final, hint: '--force to replace it, or another name' });
};

const isOf = (final: string, name: string, files: Files): boolean => {
	const id = files.idOf(final);
	return id !== undefined && id === files.idOf(name);
};

const openJournal = async (final: string, name: string, files: Files, undo: (() => void)[]): Promise<number> => {
	// Whoever had the lock may have removed the file when it was done: then it is no lock.
	for (let tries = 0; tries < 10; tries++) {
		const found = files.idOf(name) !== undefined;
		const fd = await files.openLocked(name).catch((cause: unknown) => {
			// The folder may not be written to: then nothing has that name.
			throw (found && foreign(name, cause)) || cause;
		});
		if (fd === undefined) throw busy(final);
		undo.push(() => files.close(fd));
		if (!found) undo.push(() => files.remove(name));
		const { id, own, links } = files.state(fd);
		if (files.idOf(name) === id) {
			const head = new Uint8Array(16);
			if (!own || links !== 1 || !isJournal(head.subarray(0, files.read(fd, head, 0)))) throw foreign(name);
			return fd;
		}
		undo.length = 0;
		files.close(fd);
	}
	throw busy(final);
};

const openData = (
	name: string,
	files: Files,
	undo: (() => void)[],
	missing: () => void,
): { readonly fd: number; readonly found: boolean } => {
	const create = () => {
		missing();
		const fd = files.create(name);
		undo.push(
			() => files.remove(name),
			() => files.close(fd),
		);
		return { fd, found: false };
	};
	if (files.idOf(name) === undefined) return create();
	let fd: number;
	try {
		fd = files.open(name);
	} catch (cause) {
		throw foreign(name, cause) ?? cause;
	}
	undo.push(() => files.close(fd));
	const { own, links } = files.state(fd);
	if (!own) throw foreign(name);
	if (links === 1) return { fd, found: true };
	// It has its other name already: a run ended between giving that and taking this away. It must not be written to.
	undo.pop();
	files.close(fd);
	missing();
	files.remove(name);
	return create();
};

const busy = (final: string): BusyError =>
	new BusyError('another run of vconv is writing it', { path: final, hint: 'again when that is done' });

/** The error for a name that vconv has not made; undefined if something else is the cause. */
function foreign(name: string): AccessError;
function foreign(name: string, cause: unknown): AccessError | undefined;
function foreign(name: string, cause?: unknown): AccessError | undefined {
	const { code } = (cause ?? {}) as NodeJS.ErrnoException;
	if (cause !== undefined && !['ELOOP', 'EMLINK', 'EISDIR', 'ENXIO', 'EACCES'].includes(code ?? '')) return undefined;
	return new AccessError('something that is not from vconv has the name of its partial file', {
		path: name,
		hint: 'removing it, if nobody needs it',
		cause,
	});
}
