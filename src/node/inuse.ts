import fs from 'node:fs';
import path from 'node:path';
import type { Note } from '../core/note.ts';
import type { Source } from '../core/source.ts';
import { AccessError } from '../errors.ts';
import { descriptorOf } from './file.ts';
import { lockOn, mayBeWritten, shareBytes } from './lock.ts';

/**
 * QEMU's locks on an image: who holds a permission has a shared lock on the byte 100 + its number, and who grants it to nobody else one on
 * 200 + its number (docs/devel of QEMU, "Image locking"; block/file-posix.c).
 */
const PERMISSION = { CONSISTENT_READ: 0, WRITE: 1, RESIZE: 3 } as const;
const HELD = 100;
const DENIED = 200;

/** What a reader holds who wants to see no changes. */
const READER = [HELD + PERMISSION.CONSISTENT_READ, DENIED + PERMISSION.WRITE, DENIED + PERMISSION.RESIZE];

export type SharingOptions = {
	/** Read what a running machine writes to. */
	readonly forceShare?: boolean | undefined;
	/** Keep QEMU from writing to what is read; true where left out. */
	readonly sourceLock?: boolean | undefined;
};

/**
 * Keep a source from being written to while it is read, as far as others ask. The locks go with the source.
 * @param note hears of a process that has it open for writing and runs no machine: a script may have just made it. If it is written to
 * meanwhile, that shows in the end.
 * @throws AccessError if a machine has it open for writing.
 */
export const holdSource = (
	source: Source,
	{ forceShare = false, sourceLock = true }: SharingOptions,
	note?: (note: Note) => void,
): void => {
	const fd = descriptorOf(source);
	if (fd === undefined || forceShare) return;
	// Locked first and looked at then, as QEMU does: of two that come at once, one at least sees the other.
	if (sourceLock) shareBytes(fd, READER);
	const stat = fs.fstatSync(fd, { bigint: true });
	const writer = mayBeWritten(fd) ? processWriting(stat) : undefined;
	const by = writerOf(stat, fd) ?? vmwareLock(source.name) ?? (writer?.isMachine ? writer.what : undefined);
	if (by === undefined) {
		if (writer) note?.({ kind: 'assumed', what: writer.what, why: 'read as it is now, for it runs no machine', path: source.name });
		return;
	}
	throw new AccessError(`it is in use: ${by}`, {
		path: source.name,
		hint: 'again when the machine is off, a snapshot of it, or -U to read it all the same, with whatever is being written',
		reason: 'in-use',
	});
};

/** The source, held; closed where a machine writes to it. @throws as `holdSource`. */
export const heldOrClosed = async (source: Source, options: SharingOptions, note?: (note: Note) => void): Promise<Source> => {
	try {
		holdSource(source, options, note);
		return source;
	} catch (error) {
		await source.close();
		throw error;
	}
};

/** @throws AccessError if a machine has the file of this name open for writing. Nothing need be there. */
export const refuseReplacingUsed = (name: string): void => {
	const stat = fs.lstatSync(name, { bigint: true, throwIfNoEntry: false });
	const by = stat && (writerOf(stat) ?? vmwareLock(name));
	if (by) throw new AccessError(`it is in use: ${by}`, { path: name, hint: 'another name, or the same when the machine is off' });
};

/** The byte that is locked by a QEMU that writes. */
const WRITING = HELD + PERMISSION.WRITE;

/** Who has a file open for writing, by QEMU's locks; undefined if nobody has. @param fd of the file, if it is open here. */
const writerOf = (stat: fs.BigIntStats, fd?: number): string | undefined => {
	const lock = fd === undefined ? null : lockOn(fd, WRITING);
	if (lock === undefined) return undefined;
	return (lock && isQemus(lock)) || isListed(stat) ? 'QEMU has it open for writing' : undefined;
};

/** A lock on all of a file is some other program's, and says nothing of QEMU, whose own it may hide. */
const isQemus = ({ start, length }: { readonly start: number; readonly length: number }): boolean => start >= HELD && length > 0;

/**
 * Whether QEMU's lock is on the kernel's list, which takes the kernel some 10 ms to make and leaves out the processes that a container does not see.
 * False where there is no such list.
 */
const isListed = ({ dev, ino }: fs.BigIntStats): boolean => {
	let locks: string;
	try {
		locks = fs.readFileSync('/proc/locks', 'utf8');
	} catch {
		return false;
	}
	return locks.split('\n').some((line) => {
		const [, kind, major = '', minor = '', inode = '', from, to] =
			/^\d+: (\w+) +\S+ +\w+ +-?\d+ +([0-9a-f]+):([0-9a-f]+):(\d+) +(\d+) +(\d+|EOF)$/.exec(line.trim()) ?? [];
		if (kind === undefined || BigInt(inode) !== ino || !isDevice(dev, Number.parseInt(major, 16), Number.parseInt(minor, 16))) return false;
		// To `EOF` is to no number, which is less than none.
		const [start, end] = [Number(from), Number(to)];
		return end >= WRITING && start <= WRITING && isQemus({ start, length: end - start + 1 });
	});
};

/**
 * The process that has a file open for writing, by the kernel's lists of open files: those of other users are shown to root alone. What this
 * process has open itself is its own business.
 */
const processWriting = ({ dev, ino }: fs.BigIntStats): { readonly what: string; readonly isMachine: boolean } | undefined => {
	for (const pid of entries('/proc').filter((entry) => /^\d+$/.test(entry) && entry !== `${process.pid}`)) {
		const isWriting = entries(`/proc/${pid}/fd`).some((fd) => {
			try {
				const open = fs.statSync(`/proc/${pid}/fd/${fd}`, { bigint: true });
				if (open.ino !== ino || open.dev !== dev) return false;
				const [, flags = '0'] = /^flags:\s*([0-7]+)/m.exec(fs.readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8')) ?? [];
				return (Number.parseInt(flags, 8) & ACCESS_MODE) !== 0;
			} catch {
				return false; // closed meanwhile
			}
		});
		if (!isWriting) continue;
		const name = nameOf(pid);
		return { what: `process ${pid}${name && ` (${name})`} has it open for writing`, isMachine: MACHINES.test(name) };
	}
	return undefined;
};

/** Programs that run machines, as the kernel names their processes. */
const MACHINES = /^(qemu|kvm|VBox|VirtualBox|vmware|vmx|prl_|bhyve|firecracker|cloud-hyp|crosvm|tapdisk)/i;

/** What the kernel calls a process, in 15 bytes; empty where it is gone. */
const nameOf = (pid: string): string => {
	try {
		return fs.readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
	} catch {
		return '';
	}
};

/** The bits of a file's flags that are not 0 if it is open for writing: open(2). */
const ACCESS_MODE = 3;

/** Whether this is the device of a file. File systems with several devices (btrfs, overlays) name one to some and another to others. */
const isDevice = (dev: bigint, major: number, minor: number): boolean => {
	const ownMajor = Number((dev >> 8n) & 0xfffn);
	const ownMinor = Number((dev & 0xffn) | ((dev >> 12n) & 0xfff00n));
	return ownMajor === 0 || (ownMajor === major && ownMinor === minor);
};

/** The lock of VMware beside an image: a folder on a local disk, a hidden file on NFS. */
const vmwareLock = (name: string): string | undefined => {
	if (path.extname(name).toLowerCase() !== '.vmdk') return undefined;
	const beside = `${name}.lck`;
	if (entries(beside).some((entry) => entry.toLowerCase().endsWith('.lck'))) return `VMware's lock is beside it, ${beside}`;
	const lock = entries(path.dirname(name)).find((entry) => /^\.lck-[0-9a-f]{16}$/i.test(entry));
	return lock && `VMware's lock is in its folder, ${lock}`;
};

const entries = (folder: string): readonly string[] => {
	try {
		return fs.readdirSync(folder);
	} catch {
		return [];
	}
};
