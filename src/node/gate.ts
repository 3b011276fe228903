import fs from 'node:fs';
import path from 'node:path';
import { redact } from '../bytes/redact.ts';
import type { OpenOptions } from '../convert/open.ts';
import { type LimitOptions, limitsOf, refuseOver } from '../core/limits.ts';
import type { Note } from '../core/note.ts';
import type { Source } from '../core/source.ts';
import { AccessError } from '../errors.ts';
import { accessError, descriptorOf, openFile } from './file.ts';
import { filesIn } from './folder.ts';
import { isWithin } from './place.ts';

export type GateOptions = Pick<LimitOptions, 'limits'> & {
	/** Folders from which files that an image names may be opened, besides the image's own. */
	readonly allow?: readonly string[] | undefined;
	/** Open nothing that an image names. */
	readonly untrusted?: boolean | undefined;
	/** Where files are that are named by other paths: the user says so, and they may be anywhere. The first that fits counts. */
	readonly pathMap?: readonly PathRule[] | undefined;
};

/** What is named `from`, or is in a folder of that name, is at `to`. */
export type PathRule = { readonly from: string; readonly to: string };

/**
 * The way from a machine's description to its disks: what it names by another path, and is not there, is beside it too.
 * @param note hears of each that was found so.
 */
export const orBeside = (follow: OpenOptions['gate'], description: string, note: (note: Note) => void = () => {}): OpenOptions['gate'] => {
	return async (source, reference) => {
		try {
			return await follow(source, reference);
		} catch (error) {
			const beside = reference.split(/[\\/]|\]\s*/).at(-1) ?? reference;
			if (source.name !== description || beside === reference || !isMissing(error)) throw error;
			const found = await follow(source, beside).catch((reason) => {
				throw isMissing(reason) ? error : reason;
			});
			note({
				kind: 'assumed',
				what: `a disk is ${found.name}`,
				why: `there is no '${reference}', and it has that name`,
				path: description,
			});
			return found;
		}
	};
};

/** Whether a file is not there at all, where one that may not be opened is another matter. */
export const isMissing = (error: unknown): boolean => error instanceof AccessError && error.reason === 'missing';

/**
 * The way from an image to the files that it names: into the image's own folder, and into those the user allowed. An absolute path
 * of another system (`C:\…`) is looked for by its last part beside the image, for that is where a moved chain is.
 */
export const gate =
	({ allow = [], untrusted = false, pathMap = [] }: GateOptions = {}) =>
	async (source: Source, reference: string): Promise<Source> => {
		const refuse = (why: string, hint?: string): never => {
			throw new AccessError(`it names another file, '${redact(reference)}', ${why}`, { path: source.name, hint, reason: 'refused' });
		};
		if (untrusted) refuse('and --untrusted opens none');
		if (reference === '' || reference.includes('\0')) refuse('which is no name');
		const mapped = pathMap.map((rule) => mapPath(reference, rule)).find((name) => name !== undefined);
		if (mapped !== undefined) return openFile(mapped);
		if (/^(json:|[a-z][a-z0-9+.-]+:(?!\\))/i.test(reference) && !/^file:(?!\/\/[^/])/i.test(reference))
			refuse('which is not a plain path', 'a copy that names a plain file');
		// What is not UTF-8 was read as this character: another name, whose file would be another.
		if (reference.includes('\ufffd')) refuse('in what is not UTF-8', 'a name in UTF-8, for the file and in the image');

		const own = fs.realpathSync(path.dirname(source.name));
		const allowed = [own, ...allow.map(realFolder)];
		const found = candidates(reference, own).find((name) => fs.existsSync(name));
		if (found === undefined) {
			throw new AccessError(`it needs another file, '${reference}', which is not there`, {
				path: source.name,
				hint: `putting it beside ${path.basename(source.name)}`,
				reason: 'missing',
			});
		}
		const real = fs.realpathSync(found);
		if (!allowed.some((folder) => isWithin(real, folder))) {
			refuse('outside its own folder', `--allow-external ${path.dirname(real)} if you trust the image`);
		}
		if (!fs.statSync(real).isFile()) refuse('which is not a regular file');
		const name = isWithin(real, process.cwd()) ? path.relative(process.cwd(), real) : real;
		// Whoever puts a link or a device in its place by now, or in the place of a folder on the way, is not followed.
		const opened = await openFile(name, { named: false });
		if (isAt(opened, real)) return opened;
		await opened.close();
		return refuse('and what is under that name changes');
	};

/** Whether an open file is the one of this path; believed where the system does not say. */
const isAt = (source: Source, real: string): boolean => {
	try {
		return fs.readlinkSync(`/proc/self/fd/${descriptorOf(source)}`) === real;
	} catch {
		return true;
	}
};

/** Where a rule says that a file is; undefined if it is not about it. */
const mapPath = (reference: string, { from, to }: PathRule): string | undefined => {
	if (reference === from) return to;
	if (from === '' || !reference.startsWith(from)) return undefined;
	const rest = reference.slice(from.length);
	const isFolder = /[\\/\]]$/.test(from) || /^[\\/ ]/.test(rest);
	return isFolder ? path.join(to, ...rest.trim().split(/[\\/]/)) : undefined;
};

/** @throws AccessError for a folder that the user allowed and that is not there. */
const realFolder = (folder: string): string => {
	try {
		return fs.realpathSync(folder);
	} catch (cause) {
		throw accessError('cannot be opened', folder, cause);
	}
};

/** Where a reference may lead, the likeliest first. Backslashes part folders in what Windows wrote. */
const candidates = (reference: string, own: string): string[] => {
	const windows = /^[a-z]:[\\/]|^\\\\|\\/i.test(reference);
	if (!windows) return [path.resolve(own, reference.replace(/^file:(\/\/)?/i, ''))];
	const parts = reference.split(/[\\/]/).filter((part) => part !== '' && part !== '.');
	const last = parts.at(-1) ?? '';
	const absolute = /^[a-z]:|^\\\\/i.test(reference);
	const paths = absolute || process.platform === 'win32' ? [] : [path.resolve(own, ...parts)];
	return [path.resolve(own, reference), ...paths, path.join(own, last)];
};

/**
 * The other files with one of these extensions in an image's folder and in those the user allowed, each opened, the taker's to close: for
 * parents that are known by an id and no name. Symbolic links and whatever cannot be opened are passed over; --untrusted finds none.
 */
export const siblings = (extensions: readonly string[], { allow = [], untrusted = false, limits }: GateOptions = {}) =>
	async function* (source: Source): AsyncGenerator<Source> {
		if (untrusted) return;
		const folders = new Map([path.dirname(source.name), ...allow].map((folder) => [realFolder(folder), folder]));
		const files = [...folders.values()]
			.flatMap(filesIn)
			.filter((name) => extensions.includes(path.extname(name).slice(1).toLowerCase()))
			.filter((name) => path.resolve(name) !== path.resolve(source.name));
		refuseOver('folder-files', files.length, source.name, limitsOf({ limits }));
		for (const name of files) {
			const found = await openFile(name).catch((error: unknown) => {
				if (!(error instanceof AccessError)) throw error;
			});
			if (found) yield found;
		}
	};
