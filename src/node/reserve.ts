import fs from 'node:fs';
import { native } from './native.ts';

type Fallocate = (fd: number, mode: number, offset: number, length: number) => number;

const FALLOC_FL_KEEP_SIZE = 1;
/** fallocate(2); undefined where it cannot be called. */
const fallocate = (): Fallocate | undefined =>
	native()?.load(null).func('int fallocate(int fd, int mode, int64 offset, int64 length)') as Fallocate | undefined;

/** Lay room aside in a file, behind its end too, where the system can and has it. */
export const reserve = (fd: number, hostOffset: number, length: number): void => {
	if (process.platform === 'linux') fallocate()?.(fd, FALLOC_FL_KEEP_SIZE, hostOffset, length);
};

/** What statfs(2) calls ext4. */
const EXT4 = 0xef53;

/** In bytes: a write that is shorter is not worth a call of its own. */
const WORTH = 256 * 1024;

/**
 * Lays room aside in the file for what is written next: ext4 then takes it a quarter faster, for it has not to account for each block by
 * itself. Called before each write, with its own place: what lies between two blocks of an image stays a hole.
 */
export const reserver = (): ((fd: number, hostOffset: number, length: number) => void) => {
	const call = fallocate();
	if (!call) return () => {};
	let works = true;
	return (fd, hostOffset, length) => {
		// Full, or not able to: then the write is to find that out.
		if (works && length >= WORTH) works = call(fd, FALLOC_FL_KEEP_SIZE, hostOffset, length) === 0;
	};
};

/** Whether laying room aside helps with this file. */
export const worthReserving = (fd: number): boolean => {
	if (process.platform !== 'linux') return false;
	try {
		return fs.statfsSync(`/proc/self/fd/${fd}`).type === EXT4;
	} catch {
		return false;
	}
};
