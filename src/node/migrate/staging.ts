import fs from 'node:fs';
import path from 'node:path';
import { AccessError, BusyError, VconvError } from '../../errors.ts';
import { accessError } from '../file.ts';
import { nodeFiles } from '../files.ts';
import { makeFolders } from '../folder.ts';
import { refuseReplacingUsed } from '../inuse.ts';
import { VERSION } from '../version.ts';
import { writeWhole } from '../write-whole.ts';
import { type Done, readState, type State, versionOf } from './state.ts';

/** The folder in which a machine is built, within the one that it goes to. */
const STAGING = '.vconv-migration';
const STATE = 'state.json';
const LOCK = 'lock';

/** Small files are written anew by each run, over those of an earlier one. */
const ANEW = { force: true, restart: true, keepPartial: false };

export type Staging = {
	readonly folder: string;
	/** The path of a file until it has its name. */
	path(name: string): string;
	/** A disk that an earlier run has done, if it is what is wanted now and nobody has touched it since. */
	done(name: string, wanted: string): Done | undefined;
	/** Remember that a disk is done. */
	remember(name: string, files: readonly string[], done: Omit<Done, 'files'>): Promise<void>;
	/** Write a small file. */
	write(name: string, text: string): Promise<void>;
	remove(names: readonly string[]): void;
	/** Bytes on the disk already. */
	held(): number;
	/** Give all of them their names, the last one last: it is what makes a machine of the others. The staging is over then. */
	publish(names: readonly string[]): Promise<void>;
	/** End without names. @returns whether there is anything that another run can go on with. */
	leave(): boolean;
};

export type StagingOptions = { readonly force?: boolean | undefined; readonly restart?: boolean | undefined };

/** What is built. */
export type Build = {
	/** The machine and where it goes, in words that are the same when that is. */
	readonly of: string;
	/** The names that its files will have. */
	readonly names: readonly string[];
};

/**
 * The folder in which a machine is built: what an interrupted run has left there is taken up.
 * @throws BusyError if another run builds it; AccessError if a name is taken and `force` is not set, or a machine that runs has it open, or
 * the folder cannot be written;
 * CorruptError if what was left makes no sense and `restart` is not set. What was left is as it was then.
 */
export const openStaging = async (
	folder: string,
	{ of, names }: Build,
	{ force = false, restart = false }: StagingOptions,
): Promise<Staging> => {
	const made = makeFolder(folder);
	const staging = path.join(folder, STAGING);
	const at = (name: string): string => path.join(staging, name);
	const final = (name: string): string => path.join(folder, name);
	const lock = await takeLock(folder, at(LOCK));
	let ended = false;

	const unlock = (): void => {
		ended = true;
		nodeFiles.close(lock);
	};
	/** Remove the staging. What is known of it goes after what it is known of, so that an interrupted removal can be gone on with. */
	const discard = (): void => {
		for (const name of fs.readdirSync(staging)) if (name !== LOCK && name !== STATE) fs.rmSync(at(name), { recursive: true });
		nodeFiles.remove(at(STATE));
		fs.rmSync(staging, { recursive: true });
		unlock();
	};

	const refuse = force ? refuseReplacingUsed : refuseTaken;

	let state: State = { tool: VERSION, of, disks: {} };
	const save = async (next: State): Promise<void> => {
		await writeWhole(at(STATE), JSON.stringify(next), ANEW);
		state = next;
	};
	const leave = (): boolean => {
		if (ended) return false;
		const found = fs.readdirSync(staging).some((name) => name !== LOCK && name !== STATE);
		if (found) unlock();
		else {
			discard();
			for (const name of made) fs.rmdirSync(name);
		}
		return found;
	};

	try {
		const found = readState(at(STATE), restart);
		if (found && !restart) refuseOther(folder, found, { of, names });
		const isGiven = (name: string): boolean => isStill(final(name), found?.publishing?.[name]);
		for (const name of names) if (!isGiven(name)) refuse(final(name));
		for (const name of names) if (isGiven(name)) takeBack(at(name), final(name));
		if (found?.tool === state.tool && !restart) state = { tool: found.tool, of, disks: found.disks };
		else {
			for (const name of fs.readdirSync(staging)) if (name !== LOCK) fs.rmSync(at(name), { recursive: true });
			await save(state);
		}
	} catch (error) {
		if (nodeFiles.idOf(at(STATE)) === undefined) leave();
		else unlock();
		throw error instanceof VconvError ? error : accessError('cannot be written', staging, error);
	}

	return {
		folder: staging,
		path: at,
		done(name, wanted) {
			const known = Object.hasOwn(state.disks, name) ? state.disks[name] : undefined;
			if (known?.wanted !== wanted) return undefined;
			const isWhole =
				Object.hasOwn(known.files, name) && Object.entries(known.files).every(([file, version]) => isStill(at(file), version));
			return isWhole ? known : undefined;
		},
		async remember(name, files, done) {
			const versions = Object.fromEntries(files.map((file) => [file, versionOf(at(file)) ?? '']));
			await save({ ...state, disks: { ...state.disks, [name]: { ...done, files: versions } } });
		},
		write: (name, text) => writeWhole(at(name), text, ANEW),
		remove(given) {
			for (const name of given) nodeFiles.remove(at(name));
		},
		held: () => fs.readdirSync(staging).reduce((sum, name) => sum + (fs.lstatSync(at(name)).blocks ?? 0) * 512, 0),
		async publish(given) {
			for (const name of given) refuse(final(name));
			const versions = Object.fromEntries(given.map((name) => [name, versionOf(at(name)) ?? '']));
			await save({ ...state, publishing: versions });
			const last = given.at(-1);
			try {
				for (const name of given) {
					// Whoever sees the description finds all that it names.
					if (name === last) nodeFiles.fsyncFolder(folder);
					give(at(name), final(name), force);
				}
				nodeFiles.fsyncFolder(folder);
			} catch (error) {
				for (const name of given) if (isStill(final(name), versions[name])) takeBack(at(name), final(name));
				throw error instanceof VconvError ? error : accessError('cannot be given its names', folder, error);
			}
			discard();
		},
		leave,
	};
};

/** @throws AccessError if what was interrupted is not what is to be done, or was giving other names: those are not this run's to take back. */
const refuseOther = (folder: string, found: State, { of, names }: Build): void => {
	const hint = 'finishing that first, another folder, or --restart to give it up';
	if (found.of !== of) throw new AccessError(`the migration of another machine was interrupted in it: ${found.of}`, { path: folder, hint });
	const other = Object.keys(found.publishing ?? {}).find((name) => !names.includes(name));
	if (other === undefined) return;
	throw new AccessError(`a migration with other options was interrupted in it while it gave names, '${other}' among them`, {
		path: folder,
		hint,
	});
};

/** Make a folder with all above it. @returns those that were made, the lowest first. */
const makeFolder = (folder: string): readonly string[] => {
	try {
		return makeFolders(path.resolve(folder));
	} catch (cause) {
		throw accessError('cannot be made', folder, cause);
	}
};

/** Make the staging and lock it. Whoever had the lock may have removed it when it was done: then it is none. */
const takeLock = async (folder: string, name: string): Promise<number> => {
	try {
		for (let tries = 0; tries < 10; tries++) {
			fs.mkdirSync(path.dirname(name), { recursive: true, mode: 0o700 });
			refuseForeign(path.dirname(name));
			const fd = await nodeFiles.openLocked(name);
			if (fd === undefined) break;
			if (nodeFiles.idOf(name) === nodeFiles.state(fd).id) return fd;
			nodeFiles.close(fd);
		}
	} catch (cause) {
		throw cause instanceof VconvError ? cause : accessError('cannot be written', path.dirname(name), cause);
	}
	throw new BusyError('another run of vconv builds a machine in it', { path: folder, hint: 'again when that is done' });
};

const refuseForeign = (staging: string): void => {
	const stat = fs.lstatSync(staging);
	if (stat.isDirectory() && (process.geteuid === undefined || stat.uid === process.geteuid())) return;
	throw new AccessError('something that is not from vconv, or of another user, has the name of its folder', {
		path: staging,
		hint: 'removing it, if nobody needs it',
	});
};

const refuseTaken = (name: string): void => {
	if (nodeFiles.idOf(name) === undefined) return;
	throw new AccessError('it exists already', { path: name, hint: 'a folder of its own for the machine, or --force to replace it' });
};

/** Whether a file is there, and the very one that was noted. */
const isStill = (name: string, version: string | undefined): boolean => version !== undefined && versionOf(name) === version;

/** A second name first, so that nothing is replaced unasked, whoever else is at work; file systems without such names rename. */
const give = (from: string, to: string, force: boolean): void => {
	try {
		if (force) nodeFiles.rename(from, to);
		else nodeFiles.link(from, to);
	} catch (error) {
		if (force) throw error;
		const { code } = error as NodeJS.ErrnoException;
		if (code === 'EEXIST' || nodeFiles.idOf(to) !== undefined) refuseTaken(to);
		nodeFiles.rename(from, to);
	}
};

/** Undo what `give` did. */
const takeBack = (from: string, to: string): void => {
	const staged = nodeFiles.idOf(from);
	if (staged === undefined) nodeFiles.rename(to, from);
	else if (staged === nodeFiles.idOf(to)) nodeFiles.remove(to);
};
