import fs from 'node:fs';
import { AccessError } from '../../errors.ts';
import { accessError } from '../file.ts';
import { nodeFiles } from '../files.ts';

const { O_NOFOLLOW = 0, O_NONBLOCK = 0 } = fs.constants;

/**
 * Open a file of a state folder, which others may have put there. It is made, with mode 0600, if `flags` say so.
 * @param flags of open(2).
 * @throws AccessError for a link, for what is no regular file, and for another user's.
 */
export const openOwn = (name: string, flags: number): number => {
	let fd: number;
	try {
		// O_NONBLOCK: a FIFO must not hang us before we have seen what it is.
		fd = fs.openSync(name, flags | O_NOFOLLOW | O_NONBLOCK, 0o600);
	} catch (cause) {
		throw accessError('cannot be opened', name, cause);
	}
	const { own, links } = nodeFiles.state(fd);
	if (own && links === 1) return fd;
	fs.closeSync(fd);
	throw foreign(name);
};

/** @throws AccessError unless a folder that is there is this user's, and so is the link that leads to it, if one does. */
export const refuseForeign = (folder: string): void => {
	const [named, found] = [fs.lstatSync(folder), fs.statSync(folder)];
	const user = process.geteuid?.();
	if (found.isDirectory() && (user === undefined || (named.uid === user && found.uid === user))) return;
	throw foreign(folder);
};

const foreign = (path: string): AccessError =>
	new AccessError('what is there is not from vconv, or of another user, and a batch neither believes it nor writes to it', {
		path,
		hint: 'another folder for --state, or removing it, if nobody needs it',
	});
