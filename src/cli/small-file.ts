import fs from 'node:fs';
import { humanSize } from '../bytes/size.ts';
import { UsageError } from '../errors.ts';
import { accessError } from '../node/file.ts';

/** No file that an option names is larger, in bytes. */
const MOST = 16 << 20;

/**
 * The whole of a file, or a pipe, that an option names.
 * @param option for messages.
 * @param hint what is to be given instead of what is too large.
 * @throws AccessError; UsageError for what is larger than 16 MiB, of which no more is read.
 */
export const readSmallFile = (name: string, option: string, hint: string): Uint8Array => {
	// One more, which tells what is too large from what just fits; a pipe does not say its size.
	const bytes = Buffer.allocUnsafeSlow(MOST + 1);
	let length = 0;
	try {
		const fd = fs.openSync(name, 'r');
		try {
			for (let count = -1; count !== 0; length += count) count = fs.readSync(fd, bytes, length, bytes.length - length, null);
		} finally {
			fs.closeSync(fd);
		}
	} catch (cause) {
		throw accessError('cannot be read', name, cause);
	}
	if (length > MOST)
		throw new UsageError(`it has more than ${humanSize(MOST)}, the most that a file for ${option} has`, { path: name, hint });
	return bytes.subarray(0, length);
};

/** The same, of a text. */
export const readSmallText = (name: string, option: string, hint: string): string =>
	new TextDecoder().decode(readSmallFile(name, option, hint));
