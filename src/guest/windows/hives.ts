import { CorruptError } from '../../errors.ts';
import type { HiveFile } from '../registry/file.ts';
import { type Hive, openHive } from '../registry/hive.ts';
import type { Key } from '../registry/keys.ts';
import type { FileTree } from '../tree.ts';

/** What Windows' folder may be called, and where ReactOS and NT 4 have theirs. */
const FOLDERS = ['Windows', 'WINNT', 'Win32', 'Win', 'ReactOS'];

/** The folder of a Windows that is on this volume, from its root; undefined if there is none. */
export const findWindows = async (tree: FileTree): Promise<string | undefined> => {
	for (const folder of FOLDERS) {
		const path = `/${folder}`;
		if ((await tree.isFile(`${path}/System32/config/SYSTEM`)) && (await tree.isDirectory(`${path}/System32/drivers`))) return path;
	}
	return undefined;
};

/**
 * A hive among the files of a Windows, with its logs; undefined if there is no such file.
 * @param name `SYSTEM`.
 */
export const openSystemHive = async (tree: FileTree, windows: string, name: string): Promise<Hive | undefined> => {
	const path = `${windows}/System32/config/${name}`;
	const file = await openFile(tree, path);
	if (!file) return undefined;
	const logs = [await openFile(tree, `${path}.LOG1`), await openFile(tree, `${path}.LOG2`)];
	return openHive(
		file,
		logs.filter((log) => log !== undefined),
	);
};

const openFile = async (tree: FileTree, path: string): Promise<HiveFile | undefined> => {
	const found = await tree.stat(path);
	if (found?.node.kind !== 'file') return undefined;
	const { fileSystem, node } = found;
	return { name: path, size: node.size, read: (offset, length) => fileSystem.read(node, offset, length) };
};

/** What all facts of a Windows are read from. */
export type Registry = {
	/** The root of SYSTEM. */
	readonly system: Key;
	/** The one of its control sets that Windows starts with. */
	readonly controlSet: Key;
	/** The root of SOFTWARE; undefined where that could not be opened. */
	readonly software: Key | undefined;
};

/** @throws CorruptError if SYSTEM does not say which of its control sets is the current one. */
export const currentControlSet = async (system: Key): Promise<Key> => {
	const current = await (await system.key('Select'))?.number('Current');
	const found = current === undefined ? undefined : await system.key(`ControlSet${String(current).padStart(3, '0')}`);
	if (!found) throw new CorruptError('SYSTEM does not name its current control set', { field: 'Select\\Current' });
	return found;
};

/** A text, wherever beneath a key. */
export const textAt = async (key: Key | undefined, path: string, name: string): Promise<string | undefined> =>
	(await key?.key(path))?.text(name);

/** A DWORD, wherever beneath a key. */
export const numberAt = async (key: Key | undefined, path: string, name: string): Promise<number | undefined> =>
	(await key?.key(path))?.number(name);
