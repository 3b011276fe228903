import fs from 'node:fs';
import path from 'node:path';
import { accessError } from './file.ts';

/**
 * Have a folder for temporary files in `parent` for the time of `use`. It goes with all that is in it.
 * @throws AccessError if there can be none; whatever `use` throws.
 */
export const withScratchFolder = async <Result>(parent: string, use: (folder: string) => Promise<Result>): Promise<Result> => {
	const folder = make(parent);
	try {
		return await use(folder);
	} finally {
		// Loaded when it is wanted: it takes longer than the rest of a start.
		const { remove } = await import('fs-extra/esm');
		await remove(folder);
	}
};

const make = (parent: string): string => {
	try {
		return fs.mkdtempSync(path.join(parent, '.vconv-spool-'));
	} catch (cause) {
		throw accessError('cannot be used as a spool', parent, cause);
	}
};
