import fs from 'node:fs';
import path from 'node:path';
import { cleanScratch, scratchFolders } from './clean-scratch.ts';
import { accessError } from './file.ts';
import { type Files, nodeFiles } from './files.ts';
import { filesIn } from './folder.ts';
import { isJournal, journalFile } from './journal.ts';
import type { CleanOptions, Leftover } from './leftover.ts';
import { JOURNAL, PARTIAL } from './partial.ts';

/**
 * Remove the partial files of a folder that no run is at work on, with their journals, and the folders of its spools. Only what has a journal of vconv's beside
 * it, or a lock of its spools in it, is one, and links are not followed. Gives what there was, in the order of names.
 * @throws AccessError.
 */
export const cleanFolder = async (folder: string, options: CleanOptions = {}): Promise<readonly Leftover[]> => {
	const found: Leftover[] = [];
	const clean = async (name: string, one: Promise<Leftover | undefined>): Promise<void> => {
		try {
			const leftover = await one;
			if (leftover) found.push(leftover);
		} catch (cause) {
			throw accessError('cannot be removed', name, cause);
		}
	};
	for (const journal of filesIn(folder)) {
		const plain = path.basename(journal);
		if (plain.startsWith('.') && plain.endsWith(PARTIAL + JOURNAL)) await clean(journal, cleanOne(journal, options, nodeFiles));
	}
	for (const spool of scratchFolders(folder)) await clean(spool, cleanScratch(spool, options));
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
