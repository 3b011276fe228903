import type { FileNode, FileSystem } from '../../src/guest/filesystem.ts';

/** A folder by its names: text is a file, `-> target` a link. */
export type Folder = { readonly [name: string]: string | Folder };

/** A file system in memory. */
export const fileSystemOf = (root: Folder, options: Partial<FileSystem> = {}): FileSystem => {
	const contents: (string | Folder)[] = [];
	const nodeOf = (content: string | Folder): FileNode => {
		const id = contents.push(content) - 1;
		if (typeof content !== 'string') return { id, kind: 'directory', size: 0 };
		return { id, kind: content.startsWith('-> ') ? 'symlink' : 'file', size: content.length };
	};
	const entries = new Map<number, readonly { name: string; id: number }[]>();
	const nodes = new Map<number, FileNode>();
	const enter = (content: string | Folder): FileNode => {
		const node = nodeOf(content);
		nodes.set(node.id, node);
		if (typeof content !== 'string') {
			entries.set(
				node.id,
				Object.entries(content).map(([name, inner]) => ({ name, id: enter(inner).id })),
			);
		}
		return node;
	};
	const top = enter(root);
	return {
		type: 'made',
		size: 0,
		blockSize: 4096,
		clean: true,
		caseInsensitive: false,
		root: async () => top,
		list: async ({ id }) => entries.get(id) ?? [],
		async node({ id }) {
			const node = nodes.get(id);
			if (!node) throw new Error(`there is no node ${id}`);
			return node;
		},
		read: async ({ id }, offset, length) => new TextEncoder().encode(String(contents[id])).subarray(offset, offset + length),
		readlink: async ({ id }) => String(contents[id]).slice(3),
		...options,
	};
};
