import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import type { Sink, Target } from '../core/sink.ts';
import { AccessError } from '../errors.ts';
import { accessError, rememberDescriptor } from './file.ts';
import { type Files, nodeFiles } from './files.ts';

export type TargetOptions = {
	/** Replace what has the name already. */
	readonly force?: boolean;
	/** Bring everything to the disk before it gets its name; true where left out. Without it a power failure may leave a damaged file. */
	readonly durable?: boolean;
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
	let ended = false;

	const create = (final: string): Sink => {
		if (!force && files.exists(final)) {
			throw new AccessError('it exists already', { path: final, hint: '--force to replace it, or another name' });
		}
		// The name is random: a killed run leaves its partial behind, and two runs must not share one.
		const partial = path.join(folder, `.${path.basename(final).slice(0, 200)}.${randomBytes(4).toString('hex')}.vconv-partial`);
		let fd: number;
		try {
			fd = files.create(partial);
		} catch (cause) {
			throw accessError('cannot be created', final, cause);
		}
		const sink = fileSink(fd, path.basename(final), final, files);
		// What a test has put between us and the system must see every write, so no worker may go round it.
		if (files === nodeFiles) rememberDescriptor(sink, fd);
		partials.push({ fd, partial, final, sink });
		return sink;
	};

	const main = create(name);
	return {
		main,
		beside: async (file) => create(path.join(folder, file)),
		async commit() {
			if (durable) for (const { fd, final } of partials) guarded('cannot be made durable', final, () => files.fsync(fd));
			// Further files first: whoever sees the main one finds all of them.
			for (const { partial, final } of partials.toReversed()) publish(partial, final, force, files);
			if (durable) files.fsyncFolder(folder);
			ended = true;
			for (const { fd } of partials) files.close(fd);
		},
		async abandon() {
			if (ended) return;
			ended = true;
			for (const { fd, partial } of partials) {
				files.close(fd);
				files.remove(partial);
			}
		},
	};
};

/** link(2) fails where the name is taken, so that nothing is ever replaced unasked, whoever else is at work. */
const publish = (partial: string, final: string, force: boolean, files: Files): void => {
	guarded('cannot be given its name', final, () => {
		if (force) return files.rename(partial, final);
		try {
			files.link(partial, final);
		} catch (error) {
			const { code } = error as NodeJS.ErrnoException;
			if (code === 'EEXIST') throw new AccessError('it exists by now', { path: final, hint: '--force to replace it' });
			// A file system without hard links (FAT, some network ones): the check and the renaming are two steps there.
			if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EINVAL'].includes(code ?? '')) throw error;
			if (files.exists(final)) throw new AccessError('it exists by now', { path: final, hint: '--force to replace it' });
			return files.rename(partial, final);
		}
		files.remove(partial);
	});
};

const guarded = (what: string, name: string, act: () => void): void => {
	try {
		act();
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
		try {
			done += files.write(fd, bytes, done, bytes.byteLength - done, hostOffset + done);
		} catch (cause) {
			throw accessError('cannot be written', name, cause, hostOffset + done);
		}
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
