import fs from 'node:fs';
import { BusyError } from '../../errors.ts';
import { accessError } from '../file.ts';
import { openLocked, unlock } from '../lock.ts';

/** A lock that is held. */
export type FolderLock = {
	/** Given to children, it keeps the lock until the last of them has gone, whatever becomes of us: it is one of the open file. */
	readonly fd: number;
	release(): void;
};

/**
 * Take the lock file of this name, for this process and those it gives the descriptor to.
 * @throws BusyError if another holds it, AccessError.
 */
export const takeLock = async (name: string): Promise<FolderLock> => {
	const fd = await openLocked(name).catch((cause: unknown) => {
		throw accessError('cannot be locked', name, cause);
	});
	if (fd === undefined) {
		throw new BusyError('another batch is at work here', { path: name, hint: 'again when it has ended, or another --state folder' });
	}
	return {
		fd,
		release() {
			unlock(fd);
			fs.closeSync(fd);
		},
	};
};
