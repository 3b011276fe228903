import fs from 'node:fs';
import path from 'node:path';
import { diskFormats } from '../../../formats/index.ts';
import { machineFormats } from '../../../formats/machines.ts';
import type { Check } from '../../batch/check.ts';
import type { Found, Surroundings } from '../../batch/expand.ts';
import { globMatch, globRoot, isGlob } from '../../batch/glob.ts';
import type { JobKind } from '../../batch/kinds.ts';
import type { Note } from '../../core/note.ts';
import { AccessError, UsageError, VconvError } from '../../errors.ts';
import { LARGEST_DESCRIPTION } from '../description.ts';
import { accessError, statOf } from '../file.ts';
import { withoutParts } from '../image-files.ts';
import { refuseLink, type Trust } from '../links.ts';
import { placeOf, realOf } from '../place.ts';
import { jobId } from './identity.ts';
import { saidBy } from './said.ts';

/** Extensions of machines of which vconv knows no more. */
const FOREIGN_EXTENSIONS = ['ovf', 'ova', 'vbox'];

/** Files that are passed over and named. */
const SHOWN = 5;

/** Folders with more files than this below a pattern are refused. */
const MAX_FILES = 1_000_000;

/**
 * How the entries of a plan find their files: names are from `folder`.
 * @param note hears of files that are passed over.
 * @param written names of files that the batch has written itself: in a folder, or where a pattern finds them, they are no sources.
 */
export const surroundings = (
	folder: string,
	check: Check,
	note: (note: Note) => void,
	written: ReadonlySet<string> = new Set(),
): Surroundings => ({
	check,
	resolve: (name) => slashed(path.resolve(folder, name)),
	place: (name) => slashed(placeOf(name)),
	real: (name) => slashed(realOf(name)),
	id: jobId,
	find(name, source, argv) {
		const said = saidBy({ argv });
		try {
			return find(name, source, { allow: said.texts('allow-external'), untrusted: said.has('untrusted') }, note, written);
		} catch (error) {
			if (!(error instanceof VconvError)) throw error;
			const { message, path: at = name, hint } = error;
			const isRefused = error instanceof AccessError && error.reason === 'refused';
			const failure = {
				message: at === name ? message : `${at}: ${message}`,
				hint: isRefused ? 'a job of its own for the file that it leads to, or allow-external in a plan' : hint,
			};
			return { root: name, files: [], failure };
		}
	},
});

const find = (name: string, source: JobKind['source'], trust: Trust, note: (note: Note) => void, written: ReadonlySet<string>): Found => {
	const notOurs = (files: readonly string[]): readonly string[] => {
		const isOurs = (file: string): boolean => written.has(path.normalize(file));
		const ours = files.filter(isOurs);
		if (ours.length === 0) return files;
		note({ kind: 'dropped', what: passedOver(ours), why: 'the batch has written it itself', path: name });
		return files.filter((file) => !isOurs(file));
	};
	if (fs.existsSync(name) || !isGlob(name)) {
		if (!statOf(name)?.isDirectory()) return { root: slashed(path.dirname(name)), files: [name] };
		const files = notOurs(filesBelow(name, 0));
		return foundIn(name, source === 'disk' ? disksAmong(files) : machinesAmong(files, name, note), trust);
	}
	const root = globRoot(name);
	const depth = name.includes('**') ? Number.POSITIVE_INFINITY : name.slice(root.length + 1).split('/').length - 1;
	const files = withoutParts(notOurs(filesBelow(root, depth).filter((file) => globMatch(name, file))), diskFormats);
	return foundIn(root, files, trust);
};

/** @throws AccessError for a link out of the folder, with which whoever may put it there would choose what is read. */
const foundIn = (root: string, files: readonly string[], trust: Trust): Found => {
	for (const file of files) refuseLink(file, [root], trust);
	return { root, files };
};

const slashed = (name: string): string => (path.sep === '\\' ? name.replaceAll('\\', '/') : name);

const extensionOf = (file: string): string => path.extname(file).slice(1).toLowerCase();

/** Of the files of a folder, those that are images: by their extensions, for a folder may hold anything. */
const disksAmong = (files: readonly string[]): readonly string[] =>
	withoutParts(
		files.filter((file) => diskFormats.some(({ extensions }) => extensions.includes(extensionOf(file)))),
		diskFormats,
	);

/** Of the files of a folder, those that describe machines. */
const machinesAmong = (files: readonly string[], folder: string, note: (note: Note) => void): readonly string[] => {
	const known = machineFormats.flatMap(({ extensions }) => extensions);
	const named = files.filter((file) => [...known, ...FOREIGN_EXTENSIONS].includes(extensionOf(file)));
	const machines = new Set(named.filter(describes));
	const others = named.filter((file) => !machines.has(file));
	if (others.length > 0) {
		note({
			kind: 'dropped',
			what: passedOver(others),
			why: `what they hold is no ${machineFormats.map(({ name }) => name).join(', and no ')}`,
			path: folder,
		});
	}
	return [...machines];
};

const passedOver = (files: readonly string[]): string => {
	const more = files.length > SHOWN ? ` and ${files.length - SHOWN} more` : '';
	return `passed over: ${files
		.slice(0, SHOWN)
		.map((file) => path.basename(file))
		.join(', ')}${more}`;
};

/** Whether a file that is called so is a description. A damaged one is, and one that cannot be read: its job is to say so. */
const describes = (file: string): boolean => {
	const isNamed = machineFormats.some(({ extensions }) => extensions.includes(extensionOf(file)));
	if (!isNamed || (statOf(file)?.size ?? 0) > LARGEST_DESCRIPTION) return false;
	try {
		const bytes = fs.readFileSync(file);
		return machineFormats.some(({ probe }) => probe(bytes));
	} catch {
		return true;
	}
};

/** The plain files of a folder and of those in it to a depth, by name. Hidden folders and symbolic links to folders are not entered. */
const filesBelow = (folder: string, depth: number): string[] => {
	const files: string[] = [];
	const walk = (at: string, left: number): void => {
		let entries: fs.Dirent[];
		try {
			entries = fs.readdirSync(at, { withFileTypes: true });
		} catch (cause) {
			throw accessError('cannot be listed', at, cause);
		}
		for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
			const name = at === '/' ? `/${entry.name}` : `${at}/${entry.name}`;
			if (entry.isDirectory() && left > 0 && !entry.name.startsWith('.')) walk(name, left - 1);
			else if (entry.isFile() || (entry.isSymbolicLink() && statOf(name)?.isFile())) files.push(name);
			if (files.length > MAX_FILES) {
				throw new UsageError(`it holds over ${MAX_FILES} files`, { path: folder, hint: 'a narrower pattern' });
			}
		}
	};
	walk(folder, depth);
	return files;
};
