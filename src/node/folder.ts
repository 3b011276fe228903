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
