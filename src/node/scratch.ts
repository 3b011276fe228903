import fs from 'node:fs';
import path from 'node:path';
import { AccessError } from '../errors.ts';
import { accessError } from './file.ts';
import { nodeFiles } from './files.ts';

/** Of the names of folders for temporary files: six random letters follow. */
export const SCRATCH = '.vconv-spool-';

/** The file in it that is locked as long as it is in use. */
export const SCRATCH_LOCK = 'lock';

/**
 * Have a folder for temporary files in `parent` for the time of `use`. It goes with all that is in it.
 * @throws AccessError if there can be none; whatever `use` throws.
 */
export const withScratchFolder = async <Result>(parent: string, use: (folder: string) => Promise<Result>): Promise<Result> => {
	const { folder, lock } = await make(parent);
	try {
		return await use(folder);
	} finally {
		nodeFiles.close(lock);
		await removeFolder(folder);
	}
};

/** A folder with all that is in it. */
export const removeFolder = async (folder: string): Promise<void> => {
	// Loaded when it is wanted: it takes longer than the rest of a start.
	const { remove } = await import('fs-extra/esm');
	await remove(folder);
};

const make = async (parent: string): Promise<{ readonly folder: string; readonly lock: number }> => {
	try {
		const folder = fs.mkdtempSync(path.join(parent, SCRATCH));
		const lock = await nodeFiles.openLocked(path.join(folder, SCRATCH_LOCK));
		if (lock !== undefined) return { folder, lock };
	} catch (cause) {
		throw accessError('cannot be used as a spool', parent, cause);
	}
	throw new AccessError('cannot be used as a spool: another process takes what is made in it', { path: parent, hint: 'another folder' });
};
