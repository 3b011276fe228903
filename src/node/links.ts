import fs from 'node:fs';
import path from 'node:path';
import { AccessError } from '../errors.ts';
import { statOf } from './file.ts';
import { isWithin, realOf } from './place.ts';

/** Which links in folders are followed: those that stay in the folders given or lead to those allowed. */
export type Trust = {
	/** None is, so that each is a file of its own. */
	readonly untrusted?: boolean | undefined;
	readonly allow?: readonly string[] | undefined;
};

export const isFolder = (name: string): boolean => statOf(name)?.isDirectory() ?? false;

const isLink = (file: string): boolean => fs.lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;

/**
 * Whoever can put a link in a folder is not to have read what he may not read himself.
 * @param file one that was found in a folder of `names`.
 * @throws AccessError for a link that nobody has named or allowed.
 */
export const refuseLink = (file: string, names: readonly string[], { untrusted, allow = [] }: Trust): void => {
	if (!isLink(file)) return;
	const refuse = (why: string, hint: string): never => {
		throw new AccessError(`it is a symbolic link, ${why}`, { path: file, hint, reason: 'refused' });
	};
	if (untrusted) refuse('and --untrusted follows none', 'the file that it leads to, by its name');
	const real = realOf(file);
	const isKnown =
		names.some((name) => realOf(name) === real) || [...names.filter(isFolder), ...allow].some((one) => isWithin(real, realOf(one)));
	// One that leads nowhere leads to nobody's file: it is said to be missing.
	if (!isKnown && statOf(file))
		refuse(`to ${real}, outside the folder`, `--allow-external ${path.dirname(real)}, or that file by its name`);
};
