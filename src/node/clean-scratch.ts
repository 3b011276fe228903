import fs from 'node:fs';
import path from 'node:path';
import { nodeFiles } from './files.ts';
import type { CleanOptions, Leftover } from './leftover.ts';
import { removeFolder, SCRATCH, SCRATCH_LOCK } from './scratch.ts';

/** The names of what a spool holds: an image from standard input, and one for standard output with its partial file and journal. */
const SPOOLED = /^(stdin|\.?stdout(\..*)?)$/;

/** The folders that spools of killed runs may have left in a folder; links are none. */
export const scratchFolders = (folder: string): string[] =>
	fs
		.readdirSync(folder, { withFileTypes: true })
		.filter((entry) => entry.isDirectory() && entry.name.startsWith(SCRATCH))
		.map(({ name }) => path.join(folder, name))
		.sort();

/** Remove one that no process has locked. Undefined for what is not vconv's: another user's, or with anything in it that no spool has. */
export const cleanScratch = async (name: string, { before, dryRun }: CleanOptions): Promise<Leftover | undefined> => {
	const folder = fs.lstatSync(name);
	if (process.geteuid && folder.uid !== process.geteuid()) return undefined;
	const entries = fs.readdirSync(name, { withFileTypes: true });
	const known = entries.every((entry) => entry.isFile() && (entry.name === SCRATCH_LOCK || SPOOLED.test(entry.name)));
	if (!known || !entries.some((entry) => entry.name === SCRATCH_LOCK)) return undefined;
	const stats = entries.map((entry) => fs.lstatSync(path.join(name, entry.name)));
	const size = stats.reduce((sum, stat) => sum + stat.blocks * 512, 0);
	const modified = new Date(Math.max(folder.mtimeMs, ...stats.map(({ mtimeMs }) => mtimeMs)));
	const leftover = { name, size, modified };
	const fd = await nodeFiles.openLocked(path.join(name, SCRATCH_LOCK));
	if (fd === undefined) return { ...leftover, state: 'busy' };
	try {
		if (!nodeFiles.state(fd).own) return undefined;
		if (before && modified >= before) return { ...leftover, state: 'young' };
	} finally {
		// Its name is random: nobody takes it up again, and Windows removes nothing that is open.
		nodeFiles.close(fd);
	}
	if (!dryRun) await removeFolder(name);
	return { ...leftover, state: 'removed' };
};
