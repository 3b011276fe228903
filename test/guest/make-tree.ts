import type { FileNode, FileSystem } from '../../src/guest/filesystem.ts';

/** A folder by its names: text and bytes are a file, `-> target` a link, `!! why` a file that cannot be read, `+i` one that may not be changed. */
export type Folder = { readonly [name: string]: string | Uint8Array | Folder };

type Content = Folder[string];

const isFolder = (content: Content | undefined): content is Folder => typeof content === 'object' && !(content instanceof Uint8Array);

/** A file system in memory. */
export const fileSystemOf = (root: Folder, options: Partial<FileSystem> = {}): FileSystem => {
	const contents: Content[] = [];
	const nodeOf = (content: Content): FileNode => {
		const id = contents.push(content) - 1;
		if (isFolder(content)) return { id, kind: 'directory', size: 0 };
		const unreadable = typeof content === 'string' && content.startsWith('!! ') ? content.slice(3) : undefined;
		const kind = typeof content === 'string' && content.startsWith('-> ') ? 'symlink' : 'file';
		return { id, kind, size: content.length, unreadable, immutable: content === '+i' || undefined };
	};
	const entries = new Map<number, readonly { name: string; id: number }[]>();
	const nodes = new Map<number, FileNode>();
	const enter = (content: Content): FileNode => {
		const node = nodeOf(content);
		nodes.set(node.id, node);
		if (isFolder(content)) {
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
		async read({ id }, offset, length) {
			const content = contents[id];
			const bytes = content instanceof Uint8Array ? content : new TextEncoder().encode(String(content));
			return bytes.subarray(offset, offset + length);
		},
		readlink: async ({ id }) => String(contents[id]).slice(3),
		...options,
	};
};
