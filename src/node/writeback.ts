import fs from 'node:fs';
import { Advice, fadvise } from './fadvise.ts';
import { native } from './native.ts';

type SyncFileRange = (fd: number, offset: number, length: number, flags: number) => number;

const SYNC_FILE_RANGE_WAIT = 1;
const SYNC_FILE_RANGE_WRITE = 2;

/** In bytes: as much as is worth a call. */
const STEP = 4 * 1024 * 1024;
/** Steps of one thread that may be on their way to the disk, so that it always has something to do. */
const UNDER_WAY = 8;

/**
 * In ms: memory takes a step in a fifth of this. Where it takes longer, it waits for fresh memory, as on virtual machines whose host takes back what
 * is free; or for the disk, which then has to catch up.
 */
const SLOW = 12;

type Range = { readonly offset: number; readonly length: number };

export type WritebackOptions = {
	/** There will be an fsync. */
	readonly durable: boolean;
	/** What is written is to stay in memory, for it will be read again at once. */
	readonly readAgain: boolean;
};

/**
 * Looks after the memory that holds what is written and is not on the disk yet. Give it every write of one thread, and how many ms it took.
 *
 * It begins to bring it to the disk while more is written, so that the fsync at the end has little left to wait for; and what is on the disk gives its
 * memory back, for further writes to take again. A large disk does not push everything else out of memory then, and no time is lost where fresh
 * memory is slow to get. Without an fsync at the end it does both only once memory turns out to be slow. It promises nothing; that is fsync's.
 */
export const writeback = ({
	durable,
	readAgain,
}: WritebackOptions): ((fd: number, offset: number, length: number, took: number) => void) => {
	const advise = fadvise();
	const sync = native()?.load(null).func('int sync_file_range(int fd, int64 offset, int64 length, unsigned int flags)') as
		| SyncFileRange
		| undefined;
	if (!sync || !advise) return () => {};
	const underWay: Range[] = [];
	let current = -1;
	let low = 0;
	let high = 0;
	let written = 0;
	let time = 0;
	let givesBack = durable && !readAgain;

	const finish = ({ offset, length }: Range): void => {
		// Waiting takes note of an error, which the descriptor's own fsync would then not report: so by another one.
		let again: number;
		try {
			again = fs.openSync(`/proc/self/fd/${current}`, 'r');
		} catch {
			return;
		}
		sync(again, offset, length, SYNC_FILE_RANGE_WAIT);
		advise(again, offset, length, Advice.DONTNEED);
		fs.closeSync(again);
	};

	return (fd, offset, length, took) => {
		if (fd !== current) {
			current = fd;
			written = 0;
			underWay.length = 0;
		}
		low = written === 0 ? offset : Math.min(low, offset);
		high = written === 0 ? offset + length : Math.max(high, offset + length);
		time = written === 0 ? took : time + took;
		written += length;
		if (written < STEP) return;
		written = 0;
		// For good: memory that is given back is fast.
		givesBack ||= time > SLOW && !readAgain;
		if (durable || givesBack) sync(fd, low, high - low, SYNC_FILE_RANGE_WRITE);
		if (!givesBack) return;
		underWay.push({ offset: low, length: high - low });
		if (underWay.length > UNDER_WAY) finish(underWay.shift() as Range);
	};
};
