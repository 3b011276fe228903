import { AccessError } from '../errors.ts';
import { accessError } from './file.ts';
import type { Files } from './files.ts';

/**
 * In bytes: the most that is written by one call. Linux takes memory for a file in pieces as large as the writes; large ones are rarer, and where a host
 * takes free memory back the slowest to get: writes of 1 MiB and more took twice the kernel's time of these.
 */
const PIECE = 256 * 1024;

/** Write all of `bytes`: a full store shows itself first as a short write without an error. */
export const writeFully = (files: Pick<Files, 'write'>, fd: number, bytes: Uint8Array, hostOffset: number, name: string): void => {
	for (let done = 0; done < bytes.byteLength; ) {
		let count: number;
		try {
			count = files.write(fd, bytes, done, Math.min(PIECE, bytes.byteLength - done), hostOffset + done);
		} catch (cause) {
			throw accessError('cannot be written', name, cause, hostOffset + done);
		}
		if (count === 0) throw new AccessError('it takes no more bytes', { path: name, offset: hostOffset + done });
		done += count;
	}
};
