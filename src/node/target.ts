import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import type { Sink, Target } from '../core/sink.ts';
import { AccessError } from '../errors.ts';
import { accessError, rememberDescriptor } from './file.ts';
import { type Files, nodeFiles } from './files.ts';

export type TargetOptions = {
	/** Replace what has the name already. */
	readonly force?: boolean | undefined;
	/** Bring everything to the disk before it gets its name; true where left out. Without it a power failure may leave a damaged file. */
	readonly durable?: boolean | undefined;
	/** The system's file calls; simulated in tests. */
	readonly files?: Files;
};

type Partial = { readonly fd: number; readonly partial: string; readonly final: string; readonly sink: Sink };

/**
 * A file that gets its name only when the whole of it is on disk. Until then it is a partial file beside it, readable by nobody else.
 * @throws AccessError if the name is taken and `force` is not set, or its folder cannot be written.
 */
export const createTarget = async (
	name: string,
	{ force = false, durable = true, files = nodeFiles }: TargetOptions = {},
): Promise<Target> => {
	const folder = path.dirname(name);
	const partials: Partial[] = [];
	const open = new Set<number>();
	const named: string[] = [];
	let ended = false;

	const create = (final: string): Sink => {
		if (!force && exists(final, files)) {
			throw new AccessError('it exists already', { path: final, hint: '--force to replace it, or another name' });
		}
		// The name is random: a killed run leaves its partial behind, and two runs must not share one. 60 characters are at most 180 of the
		// 255 bytes that a name may have.
		const partial = path.join(folder, `.${path.basename(final).slice(0, 60)}.${randomBytes(4).toString('hex')}.vconv-partial`);
		const fd = guarded('cannot be created', final, () => files.create(partial));
		open.add(fd);
		const sink = fileSink(fd, path.basename(final), final, files);
		// What a test has put between us and the system must see every write, so no worker may go round it.
		if (files === nodeFiles) rememberDescriptor(sink, fd);
		partials.push({ fd, partial, final, sink });
		return sink;
	};

	const close = (fd: number): void => {
		open.delete(fd);
		files.close(fd);
	};

	const main = create(name);
	return {
		main,
		beside: async (file) => create(path.join(folder, file)),
		async commit() {
			if (durable) for (const { fd, final } of partials) guarded('cannot be made durable', final, () => files.fsync(fd));
			// Before it has its name: some network file systems say only now what they could not write.
			for (const { fd, final } of partials) guarded('cannot be closed', final, () => close(fd));
			// Further files first: whoever sees the main one finds all of them.
			for (const { partial, final } of partials.toReversed()) {
				guarded('cannot be given its name', final, () => publish(partial, final, force, files));
				named.push(final);
			}
			for (const { partial, final } of partials) guarded('cannot be rid of its partial name', final, () => files.remove(partial));
			if (durable) guarded('cannot be made durable under its name', name, () => files.fsyncFolder(folder));
			ended = true;
		},
		async abandon() {
			if (ended) return;
			ended = true;
			for (const fd of open) attempt(() => close(fd));
			for (const { partial } of partials) attempt(() => files.remove(partial));
			// Some of its files without the others are worth nothing. All of them, where they have replaced others, are all there is.
			if (!force || named.length < partials.length) for (const final of named) attempt(() => files.remove(final));
		},
	};
};

const exists = (name: string, files: Files): boolean => guarded('cannot be looked for', name, () => files.exists(name));

/** link(2) fails where the name is taken, so that nothing is ever replaced unasked, whoever else is at work. */
const publish = (partial: string, final: string, force: boolean, files: Files): void => {
	if (force) {
		files.rename(partial, final);
		return;
	}
	try {
		files.link(partial, final);
	} catch (error) {
		const { code } = error as NodeJS.ErrnoException;
		if (code === 'EEXIST') throw new AccessError('it exists by now', { path: final, hint: '--force to replace it' });
		// A file system without hard links (FAT, some network ones): the check and the renaming are two steps there.
		if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EINVAL'].includes(code ?? '')) throw error;
		if (files.exists(final)) throw new AccessError('it exists by now', { path: final, hint: '--force to replace it' });
		files.rename(partial, final);
	}
};

/** Clean up as far as it goes: the failure that brought us here is the one to tell. */
const attempt = (act: () => void): void => {
	try {
		act();
	} catch {}
};

const guarded = <T>(what: string, name: string, act: () => T): T => {
	try {
		return act();
	} catch (cause) {
		if (cause instanceof AccessError) throw cause;
		throw accessError(what, name, cause);
	}
};

const fileSink = (fd: number, plainName: string, name: string, files: Files): Sink => ({
	name: plainName,
	async write(hostOffset, bytes) {
		writeFully(files, fd, bytes, hostOffset, name);
	},
	async resize(size) {
		guarded('cannot be made that long', name, () => files.truncate(fd, size));
	},
});

/** Write all of `bytes`: a full store shows itself first as a short write without an error. */
export const writeFully = (files: Pick<Files, 'write'>, fd: number, bytes: Uint8Array, hostOffset: number, name: string): void => {
	for (let done = 0; done < bytes.byteLength; ) {
		let count: number;
		try {
			count = files.write(fd, bytes, done, bytes.byteLength - done, hostOffset + done);
		} catch (cause) {
			throw accessError('cannot be written', name, cause, hostOffset + done);
		}
		if (count === 0) throw new AccessError('it takes no more bytes', { path: name, offset: hostOffset + done });
		done += count;
	}
};

/** Free bytes for us in the folder of a file; undefined where the system does not say. */
export const freeSpace = (name: string): number | undefined => {
	try {
		const { bavail, bsize } = fs.statfsSync(path.dirname(name));
		return bavail * bsize;
	} catch {
		return undefined;
	}
};
