import { UnsupportedError } from '../../../errors.ts';
import type { FileTree } from '../../tree.ts';

/** More files in one folder are not looked at. */
const MOST = 256;

/** What all files of one folder may have together, in bytes, where nothing else is said. */
const LARGEST_FOLDER = 1 << 20;

/**
 * The paths of the files in a folder whose names match, in order.
 * @throws UnsupportedError if they are larger than any settings of a network.
 */
export const networkFiles = async (tree: FileTree, folder: string, name: RegExp, largest = LARGEST_FOLDER): Promise<readonly string[]> => {
	const names = (await tree.readdir(folder)).filter((file) => name.test(file)).sort();
	const paths = names.slice(0, MOST).map((file) => `${folder}/${file}`);
	let size = 0;
	for (const path of paths) {
		size += (await tree.stat(path))?.node.size ?? 0;
		if (size > largest)
			throw new UnsupportedError(`the settings of the network there have more than ${largest} bytes, and no more are read`, {
				path: folder,
			});
	}
	return paths;
};

/** Lower case with colons; undefined for what is no MAC address: `permanent`, a pattern. */
export const normalMac = (text: string | undefined): string | undefined => {
	const mac = text?.trim().toLowerCase().replaceAll('-', ':');
	return mac !== undefined && /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/.test(mac) ? mac : undefined;
};
