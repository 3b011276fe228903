import fs from 'node:fs';
import path from 'node:path';
import type { FileIdentity } from '../../batch/journal.ts';
import { newSha256 } from '../sha256.ts';
import { freeSpace } from '../target.ts';

/** What a file is and was at this moment; undefined if there is none, or it may not be looked at. */
export const identify = (name: string): FileIdentity | undefined => {
	const stat = lookAt(name);
	return stat && { path: name, id: `${stat.dev}:${stat.ino}:${stat.size}:${stat.mtimeNs}` };
};

/** Whether it is the same file, though perhaps with other contents. */
export const isSameFile = (a: FileIdentity, b: FileIdentity): boolean => placeOf(a) === placeOf(b);

/** Whether a file is shorter than it was: no guest makes it so. */
export const isCut = (now: FileIdentity, before: FileIdentity): boolean => lengthOf(now) < lengthOf(before);

const lengthOf = ({ id }: FileIdentity): number => Number(id.split(':')[2]);

const placeOf = ({ id }: FileIdentity): string => id.split(':').slice(0, 2).join(':');

/** The file system that holds a file, or would hold it. */
export const deviceOf = (name: string): string | undefined => lookAt(nearest(name))?.dev.toString();

/** Free bytes there; undefined where the system does not say. */
export const freeSpaceFor = (name: string): number | undefined => freeSpace(path.join(nearest(path.dirname(name)), 'x'));

/** The name itself, or the lowest folder above it that exists. */
export const nearest = (name: string): string => {
	let at = path.resolve(name);
	while (!lookAt(at) && at !== path.dirname(at)) at = path.dirname(at);
	return at;
};

/** Bytes that a file takes on its disk; of a folder those of the files in it. */
export const usageOf = (name: string): number => {
	const stat = lookAt(name);
	if (!stat?.isDirectory()) return stat ? (process.platform === 'win32' ? Number(stat.size) : Number(stat.blocks) * 512) : 0;
	return fs.readdirSync(name, { withFileTypes: true, recursive: true }).reduce((sum, entry) => {
		return entry.isFile() ? sum + usageOf(`${entry.parentPath}/${entry.name}`) : sum;
	}, 0);
};

/** The id of a job: the first 64 bits of the SHA-256 of its words, as hex. */
export const jobId = (argv: readonly string[]): string => newSha256().update(JSON.stringify(argv)).digest('hex').slice(0, 16);

const lookAt = (name: string): fs.BigIntStats | undefined => {
	try {
		return fs.statSync(name, { bigint: true });
	} catch {
		return undefined;
	}
};
