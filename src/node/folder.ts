import fs from 'node:fs';
import path from 'node:path';
import { AccessError } from '../errors.ts';
import { accessError } from './file.ts';

/** The plain files of a folder, by name; no symbolic links, and nothing in folders of it. @throws AccessError. */
export const filesIn = (folder: string): string[] => {
	try {
		const entries = fs.readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile());
		return entries.map(({ name }) => path.join(folder, name)).sort();
	} catch (cause) {
		if ((cause as NodeJS.ErrnoException).code === 'ENOTDIR' && fs.existsSync(folder))
			throw new AccessError('it is not a folder', { path: folder, cause });
		throw accessError('cannot be listed', folder, cause);
	}
};

/**
 * Make a folder and those above it that are not there; those that were made, the lowest first. mkdir(2) itself, for Node's own way says of a file system
 * that is read-only that there is no such file.
 */
export const makeFolders = (folder: string, mode = 0o777): readonly string[] => {
	try {
		fs.mkdirSync(folder, mode);
		return [folder];
	} catch (error) {
		const above = path.dirname(folder);
		if ((error as NodeJS.ErrnoException).code === 'ENOENT' && above !== folder) {
			const made = makeFolders(above, mode);
			if (made.length > 0) return [...makeFolders(folder, mode), ...made];
		}
		if (fs.existsSync(folder) && fs.statSync(folder).isDirectory()) return [];
		throw error;
	}
};
