import fs from 'node:fs';
import path from 'node:path';
import type { DiskFormat } from '../../core/format.ts';
import { UnrecognizedError, UnsupportedError } from '../../errors.ts';
import { accessError } from '../file.ts';
import { withoutParts } from '../image-files.ts';
import { isFolder, refuseLink, type Trust } from '../links.ts';
import { placeOf, realOf } from '../place.ts';
import type { KnownFormats } from './description.ts';
import { machineIn } from './gather.ts';

/** One machine, by its description or by the images that are its disks. */
export type Subject = readonly [string, ...string[]];

export type Known = KnownFormats & Trust;

/** Folders with more machines than this are refused, and so are those with more images. */
const MOST = 4096;

/**
 * The machines that names on a command line stand for: each description is one, images are the disks of one together. A folder is the
 * machines that are described in it or in the folders in it; one in which nothing is described is its images, each a machine's only disk.
 * What several names lead to is one machine, by the first of them.
 * @throws UnrecognizedError for a folder with none of these, AccessError, UnsupportedError for too many.
 */
export const subjectsIn = async (names: readonly string[], known: Known): Promise<readonly Subject[]> => {
	const subjects: Subject[] = [];
	const images: string[] = [];
	for (const name of names) {
		if (isFolder(name)) for (const subject of await inFolder(name, names, known)) subjects.push(subject);
		else if (await isDescription(name, known)) subjects.push([name]);
		else images.push(name);
	}
	const [first, ...rest] = images;
	if (first !== undefined) subjects.push([first, ...rest]);
	const seen = new Set<string>();
	return subjects.filter((subject) => {
		const files = subject.map(known.untrusted ? placeOf : realOf).join('\0');
		return !seen.has(files) && seen.add(files);
	});
};

const inFolder = async (folder: string, names: readonly string[], known: Known): Promise<readonly Subject[]> => {
	const own = entries(folder);
	const folders = own.filter((entry) => entry.isDirectory() && !/^\.|\.lck$/.test(entry.name)).map(({ name }) => path.join(folder, name));
	const found: Subject[] = [];
	for (const place of [folder, ...folders]) {
		const files = filesOf(place === folder ? own : entries(place), place);
		const described: string[] = [];
		for (const file of files) if (await describes(file, names, known)) described.push(file);
		for (const file of described.length > 0 ? described : imagesAmong(files, known.opening.formats)) found.push([file]);
		if (found.length > MOST)
			throw new UnsupportedError(`it holds more than ${MOST} machines`, { path: folder, hint: 'its folders, one by one' });
	}
	if (found.length === 0) {
		throw new UnrecognizedError('there is neither a machine nor an image in it', {
			path: folder,
			hint: 'the folder with the .vmx or .xml',
		});
	}
	return found;
};

const entries = (folder: string): readonly fs.Dirent[] => {
	try {
		return fs.readdirSync(folder, { withFileTypes: true }).toSorted((a, b) => (a.name < b.name ? -1 : 1));
	} catch (cause) {
		throw accessError('cannot be listed', folder, cause);
	}
};

/** Links that lead nowhere are among them: they are to be said so. */
const filesOf = (found: readonly fs.Dirent[], folder: string): readonly string[] =>
	found
		.map((entry) => ({ entry, file: path.join(folder, entry.name) }))
		.filter(({ entry, file }) => entry.isFile() || (entry.isSymbolicLink() && !leadsToFolder(file)))
		.map(({ file }) => file);

const leadsToFolder = (link: string): boolean => {
	try {
		return fs.statSync(link).isDirectory();
	} catch {
		return false;
	}
};

const isRefused = (...link: Parameters<typeof refuseLink>): boolean => {
	try {
		refuseLink(...link);
		return false;
	} catch {
		return true;
	}
};

const extensionOf = (file: string): string => path.extname(file).slice(1).toLowerCase();

/** Of a named file, what it holds counts too; why it cannot be read is to be said when it is looked at. */
const isDescription = async (file: string, known: Known): Promise<boolean> => {
	if (known.machineFormats.some(({ extensions }) => extensions.includes(extensionOf(file)))) return true;
	return (await machineIn(file, known).catch(() => undefined)) !== undefined;
};

/** Whether a file is a description, or by its name must be one. What is broken or cannot be read is: it is to be said so. */
const describes = async (file: string, names: readonly string[], known: Known): Promise<boolean> => {
	const format = known.machineFormats.find(({ extensions }) => extensions.includes(extensionOf(file)));
	if (!format?.sharesExtensions) return format !== undefined;
	if (isRefused(file, names, known)) return true;
	try {
		return (await machineIn(file, known)) !== undefined;
	} catch {
		return true;
	}
};

const imagesAmong = (files: readonly string[], formats: readonly DiskFormat[]): readonly string[] =>
	withoutParts(
		files.filter((file) => formats.some(({ extensions }) => extensions.includes(extensionOf(file)))),
		formats,
	);
