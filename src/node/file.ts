import fs from 'node:fs';
import path from 'node:path';
import type { Source } from '../core/source.ts';
import { AccessError, ChangedError, UnsupportedError, UsageError } from '../errors.ts';
import { trusted } from '../io/guarded.ts';
import { pastEnd } from '../io/memory.ts';
import { dataRuns } from './holes.ts';

/** The descriptors behind sources and sinks. Threads of a process share them, so a worker reads what the gate has opened. */
const descriptors = new WeakMap<object, number>();

/** The file descriptor behind a source or sink of this folder; undefined for those that are no files. */
export const descriptorOf = (file: object): number | undefined => descriptors.get(file);

export const rememberDescriptor = (file: object, fd: number): void => {
	descriptors.set(file, fd);
};

/** What the files behind sources were when they were opened. */
const versions = new WeakMap<object, string>();

/**
 * What a file was when it was opened, in words that change when its contents may have; undefined for devices, whose contents change in
 * silence, and for what is no file.
 */
export const versionOf = (source: object): string | undefined => versions.get(source);

/** What has become of the files behind sources while they were open; undefined where nothing was written to them. */
const changes = new WeakMap<Source, () => string | undefined>();

const UNUSED = 'again when nothing uses it, or a snapshot of it';

/** @throws ChangedError if a source is a file that was written to while it was open here, or may have been. */
export const refuseChanged = (source: Source): void => {
	const change = changes.get(source)?.();
	if (change !== undefined) throw new ChangedError(change, { path: source.name, hint: UNUSED });
};

const { O_RDONLY, O_NONBLOCK = 0, O_NOFOLLOW = 0 } = fs.constants;

/**
 * A file as a source, read-only.
 * @param options.named whether it is the user who named it, who may name a symbolic link and a block device too; true where left out.
 * @param options.otherwise what is there for who has named a pipe.
 * @param options.called what messages call it, and from where it looks for what it names: a file that has not its name yet.
 * @throws AccessError for what is missing or not permitted, UnsupportedError for what is no file.
 */
export const openFile = async (
	name: string,
	{
		named = true,
		called = name,
		otherwise,
	}: { readonly named?: boolean; readonly called?: string; readonly otherwise?: string | undefined } = {},
): Promise<Source> => {
	let fd: number;
	try {
		// O_NONBLOCK: a FIFO must not hang us before we have seen what it is.
		fd = fs.openSync(name, O_RDONLY | O_NONBLOCK | (named ? 0 : O_NOFOLLOW));
	} catch (cause) {
		// Only where links are followed; elsewhere it is a link itself.
		if (named && (cause as NodeJS.ErrnoException).code === 'ELOOP') {
			throw new AccessError('it cannot be opened: its symbolic links go in a circle', { path: name, cause });
		}
		throw accessError('cannot be opened', name, cause);
	}
	try {
		return fileSource(fd, called, named, otherwise);
	} catch (error) {
		fs.closeSync(fd);
		throw error;
	}
};

/** The file that stands for a folder which programs show as one disk: a bundle of Parallels. */
const imageWithin = (folder: string): string => {
	const descriptor = path.join(folder, 'DiskDescriptor.xml');
	return fs.existsSync(descriptor) ? descriptor : 'an image in it';
};

const fileSource = (fd: number, name: string, named: boolean, otherwise?: string): Source => {
	const stat = fs.fstatSync(fd);
	if (stat.isDirectory()) throw new UnsupportedError('it is a folder', { path: name, hint: imageWithin(name) });
	if (!named && !stat.isFile()) throw new UnsupportedError('it is no regular file', { path: name });
	if (!stat.isFile() && !stat.isBlockDevice()) {
		throw new UnsupportedError('it is neither a file nor a block device', {
			path: name,
			hint: `a file with its contents${otherwise === undefined ? '' : `, or ${otherwise}`}`,
		});
	}
	const size = stat.isBlockDevice() ? deviceSize(fd) : stat.size;
	const opened = fs.fstatSync(fd, { bigint: true });
	let open = true;
	let changed: string | undefined;
	const change = (): string | undefined => (open ? changeOf(opened, fs.fstatSync(fd, { bigint: true }), name) : changed);
	/** Its number may be another file's by now. @throws UsageError once it is closed. */
	const usable = (): number => {
		if (!open) throw new UsageError('it is closed: nothing can be read of it', { path: name, hint: 'open it again' });
		return fd;
	};
	const source: Source = {
		name,
		size,
		identity: identity(opened),
		async read(offset, length, signal) {
			signal?.throwIfAborted();
			if (offset < 0 || offset + length > size) throw pastEnd(name, offset, length, size);
			// Not zeroed first: all of it is filled, or we throw.
			const bytes = new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);
			readFully(usable(), bytes, offset, name);
			return bytes;
		},
		async readInto(offset, bytes, signal) {
			signal?.throwIfAborted();
			if (offset < 0 || offset + bytes.length > size) throw pastEnd(name, offset, bytes.length, size);
			readFully(usable(), bytes, offset, name);
		},
		allocated: (offset, length) => dataRuns(usable(), offset, length),
		async close() {
			if (!open) return;
			try {
				changed = change();
			} finally {
				open = false;
				descriptors.delete(source);
				fs.closeSync(fd);
			}
		},
	};
	changes.set(source, change);
	// Not the device: its number may be another when the system has started again.
	const { ino, mtimeNs, ctimeNs } = opened;
	if (stat.isFile()) versions.set(source, `${ino} ${size} ${mtimeNs} ${ctimeNs}`);
	rememberDescriptor(source, fd);
	return trusted(source);
};

/** What was done to a file between two looks at it, if it was written to. */
const changeOf = (then: fs.BigIntStats, now: fs.BigIntStats, name: string): string | undefined => {
	if (now.mtimeNs !== then.mtimeNs || now.size !== then.size) return 'it was written to while it was read';
	// Whoever writes to a file can set its time of writing back, and programs that preserve times do; its ctime nobody can. On Windows that is moved by
	// whatever marks files: the indexer, a backup.
	if (now.ctimeNs === then.ctimeNs || process.platform === 'win32' || isExplained(then, now, name)) return undefined;
	return 'it may have been written to while it was read: its time of change is another, though its time of writing is not';
};

/** Whether something else than a write has moved the ctime of a file: another owner or mode, a name more or fewer, a renaming. */
const isExplained = (then: fs.BigIntStats, now: fs.BigIntStats, name: string): boolean =>
	now.mode !== then.mode || now.uid !== then.uid || now.gid !== then.gid || now.nlink !== then.nlink || identityOf(name) !== identity(then);

/** What a file is, whatever it is called. Some file systems number their files beyond 2^53. */
const identity = (stat: fs.BigIntStats): string => `file:${stat.dev}:${stat.ino}${stat.isBlockDevice() ? `:${stat.rdev}` : ''}`;

/** The identity that a source of this name would have; undefined if there is no such file. */
export const identityOf = (name: string): string | undefined => {
	return statOf(name) && identity(fs.statSync(name, { bigint: true }));
};

/** What the system says of a file; undefined if there is none. @throws AccessError if it does not say. */
export const statOf = (name: string): fs.Stats | undefined => {
	try {
		const found = fs.statSync(name, { throwIfNoEntry: false });
		// From Node 22 on a path through a file is none for it, and lstat says so still.
		if (!found) fs.lstatSync(name, { throwIfNoEntry: false });
		return found;
	} catch (cause) {
		throw accessError('cannot be looked at', name, cause);
	}
};

/** A block device says 0 of its size to fstat; its end is where reading stops. */
const deviceSize = (fd: number): number => {
	const byte = new Uint8Array(1);
	const readable = (at: number) => fs.readSync(fd, byte, 0, 1, at) === 1;
	if (!readable(0)) return 0;
	let low = 0;
	let high = 512;
	while (readable(high)) {
		low = high;
		high *= 2;
	}
	while (high - low > 1) {
		const middle = Math.floor((low + high) / 2);
		if (readable(middle)) low = middle;
		else high = middle;
	}
	return high;
};

/** Fill `bytes` from `offset`, where the file had so many when it was opened: extents are within it. @throws ChangedError if it ends first, AccessError. */
export const readFully = (fd: number, bytes: Uint8Array, offset: number, name: string): void => {
	for (let done = 0; done < bytes.byteLength; ) {
		let count: number;
		try {
			count = fs.readSync(fd, bytes, done, bytes.byteLength - done, offset + done);
		} catch (cause) {
			throw accessError('cannot be read', name, cause, offset + failingAt(fd, bytes, done, offset));
		}
		if (count === 0) throw new ChangedError('it became shorter while it was read', { path: name, offset: offset + done, hint: UNUSED });
		done += count;
	}
};

/** Bytes in which the place of a failure is looked for. */
const PAGE = 4096;

/** Where in `bytes` a read of all from `start` on fails: a long one may fail as a whole. */
const failingAt = (fd: number, bytes: Uint8Array, start: number, offset: number): number => {
	for (let at = start; at < bytes.byteLength; at += PAGE) {
		try {
			fs.readSync(fd, bytes, at, Math.min(PAGE, bytes.byteLength - at), offset + at);
		} catch {
			return at;
		}
	}
	return start;
};

/** The folder in which a name is looked for in vain, or the file that is in the way of it. */
const existing = (name: string): string => {
	const above = path.dirname(name);
	return above === name || fs.existsSync(above) ? above : existing(above);
};

const REASONS: Readonly<Record<string, string>> = {
	ENOENT: 'there is no such file',
	EACCES: 'permission is denied',
	EPERM: 'it is not permitted',
	EISDIR: 'it is a folder',
	ENOTDIR: 'a part of its path is not a folder',
	ENOSPC: 'no space is left',
	EDQUOT: 'the quota is used up',
	EFBIG: 'the file system takes no file of that size',
	EIO: 'the device failed',
	EROFS: 'the file system is read-only',
	ELOOP: 'it is a symbolic link',
	ENXIO: 'it is a socket, or a device that is not there',
	EPIPE: 'whoever read it has gone',
	EMFILE: 'too many files are open',
	ENAMETOOLONG: 'its name is too long',
};

/** What to do, where the reason alone does not say it. */
const REMEDIES: Readonly<Record<string, string>> = {
	EACCES: 'as a user who may, or chmod',
	EPERM: 'as a user who may',
	ENOSPC: 'again with more space free',
	EDQUOT: 'again with more space free',
	EFBIG: 'a folder on another file system',
	EROFS: 'another folder',
	ENAMETOOLONG: 'a shorter name',
};

/** An error of the system, as one of ours: `what` says what could not be done. */
export const accessError = (what: string, name: string, cause: unknown, offset?: number): AccessError => {
	const code = (cause as NodeJS.ErrnoException).code ?? '';
	const hint = code === 'ENOENT' || code === 'ENOTDIR' ? `ls ${existing(name)}` : REMEDIES[code];
	const reason = code === 'ENOENT' ? 'missing' : code === 'EACCES' || code === 'EPERM' ? 'denied' : undefined;
	return new AccessError(`it ${what}: ${REASONS[code] ?? (cause as Error).message}`, { path: name, offset, hint, cause, reason });
};
