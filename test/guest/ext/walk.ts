import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import type { FileNode, FileSystem } from '../../../src/guest/filesystem.ts';

/** Every path with what it holds: the digest of a file, a link's target, `directory`. */
export type Contents = Readonly<Record<string, string>>;

/** All that a file system holds; `most` files at the most, for one that may have loops, and of each no more than 1 MiB. */
export const contentsOf = async (fileSystem: FileSystem, most = Number.POSITIVE_INFINITY): Promise<Contents> => {
	let left = most;
	const out: Record<string, string> = {};
	const visit = async (node: FileNode, at: string): Promise<void> => {
		for (const entry of await fileSystem.list(node)) {
			if (left-- <= 0) return;
			const child = await fileSystem.node(entry);
			const name = `${at}/${entry.name}`;
			if (child.kind === 'directory') {
				out[name] = 'directory';
				await visit(child, name);
			} else if (child.kind === 'symlink') out[name] = `-> ${await fileSystem.readlink(child)}`;
			else
				out[name] = digest(await fileSystem.read(child, 0, most < Number.POSITIVE_INFINITY ? Math.min(child.size, 1 << 20) : child.size));
		}
	};
	await visit(await fileSystem.root(), '');
	delete out['/lost+found'];
	return out;
};

/** The same of a folder. */
export const contentsOfFolder = (root: string): Contents => {
	const out: Record<string, string> = {};
	for (const entry of fs.readdirSync(root, { recursive: true, withFileTypes: true })) {
		const full = path.join(entry.parentPath, entry.name);
		const name = `/${path.relative(root, full)}`;
		if (entry.isDirectory()) out[name] = 'directory';
		else if (entry.isSymbolicLink()) out[name] = `-> ${fs.readlinkSync(full)}`;
		else out[name] = digest(fs.readFileSync(full));
	}
	delete out['/lost+found'];
	return out;
};

const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
