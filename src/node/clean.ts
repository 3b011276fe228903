import fs from 'node:fs';
import path from 'node:path';
import { accessError } from './file.ts';
import { type Files, nodeFiles } from './files.ts';
import { filesIn } from './folder.ts';
import { isJournal, journalFile } from './journal.ts';
import { JOURNAL, PARTIAL } from './partial.ts';

/** What an interrupted run has left of a file. */
export type Leftover = {
	/** The partial file; it may be gone while its journal is there. */
	readonly name: string;
	/** Bytes that it takes on the disk. */
	readonly size: number;
	/** When it was last written to. */
	readonly modified: Date;
	/** `busy`: a run is at work on it. `young`: it was written to since. */
	readonly state: 'removed' | 'busy' | 'young';
};

export type CleanOptions = {
	/** Leave what was written to since. */
	readonly before?: Date | undefined;
	/** Remove nothing, and say what would be. */
	readonly dryRun?: boolean | undefined;
};

/**
 * Remove the partial files of a folder that no run is at work on, with their journals. Only what has a journal of vconv's beside it is one, and
 * links are not followed. Gives what there was, in the order of names.
 * @throws AccessError.
 */
export const cleanFolder = async (folder: string, options: CleanOptions = {}): Promise<readonly Leftover[]> => {
	const found: Leftover[] = [];
	for (const journal of filesIn(folder)) {
		const plain = path.basename(journal);
		if (!plain.startsWith('.') || !plain.endsWith(PARTIAL + JOURNAL)) continue;
		try {
			const leftover = await cleanOne(journal, options, nodeFiles);
			if (leftover) found.push(leftover);
		} catch (cause) {
			throw accessError('cannot be removed', journal, cause);
		}
	}
	return found;
};

/** Undefined for what is not vconv's. */
const cleanOne = async (journal: string, { before, dryRun }: CleanOptions, files: Files): Promise<Leftover | undefined> => {
	const name = journal.slice(0, -JOURNAL.length);
	const stat = fs.lstatSync(name, { throwIfNoEntry: false }) ?? fs.lstatSync(journal);
	const leftover = { name, size: stat.blocks * 512, modified: stat.mtime };
	const fd = await files.openLocked(journal);
	if (fd === undefined) return { ...leftover, state: 'busy' };
	try {
		const head = new Uint8Array(16);
		const { own } = files.state(fd);
		if (!own || !isJournal(head.subarray(0, files.read(fd, head, 0)))) return undefined;
		if (before && leftover.modified >= before) return { ...leftover, state: 'young' };
		if (!dryRun) {
			// A power failure may bring the name back.
			journalFile(fd, journal, files).forget();
			for (const file of [name, journal]) files.remove(file);
		}
		return { ...leftover, state: 'removed' };
	} finally {
		files.close(fd);
	}
};
