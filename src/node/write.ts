import { AccessError } from '../errors.ts';
import { accessError } from './file.ts';
import type { Files } from './files.ts';

/** Write all of `bytes`: a full store shows itself first as a short write without an error. */
export const writeFully = (files: Pick<Files, 'write'>, fd: number, bytes: Uint8Array, hostOffset: number, name: string): void => {
	for (let done = 0; done < bytes.byteLength; ) {
		let count: number;
		try {
			count = files.write(fd, bytes, done, bytes.byteLength - done, hostOffset + done);
		} catch (cause) {
			throw accessError('cannot be written', name, cause, hostOffset + done);
		}
		if (count === 0) throw new AccessError('it takes no more bytes', { path: name, offset: hostOffset + done });
		done += count;
	}
};
