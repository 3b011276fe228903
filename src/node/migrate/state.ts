import fs from 'node:fs';
import { OutdatedError } from '../../errors.ts';
import { nodeFiles } from '../files.ts';

/** A disk that is done. */
export type Done = {
	/** What was asked for, and what it was made from. */
	readonly wanted: string;
	/** Its files as they were made, by name: see `versionOf`. */
	readonly files: Readonly<Record<string, string>>;
	/** Guest bytes that were stored, and what they take. */
	readonly data: number;
	readonly stored: number;
	readonly seconds: number;
	/** It was read back and compared with what was read of its source. */
	readonly verified: boolean;
};

/** What is known of a migration, for the run that goes on with it. */
export type State = {
	/** The version of vconv: another may lay images out otherwise. */
	readonly tool: string;
	/** The machine and where it goes. */
	readonly of: string;
	/** By the name of the image. */
	readonly disks: Readonly<Record<string, Done>>;
	/** The files that were being given their names when the run ended, by those names: see `versionOf`. */
	readonly publishing?: Readonly<Record<string, string>> | undefined;
};

/** No state is longer, in bytes. */
const LARGEST = 16 << 20;

/**
 * What an earlier run has noted; undefined if there is nothing. Anybody may have written it, for it lies in a folder of the user's.
 * @param restart whether what makes no sense is nothing.
 * @throws OutdatedError for what no vconv of this version writes.
 */
export const readState = (name: string, restart: boolean): State | undefined => {
	if (nodeFiles.idOf(name) === undefined) return undefined;
	try {
		const state: unknown = JSON.parse(readOwn(name));
		if (isState(state)) return state;
		throw new TypeError('it has other fields');
	} catch (cause) {
		if (restart) return undefined;
		throw new OutdatedError('it is not what vconv notes of a migration', { path: name, cause });
	}
};

const readOwn = (name: string): string => {
	const fd = nodeFiles.open(name);
	try {
		const { own, size } = nodeFiles.state(fd);
		if (!own || size > LARGEST) throw new RangeError('it is no file of ours, or too long');
		return fs.readFileSync(fd, 'utf8');
	} finally {
		nodeFiles.close(fd);
	}
};

/** What a file is and was when it was last written to; a new name makes no difference. Undefined if there is none. */
export const versionOf = (name: string): string | undefined => {
	const stat = fs.lstatSync(name, { bigint: true, throwIfNoEntry: false });
	return stat && `${stat.ino} ${stat.size} ${stat.mtimeNs}`;
};

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
	typeof value === 'object' && value !== null && !Array.isArray(value);

const isState = (value: unknown): value is State => {
	if (!isObject(value)) return false;
	const { tool, of, disks, publishing = {} } = value;
	return (
		typeof tool === 'string' && typeof of === 'string' && isObject(disks) && Object.values(disks).every(isDone) && isVersions(publishing)
	);
};

const isDone = (value: unknown): boolean => {
	if (!isObject(value)) return false;
	const { wanted, files, data, stored, seconds, verified } = value;
	return typeof wanted === 'string' && isVersions(files) && [data, stored, seconds].every(Number.isFinite) && typeof verified === 'boolean';
};

const isVersions = (value: unknown): boolean => isObject(value) && Object.values(value).every((version) => typeof version === 'string');
