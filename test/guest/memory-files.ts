import type { FileNode, FileSystem } from '../../src/guest/filesystem.ts';

/** Files by their paths: `Windows/System32/cmd.exe`. */
export type Files = Readonly<Record<string, string | Uint8Array>>;

type Folder = Map<string, Folder | Uint8Array>;

/** A file system that finds names whatever their case, of these files. */
export const memoryFiles = (files: Files): FileSystem => {
	const root: Folder = new Map();
	for (const [path, content] of Object.entries(files)) {
		const names = path.split('/');
		let at = root;
		for (const name of names.slice(0, -1)) {
			const next = at.get(name);
			const folder: Folder = next instanceof Map ? next : new Map();
			at.set(name, folder);
			at = folder;
		}
		at.set(names.at(-1) ?? '', typeof content === 'string' ? Buffer.from(content) : content);
	}
	const nodes: (Folder | Uint8Array)[] = [root];
	const nodeOf = (id: number): FileNode => {
		const content = nodes[id] ?? new Map();
		return content instanceof Map ? { id, kind: 'directory', size: 0 } : { id, kind: 'file', size: content.length };
	};
	return {
		type: 'ntfs',
		size: 1 << 30,
		blockSize: 4096,
		clean: true,
		caseInsensitive: true,
		root: async () => nodeOf(0),
		async list(directory) {
			const folder = nodes[directory.id];
			return folder instanceof Map ? [...folder].map(([name, content]) => ({ name, id: nodes.push(content) - 1 })) : [];
		},
		node: async ({ id }) => nodeOf(id),
		async read(file, offset, length) {
			const content = nodes[file.id];
			return content instanceof Uint8Array ? content.subarray(offset, offset + length) : new Uint8Array();
		},
		readlink: () => Promise.reject(new Error('there are no links')),
	};
};
