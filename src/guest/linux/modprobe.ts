import type { FileTree } from '../tree.ts';
import { configLines } from './text.ts';

/** More files than anybody has there. */
const MOST_FILES = 64;

/** What is read of them together, in bytes: those of distributions have 20 KiB. */
const LARGEST = 256 << 10;

/** The folders of modprobe.d(5), those that come first before all others of the same name. /run is empty on a disk. */
const FOLDERS = ['/etc/modprobe.d', '/usr/local/lib/modprobe.d', '/usr/lib/modprobe.d', '/lib/modprobe.d'];

/** A line of modprobe's settings; `file` is the name of its file. */
export type ModprobeLine = { readonly line: string; readonly path: string; readonly file: string; readonly number: number };

/** All lines of modprobe's settings, as far as they are read. */
export const modprobeLines = async (tree: FileTree): Promise<readonly ModprobeLine[]> => {
	const paths = new Map<string, string>();
	for (const folder of FOLDERS)
		for (const name of await tree.readdir(folder))
			if (name.endsWith('.conf') && paths.size < MOST_FILES && !paths.has(name)) paths.set(name, `${folder}/${name}`);
	const lines: ModprobeLine[] = [];
	let left = LARGEST;
	for (const [file, path] of paths) {
		const text = (await tree.readText(path)) ?? '';
		left -= text.length;
		if (left < 0) break;
		for (const [line, number] of configLines(text)) lines.push({ line, path, file, number });
	}
	return lines;
};
