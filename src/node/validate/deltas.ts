import path from 'node:path';
import type { OpenOptions } from '../../convert/open.ts';
import { surveyImages } from '../../convert/survey.ts';
import { VconvError } from '../../errors.ts';
import { openFile } from '../file.ts';
import { filesIn } from '../folder.ts';
import { realOf } from '../place.ts';

/** Folders with more files that may be images are stores of many machines, and not looked through. */
const MOST = 256;

/** The images in the folder of a machine's image that are deltas of it: the machine may be meant to have one of them. */
export const deltasOf = async (image: string, opening: OpenOptions): Promise<readonly string[]> => {
	const extensions = opening.formats.flatMap((format) => format.extensions);
	try {
		const names = filesIn(path.dirname(image)).filter((name) => extensions.includes(path.extname(name).slice(1).toLowerCase()));
		if (names.length < 2 || names.length > MOST) return [];
		const { images } = await surveyImages(names, { ...opening, note() {}, open: openFile });
		const here = realOf(image);
		return images.flatMap(({ name, link }) => (link.kind === 'parent' && realOf(link.parent) === here ? [name] : []));
	} catch (error) {
		// What other files are is none of this machine's concern.
		if (error instanceof VconvError) return [];
		throw error;
	}
};
