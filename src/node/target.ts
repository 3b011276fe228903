import fs from 'node:fs';
import path from 'node:path';
import type { Begun } from '../core/journal.ts';
import type { Sink, Target } from '../core/sink.ts';
import { AccessError, UsageError, VconvError } from '../errors.ts';
import { isProof, PROOF } from '../proof/file.ts';
import { accessError, rememberDescriptor } from './file.ts';
import { type Files, nodeFiles } from './files.ts';
import { refuseReplacingUsed } from './inuse.ts';
import { heldOf, openPartial, type Partial } from './partial.ts';
import { type Interval, resumption } from './resumption.ts';
import { writeFully } from './write.ts';

export type TargetOptions = {
	/** Replace what has the name already. */
	readonly force?: boolean | undefined;
	/** Who may read and write the files when they have their names, but for what the umask forbids: 0o600 where left out. */
	readonly mode?: number | undefined;
	/** Bring everything to the disk before it gets its name; true where left out. Without it a power failure may leave a damaged file. */
	readonly durable?: boolean | undefined;
	/** Forget what an interrupted run has left of this output; without it that is taken up. */
	readonly restart?: boolean | undefined;
	/** Keep what is written when the run is interrupted or the store is full, for the same call to go on with; true where left out. */
	readonly keepPartial?: boolean | undefined;
	/** How often what is written is made durable and noted. */
	readonly checkpoints?: Interval | undefined;
	/** Hears that it was kept. */
	onKept?(): void;
	/** Looks at the files, by the names they have until then, when all of them are on disk; the image gets its name only if it does not throw. */
	verify?(partials: readonly { readonly final: string; readonly name: string }[]): Promise<void>;
	/** The system's file calls; simulated in tests. */
	readonly files?: Files;
};

/** A target in a folder. */
export type FileTarget = Target &
	Required<Pick<Target, 'begin' | 'suspend'>> & {
		/** Bytes on the disk that are kept already, those of these files beside it too, which may not be open yet. */
		held(files?: readonly string[]): number;
	};

/**
 * A file that gets its name only when the whole of it is on disk. Until then it is a partial file beside it, readable by nobody else, with a
 * journal from which an interrupted run can be taken up: see docs/crash-safety.md.
 * @throws UsageError for a mode that no image has; AccessError if the name is taken and `force` is not set, if a machine uses what is to be replaced, or its folder cannot be written; BusyError if another run writes it.
 */
export const createTarget = async (name: string, options: TargetOptions = {}): Promise<FileTarget> => {
	const { force = false, mode, durable = true, files = nodeFiles } = options;
	const folder = path.dirname(name);
	if (mode !== undefined && (mode & 0o666) !== mode) {
		throw new UsageError(`${mode} is no mode of an image`, { hint: '0o640, of the digits 0, 2, 4 and 6' });
	}
	const umask = mode === undefined ? 0 : process.umask();
	const partials: Partial[] = [];
	const open = new Set<number>();
	const named: string[] = [];
	let ended = false;

	const create = async (final: string, missing?: () => void): Promise<Partial> => {
		const partial = await openPartial(final, { files, force, main: name, ...(missing && { missing }) });
		open.add(partial.fd).add(partial.journalFd);
		partials.push(partial);
		return partial;
	};

	const close = (fd: number): void => {
		open.delete(fd);
		files.close(fd);
	};

	const main = await create(name);
	const work = resumption({ ...options, durable, files, folder, main, partials });

	const sinkOf = ({ fd, final }: Partial): Sink => {
		const sink = fileSink(fd, final, files, work.touch);
		// What a test has put between us and the system must see every write, so no worker may go round it.
		if (files === nodeFiles) rememberDescriptor(sink, fd);
		return sink;
	};

	const syncFolder = (): void => {
		if (durable) guarded('cannot be made durable under its name', name, () => files.fsyncFolder(folder));
	};

	/** The proof of what had the name until now: it must not be found beside an image that it does not speak of. */
	const removeOldProof = (): void => {
		const proof = `${name}${PROOF}`;
		if (partials.some(({ final }) => final === proof) || !beginsAsProof(proof, files)) return;
		guarded('cannot be removed', proof, () => files.remove(proof));
		syncFolder();
	};

	const give = (partial: Partial): void => {
		const { name: from, final } = partial;
		refuseReplaced(partial);
		guarded('cannot be given its name', final, () => publish(from, final, force, files));
		named.push(final);
	};

	/** The name under which a file was written may have come to mean another, of a second run for one: that is not what was written here. */
	const refuseReplaced = ({ name: from, id, final }: Partial): void => {
		if (guarded('cannot be looked at', from, () => files.idOf(from)) === id) return;
		const hint = `the same command again, with nothing else removing or replacing ${path.basename(from)}`;
		throw new AccessError('its partial file was removed or replaced while it was written', { path: final, hint });
	};

	/**
	 * Remove the partial files and their journals: those last, which are the locks. A journal that says something is emptied first, for a power
	 * failure may bring its name back, beside a partial file of another run. What has come to have their names since stays.
	 */
	const clear = (remove: (act: () => void) => void): void => {
		const removeOurs = (from: string, id: string): void => {
			if (!isAnother(from, id, files)) files.remove(from);
		};
		if (main.journal.records() > 0) remove(main.journal.forget);
		for (const { name: from, id } of partials) remove(() => removeOurs(from, id));
		for (const { journalName, journalId } of partials) remove(() => removeOurs(journalName, journalId));
	};

	const end = async (leave: boolean): Promise<void> => {
		if (ended) return;
		ended = true;
		await work.settled().catch(() => {});
		// Some systems remove no file that is open; the journals are open until the end, for they are the locks.
		for (const { fd } of partials) if (open.has(fd)) attempt(() => close(fd));
		if (!leave) clear(attempt);
		// Some of its files without the others are worth nothing. All of them, where they have replaced others, are all there is.
		if (!force || named.length < partials.length) for (const final of named) attempt(() => files.remove(final));
		for (const fd of open) attempt(() => close(fd));
	};

	return {
		main: sinkOf(main),
		async beside(file) {
			const final = path.join(folder, file);
			const partial = await create(final, work.lose);
			work.joined(partial);
			return sinkOf(partial);
		},
		begin: async (undertaking): Promise<Begun> => guarded('cannot be written', name, () => work.begin(undertaking)),
		held(further = []) {
			const closed = further.map((file) => path.join(folder, file)).filter((final) => !partials.some((one) => one.final === final));
			const opened = partials.reduce((sum, { fd }) => sum + files.state(fd).allocated, 0);
			return closed.reduce((sum, final) => sum + heldOf(final, files), opened);
		},
		async commit() {
			await work.settled();
			if (mode !== undefined) {
				for (const { fd, final } of partials) guarded('cannot be opened to others', final, () => files.chmod(fd, mode & ~umask));
			}
			if (durable) for (const { fd, final } of partials) guarded('cannot be made durable', final, () => files.fsync(fd));
			// While they are open, for then no other file has their numbers.
			for (const partial of partials) refuseReplaced(partial);
			await options.verify?.(partials);
			for (const partial of partials) refuseReplaced(partial);
			// A machine may have started since the run began.
			if (force) for (const { final } of partials) refuseReplacingUsed(final);
			// Before it has its name: some network file systems say only now what they could not write.
			for (const { fd, final } of partials) guarded('cannot be closed', final, () => close(fd));
			if (force) removeOldProof();
			// Further files first: whoever sees the main one finds all of them, and nobody finds an old main one beside new ones. By its partial
			// name, too, a further file is known as one whose image has no name yet.
			if (partials.length > 1) {
				if (force) guarded('cannot be replaced', name, () => files.remove(name));
				syncFolder();
				for (const partial of partials.slice(1)) give(partial);
				syncFolder();
			}
			give(main);
			syncFolder();
			clear((act) => guarded('cannot be rid of its partial name', name, act));
			ended = true;
			for (const fd of open) attempt(() => close(fd));
		},
		abandon: () => end(work.isAnothers()),
		async suspend() {
			if (ended) return;
			const kept = (await work.keep()) && !partials.some(({ name: from, id }) => isAnother(from, id, files));
			await end(kept);
			if (kept) options.onKept?.();
		},
	};
};

/** Whether a name has a proof of vconv's, that we may write to and so remove. */
const beginsAsProof = (name: string, files: Files): boolean => {
	if (files.idOf(name) === undefined) return false;
	let fd: number;
	try {
		fd = files.open(name);
	} catch {
		return false; // a link, a folder, or another user's
	}
	const head = new Uint8Array(64);
	const isOurs = files.state(fd).own && isProof(head.subarray(0, files.read(fd, head, 0)));
	files.close(fd);
	return isOurs;
};

/** Whether a name is known to be that of another file than this. */
const isAnother = (name: string, id: string, files: Files): boolean => {
	try {
		return (files.idOf(name) ?? id) !== id;
	} catch {
		return false;
	}
};

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
		if (files.idOf(final) !== undefined) throw new AccessError('it exists by now', { path: final, hint: '--force to replace it' });
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
		if (cause instanceof VconvError) throw cause;
		throw accessError(what, name, cause);
	}
};

const fileSink = (fd: number, final: string, files: Files, touch: () => void): Sink => ({
	name: path.basename(final),
	path: final,
	async write(hostOffset, bytes) {
		touch();
		writeFully(files, fd, bytes, hostOffset, final);
	},
	async resize(size) {
		touch();
		guarded('cannot be made that long', final, () => files.truncate(fd, size));
	},
});

/** Free bytes for us in the folder of a file; undefined where the system does not say. */
export const freeSpace = (name: string): number | undefined => {
	try {
		const { bavail, bsize } = fs.statfsSync(path.dirname(name));
		return bavail * bsize;
	} catch {
		return undefined;
	}
};
