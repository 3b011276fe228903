import fs from 'node:fs';
import path from 'node:path';
import { diskFormats } from '../../../formats/index.ts';
import type { Surroundings } from '../../batch/expand.ts';
import { globMatch, globRoot, isGlob } from '../../batch/glob.ts';
import { UsageError } from '../../errors.ts';
import { accessError, statOf } from '../file.ts';
import { jobId } from './identity.ts';

/** Names of files that describe machines. */
const MACHINE_EXTENSIONS = ['vmx', 'ovf', 'ova', 'vbox', 'xml'];

/** Extensions of raw disks, besides those of the formats. */
const RAW_EXTENSIONS = ['img', 'dd', 'ima', 'bin'];

/** Folders with more files than this below a pattern are refused. */
const MAX_FILES = 1_000_000;

/** How the entries of a plan find their files: names are from `folder`. */
export const surroundings = (folder: string): Surroundings => ({
	resolve: (name) => slashed(path.resolve(folder, name)),
	id: jobId,
	find(name, source) {
		if (fs.existsSync(name) || !isGlob(name)) {
			if (!statOf(name)?.isDirectory()) return { root: slashed(path.dirname(name)), files: [name] };
			const files = filesBelow(name, 0).filter((file) => isSource(file, source));
			return { root: name, files };
		}
		const root = globRoot(name);
		const depth = name.includes('**') ? Number.POSITIVE_INFINITY : name.slice(root.length + 1).split('/').length - 1;
		const files = filesBelow(root, depth).filter((file) => globMatch(name, file) && !isPart(file));
		return { root, files };
	},
});

const slashed = (name: string): string => (path.sep === '\\' ? name.replaceAll('\\', '/') : name);

/** Whether a file of a folder is one to take: by its extension, for a folder may hold anything. */
const isSource = (file: string, source: 'disk' | 'machine'): boolean => {
	const extension = path.extname(file).slice(1).toLowerCase();
	if (source === 'machine') return MACHINE_EXTENSIONS.includes(extension);
	const known = [...diskFormats.flatMap(({ extensions }) => extensions), ...RAW_EXTENSIONS];
	return known.includes(extension) && !isPart(file);
};

/** Whether a file is a part of an image, as an extent file is: its descriptor is the one to read. */
const isPart = (file: string): boolean => diskFormats.some(({ partOf }) => partOf?.(path.basename(file)));

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
