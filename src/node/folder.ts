import fs from 'node:fs';
import path from 'node:path';
import { accessError } from './file.ts';

/** The plain files of a folder, by name; no symbolic links, and nothing in folders of it. @throws AccessError. */
export const filesIn = (folder: string): string[] => {
	try {
		const entries = fs.readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile());
		return entries.map(({ name }) => path.join(folder, name)).sort();
	} catch (cause) {
		throw accessError('cannot be listed', folder, cause);
	}
};
