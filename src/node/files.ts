import fs from 'node:fs';

/** The calls of the system that a target makes: one interface, so that full disks, short writes and crashes can be simulated. */
export interface Files {
	/** A new file, for reading and writing, by us alone; fails if anything has the name, a symbolic link too. */
	create(name: string): number;
	/** As pwrite(2): how many bytes were written, which may be fewer. */
	write(fd: number, bytes: Uint8Array, start: number, length: number, position: number): number;
	truncate(fd: number, size: number): void;
	fsync(fd: number): void;
	close(fd: number): void;
	/** Whether anything has the name, a dangling symbolic link too. */
	exists(name: string): boolean;
	link(from: string, to: string): void;
	rename(from: string, to: string): void;
	remove(name: string): void;
	/** Make names in a folder durable, where the system can. */
	fsyncFolder(name: string): void;
}

const { O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW = 0 } = fs.constants;

export const nodeFiles: Files = {
	create: (name) => fs.openSync(name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600),
	write: (fd, bytes, start, length, position) => fs.writeSync(fd, bytes, start, length, position),
	truncate: (fd, size) => fs.ftruncateSync(fd, size),
	fsync: (fd) => fs.fsyncSync(fd),
	close: (fd) => fs.closeSync(fd),
	exists: (name) => fs.lstatSync(name, { throwIfNoEntry: false }) !== undefined,
	link: (from, to) => fs.linkSync(from, to),
	rename: (from, to) => fs.renameSync(from, to),
	remove: (name) => fs.rmSync(name, { force: true }),
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
