import fs from 'node:fs';
import type { Server } from 'node:net';
import { native } from './native.ts';

/** `struct flock` of 64-bit Linux. */
const FLOCK = { SIZE: 32, TYPE: 0, START: 8, LENGTH: 16 } as const;
const GETLK_OFD = 36;
const SETLK_OFD = 37;
const READ = 0;
const WRITE = 1;
const UNLOCK = 2;

const { O_RDWR, O_CREAT, O_NONBLOCK = 0, O_NOFOLLOW = 0 } = fs.constants;

/** Of open(2) on macOS and the BSDs: the file is opened with a lock on it, or not at all. */
const O_EXLOCK = 0x20;

type Fcntl = (fd: number, command: number, lock: Buffer) => number;

let call: Fcntl | null | undefined;

/** fcntl(2); null where it cannot be called, or its structures are not those we know. */
const fcntl = (): Fcntl | null => {
	if (call === undefined) {
		const known = process.arch === 'x64' || process.arch === 'arm64';
		call = (known && (native()?.load(null).func('int fcntl(int fd, int command, void *lock)') as Fcntl | undefined)) || null;
	}
	return call;
};

const flock = (type: number, start: number, length: number): Buffer => {
	const lock = Buffer.alloc(FLOCK.SIZE);
	lock.writeInt16LE(type, FLOCK.TYPE);
	lock.writeBigInt64LE(BigInt(start), FLOCK.START);
	lock.writeBigInt64LE(BigInt(length), FLOCK.LENGTH);
	return lock;
};

/** Take a lock of the open file description (OFD): it goes when the descriptor is closed, whatever ends the process. */
const lockRange = (take: Fcntl, fd: number, type: number, start: number, length: number): boolean =>
	take(fd, SETLK_OFD, flock(type, start, length)) === 0;

/**
 * Take shared locks on single bytes of a file, which other programs may have agreed on; whether all were free. False where there are no such
 * locks. They go with the descriptor.
 */
export const shareBytes = (fd: number, bytes: readonly number[]): boolean => {
	const take = fcntl();
	return take !== null && bytes.every((byte) => lockRange(take, fd, READ, byte, 1));
};

/**
 * The range of a lock that somebody else has on a byte of a file, of several the first; a length of 0 means to the end, wherever that is. Undefined
 * if nobody has one, null where that cannot be asked.
 */
export const lockOn = (fd: number, byte: number): { readonly start: number; readonly length: number } | undefined | null => {
	const ask = fcntl();
	// Whoever has any kind of lock is in the way of one for writing.
	const lock = flock(WRITE, byte, 1);
	if (ask?.(fd, GETLK_OFD, lock) !== 0) return null;
	if (lock.readInt16LE(FLOCK.TYPE) === UNLOCK) return undefined;
	return { start: Number(lock.readBigInt64LE(FLOCK.START)), length: Number(lock.readBigInt64LE(FLOCK.LENGTH)) };
};

/** Of fcntl(2): a lease is given for a file that nobody has open for writing, and the signal that ends it is one that is ignored. */
const LEASE = { SETLEASE: 1024, SETSIG: 10, SIGURG: 23 } as const;
const EAGAIN = 11;

/**
 * Whether anybody may have the file open for writing that is open here for reading alone, by the kernel's own count. True too where a file system of a
 * network does not know; false where the kernel is not to be asked, or does not tell us of another user's file.
 */
export const mayBeWritten = (fd: number): boolean => {
	const library = fcntl() && native();
	if (!library) return false;
	const call = library.load(null).func('int fcntl(int fd, int command, int value)') as (
		fd: number,
		command: number,
		value: number,
	) => number;
	if (call(fd, LEASE.SETSIG, LEASE.SIGURG) !== 0) return false;
	if (call(fd, LEASE.SETLEASE, READ) !== 0) return library.errno() === EAGAIN;
	// Nobody is kept waiting: it was the answer that was wanted.
	call(fd, LEASE.SETLEASE, UNLOCK);
	return false;
};

/** Sockets that stand for locks, by the descriptor of the locked file. */
const sockets = new Map<number, Server>();

/**
 * Open a file for reading and writing, made if it is not there, and never through a symbolic link, with a lock that only one can have; undefined if
 * another has it. The system frees it however the process ends: an OFD lock; where fcntl(2) cannot be called, a socket that is named after
 * the file (abstract on Linux, a pipe on Windows); on macOS and the BSDs the lock of open(2).
 */
export const openLocked = async (name: string): Promise<number | undefined> => {
	const flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK;
	if (process.platform === 'darwin' || process.platform === 'freebsd' || process.platform === 'openbsd') return openExclusive(name, flags);
	const fd = fs.openSync(name, flags, 0o600);
	try {
		const take = fcntl();
		if (take ? lockRange(take, fd, WRITE, 0, 0) : await listen(fd)) return fd;
	} catch (error) {
		fs.closeSync(fd);
		throw error;
	}
	fs.closeSync(fd);
	return undefined;
};

const openExclusive = (name: string, flags: number): number | undefined => {
	try {
		return fs.openSync(name, flags | O_EXLOCK, 0o600);
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return undefined;
		throw error;
	}
};

/** Only one process can listen under a name, and the system forgets it with the process. */
const listen = async (fd: number): Promise<boolean> => {
	const { default: net } = await import('node:net');
	const { dev, ino } = fs.fstatSync(fd, { bigint: true });
	const id = `vconv-${dev}-${ino}`;
	const server = net.createServer();
	return new Promise((resolve, reject) => {
		server.once('error', (error: NodeJS.ErrnoException) => (error.code === 'EADDRINUSE' ? resolve(false) : reject(error)));
		server.listen(process.platform === 'win32' ? `\\\\.\\pipe\\${id}` : `\0${id}`, () => {
			sockets.set(fd, server.unref());
			resolve(true);
		});
	});
};

/** To be called before a descriptor from `openLocked` is closed. */
export const unlock = (fd: number): void => {
	sockets.get(fd)?.close();
	sockets.delete(fd);
};
