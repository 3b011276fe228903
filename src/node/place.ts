import fs from 'node:fs';
import path from 'node:path';

/** An absolute name past all links, as far as there is anything; as it is said from there on. */
export const realOf = (name: string): string => {
	if (fs.existsSync(name)) return fs.realpathSync(name);
	const above = path.dirname(name);
	return above === name ? name : path.join(realOf(above), path.basename(name));
};

/** The folder of a file, past all links. */
export const folderOf = (name: string): string => realOf(path.dirname(path.resolve(name)));

/** Where a file of this name is, whatever links lead to its folder: what is written to one such name replaces what has the other. */
export const placeOf = (name: string): string => path.join(folderOf(name), path.basename(name));

/** Whether a file is in a folder or in one of those in it; both past all links. */
export const isWithin = (file: string, folder: string): boolean => {
	const relative = path.relative(folder, file);
	return relative !== '' && relative.split(path.sep)[0] !== '..' && !path.isAbsolute(relative);
};

/** Links that lead to one another, as many as Linux follows. */
const MAX_LINKS = 40;

/** Whether a name stands for an open file of a process: `/dev/stdout`, `/dev/fd/3`, a link to one. It is shown as whatever that file is. */
export const isDescriptor = (name: string): boolean => {
	for (let at = path.resolve(name), left = MAX_LINKS; left > 0; left--) {
		const folder = folderOf(at);
		if (folder === '/dev/fd' || /^\/proc\/.*\/fd$/.test(folder)) return true;
		if (!fs.lstatSync(at, { throwIfNoEntry: false })?.isSymbolicLink()) return false;
		at = path.resolve(folder, fs.readlinkSync(at));
	}
	return false;
};
