import type { FileTree } from '../../tree.ts';

/** More files in one folder are not looked at. */
const MOST = 256;

/** The paths of the files in a folder whose names match, in order. */
export const networkFiles = async (tree: FileTree, folder: string, name: RegExp): Promise<readonly string[]> =>
	(await tree.readdir(folder))
		.filter((file) => name.test(file))
		.sort()
		.slice(0, MOST)
		.map((file) => `${folder}/${file}`);

/** Lower case with colons; undefined for what is no MAC address: `permanent`, a pattern. */
export const normalMac = (text: string | undefined): string | undefined => {
	const mac = text?.trim().toLowerCase().replaceAll('-', ':');
	return mac !== undefined && /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/.test(mac) ? mac : undefined;
};
