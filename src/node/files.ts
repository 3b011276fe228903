import fs from 'node:fs';
import { openLocked, unlock } from './lock.ts';
import { reserve } from './reserve.ts';

/** What a descriptor leads to. */
type FileState = {
	/** What it is, whatever it is called. */
	readonly id: string;
	/** In bytes. */
	readonly size: number;
	/** Bytes that it takes on the disk. */
	readonly allocated: number;
	/** How many names it has. */
	readonly links: number;
	/** It is a regular file of the user who runs this. */
	readonly own: boolean;
};

/** The calls of the system that a target makes: one interface, so that full disks, short writes and crashes can be simulated. */
export interface Files {
	/** A new file, for reading and writing, by us alone; fails if anything has the name, a symbolic link too. */
	create(name: string): number;
	/** A file that is there, for reading and writing; fails for a symbolic link. */
	open(name: string): number;
	/** The same, made if it is not there, with a lock that only one can have; undefined if another has it. */
	openLocked(name: string): Promise<number | undefined>;
	state(fd: number): FileState;
	/** As pread(2): how many bytes were read; 0 at the end. */
	read(fd: number, bytes: Uint8Array, position: number): number;
	/** As pwrite(2): how many bytes were written, which may be fewer. */
	write(fd: number, bytes: Uint8Array, start: number, length: number, position: number): number;
	truncate(fd: number, size: number): void;
	/** Lay room aside for what is to be written there, where the system can; the size stays. */
	reserve(fd: number, position: number, length: number): void;
	/** Who may read and write it, as chmod(2) takes it; the umask has no part in it. */
	chmod(fd: number, mode: number): void;
	fsync(fd: number): void;
	/** The contents alone, while others go on. */
	fdatasync(fd: number): Promise<void>;
	/** The lock goes too. */
	close(fd: number): void;
	/** What has the name, as `FileState.id` says it, a symbolic link itself; undefined if nothing has. */
	idOf(name: string): string | undefined;
	link(from: string, to: string): void;
	rename(from: string, to: string): void;
	remove(name: string): void;
	/** Make names in a folder durable, where the system can. */
	fsyncFolder(name: string): void;
}

const { O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = fs.constants;

export const nodeFiles: Files = {
	create: (name) => fs.openSync(name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600),
	open: (name) => fs.openSync(name, O_RDWR | O_NOFOLLOW | O_NONBLOCK),
	openLocked,
	state(fd) {
		const stat = fs.fstatSync(fd, { bigint: true });
		const own = process.geteuid === undefined || Number(stat.uid) === process.geteuid();
		return {
			id: idOf(stat),
			size: Number(stat.size),
			allocated: Number(stat.blocks) * 512,
			links: Number(stat.nlink),
			own: own && stat.isFile(),
		};
	},
	read: (fd, bytes, position) => fs.readSync(fd, bytes, 0, bytes.byteLength, position),
	write: (fd, bytes, start, length, position) => fs.writeSync(fd, bytes, start, length, position),
	truncate: (fd, size) => fs.ftruncateSync(fd, size),
	reserve,
	chmod: (fd, mode) => fs.fchmodSync(fd, mode),
	fsync: (fd) => fs.fsyncSync(fd),
	fdatasync: (fd) => new Promise((resolve, reject) => fs.fdatasync(fd, (error) => (error ? reject(error) : resolve()))),
	close(fd) {
		unlock(fd);
		fs.closeSync(fd);
	},
	idOf(name) {
		const stat = fs.lstatSync(name, { bigint: true, throwIfNoEntry: false });
		return stat && idOf(stat);
	},
	link: (from, to) => fs.linkSync(from, to),
	rename: (from, to) => fs.renameSync(from, to),
	remove(name) {
		try {
			// Not rmSync, which loads the removing of whole folders with it.
			fs.unlinkSync(name);
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
		}
	},
	fsyncFolder(name) {
		if (process.platform === 'win32') return; // folders cannot be opened there
		const fd = fs.openSync(name, fs.constants.O_RDONLY);
		try {
			fs.fsyncSync(fd);
		} finally {
			fs.closeSync(fd);
		}
	},
};

const idOf = ({ dev, ino }: fs.BigIntStats): string => `${dev}:${ino}`;
