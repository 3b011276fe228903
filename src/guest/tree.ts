import { CorruptError, UnsupportedError } from '../errors.ts';
import { LARGEST_READ } from './device.ts';
import type { DirectoryEntry, FileNode, FileSystem } from './filesystem.ts';

/** More links on one path are a loop. */
const MAX_HOPS = 16;

/** Longer paths, with all their links put in, are refused. */
const MAX_NAMES = 256;

/** What text files of a guest are read of at the most, where nothing else is said: 512 KiB. */
const LARGEST_FILE = 512 << 10;

/** Directories of which the listing is held, and how many names they may have together. */
const HELD_LISTS = 64;
const HELD_NAMES = 200_000;

/** What a path leads to. */
export type Found = {
	readonly node: FileNode;
	readonly fileSystem: FileSystem;
	/** Without links, dots and doubled slashes; from the guest's root. */
	readonly path: string;
};

/**
 * The files of a guest by their paths, over all the file systems mounted into its root. Links are followed within that root and never
 * out of it. A path that leads nowhere is undefined or empty; what is damaged or not supported throws, as `FileSystem` does.
 */
export type FileTree = {
	/** What the path leads to. `follow: false` leaves a link at its end as it is. */
	stat(path: string, options?: { readonly follow?: boolean }): Promise<Found | undefined>;
	isFile(path: string): Promise<boolean>;
	isDirectory(path: string): Promise<boolean>;
	/** The names in a directory, in the order stored; none where it is no directory. */
	readdir(path: string): Promise<readonly string[]>;
	/** A whole file; undefined where there is none. @throws UnsupportedError if it is larger than `cap` bytes (512 KiB where left out). */
	readFile(path: string, cap?: number): Promise<Uint8Array | undefined>;
	/** The same as text in UTF-8. */
	readText(path: string, cap?: number): Promise<string | undefined>;
	/** What a link says; undefined where it is none. */
	readlink(path: string): Promise<string | undefined>;
};

/**
 * @param mounts the other file systems by the path where each is mounted, without links: `/boot`.
 */
export const fileTree = (root: FileSystem, mounts: ReadonlyMap<string, FileSystem> = new Map()): FileTree => {
	const lists = new Map<string, ReadonlyMap<string, DirectoryEntry>>();
	let heldNames = 0;

	const list = async ({ fileSystem, node, path }: Found): Promise<ReadonlyMap<string, DirectoryEntry>> => {
		const held = lists.get(path);
		if (held) return held;
		const entries = new Map<string, DirectoryEntry>();
		for (const entry of await fileSystem.list(node)) {
			const key = fold(fileSystem, entry.name);
			if (!entries.has(key)) entries.set(key, entry);
		}
		for (const [oldest, { size }] of lists) {
			if (lists.size < HELD_LISTS && heldNames + entries.size <= HELD_NAMES) break;
			lists.delete(oldest);
			heldNames -= size;
		}
		lists.set(path, entries);
		heldNames += entries.size;
		return entries;
	};

	const step = async (from: Found, name: string): Promise<Found | undefined> => {
		const { fileSystem, node } = from;
		const entry =
			fileSystem.find && !lists.has(from.path) ? await fileSystem.find(node, name) : (await list(from)).get(fold(fileSystem, name));
		if (!entry) return undefined;
		const path = `${from.path === '/' ? '' : from.path}/${name}`;
		const mounted = mounts.get(path);
		if (mounted) return { fileSystem: mounted, node: await mounted.root(), path };
		return { fileSystem, node: await fileSystem.node(entry), path };
	};

	const stat: FileTree['stat'] = async (path, { follow = true } = {}) => {
		const top: Found = { fileSystem: root, node: await root.root(), path: '/' };
		let stack = [top];
		const names = path.split('/').reverse();
		for (let hops = 0; names.length > 0; ) {
			if (names.length > MAX_NAMES) throw new UnsupportedError(`a path of more than ${MAX_NAMES} names`, { path });
			const name = names.pop() ?? '';
			if (name === '' || name === '.') continue;
			if (name === '..') {
				if (stack.length > 1) stack.pop();
				continue;
			}
			const from = stack.at(-1) ?? top;
			if (from.node.kind !== 'directory') return undefined;
			const found = await step(from, name);
			if (!found) return undefined;
			if (found.node.kind !== 'symlink' || (!follow && names.every((rest) => rest === ''))) {
				stack.push(found);
				continue;
			}
			if (++hops > MAX_HOPS) throw new CorruptError(`more than ${MAX_HOPS} links lead from one to the next`, { path });
			const target = await found.fileSystem.readlink(found.node);
			if (target.startsWith('/')) stack = [top];
			names.push(...target.split('/').reverse());
		}
		return stack.at(-1);
	};

	const readFile: FileTree['readFile'] = async (path, cap = LARGEST_FILE) => {
		const found = await stat(path);
		if (found?.node.kind !== 'file') return undefined;
		const { fileSystem, node } = found;
		if (node.size > cap) throw new UnsupportedError(`the guest's file has ${node.size} bytes, and ${cap} are read at the most`, { path });
		if (node.size <= LARGEST_READ) return fileSystem.read(node, 0, node.size);
		const bytes = new Uint8Array(node.size);
		for (let at = 0; at < node.size; at += LARGEST_READ) {
			bytes.set(await fileSystem.read(node, at, Math.min(LARGEST_READ, node.size - at)), at);
		}
		return bytes;
	};

	return {
		stat,
		isFile: async (path) => (await stat(path))?.node.kind === 'file',
		isDirectory: async (path) => (await stat(path))?.node.kind === 'directory',
		async readdir(path) {
			const found = await stat(path);
			if (found?.node.kind !== 'directory') return [];
			return [...(await list(found)).values()].map(({ name }) => name);
		},
		readFile,
		async readText(path, cap) {
			const bytes = await readFile(path, cap);
			return bytes && new TextDecoder().decode(bytes);
		},
		async readlink(path) {
			const found = await stat(path, { follow: false });
			return found?.node.kind === 'symlink' ? found.fileSystem.readlink(found.node) : undefined;
		},
	};
};

const fold = ({ caseInsensitive }: FileSystem, name: string): string => (caseInsensitive ? name.toLowerCase() : name);
