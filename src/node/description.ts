import type { Source } from '../core/source.ts';
import { UnsupportedError } from '../errors.ts';
import { openFile } from './file.ts';

/** No description is larger, in bytes. */
export const LARGEST_DESCRIPTION = 8 << 20;

/** The text of a machine's description, or of a list of its snapshots. @throws UnsupportedError for what is too large to be one. */
export const readDescription = async (source: Source): Promise<Uint8Array> => {
	if (source.size <= LARGEST_DESCRIPTION) return source.read(0, source.size);
	const message = `it has ${source.size} bytes, and no description of a machine has over ${LARGEST_DESCRIPTION}`;
	throw new UnsupportedError(message, { path: source.name, hint: 'vconv convert, if it is a disk' });
};

/** The same from the file of this name. @throws AccessError. */
export const readDescriptionFile = async (name: string): Promise<Uint8Array> => {
	const source = await openFile(name);
	try {
		return await readDescription(source);
	} finally {
		await source.close();
	}
};
