import { Advice, fadvise } from './fadvise.ts';
import { native } from './native.ts';

/** In bytes: as much as is worth a call. Twice and four times as much were no faster. */
const STEP = 1024 * 1024;
/** Ranges this far apart, or less, are read as one. */
const GAP = 64 * 1024;

type Syscall = (number: number, fd: number, range: BigUint64Array, counts: BigUint64Array, flags: number) => number;

/** The number of cachestat(2), which Linux has from 6.5 on. The C library has no name for it yet. */
const CACHESTAT = 451;

/** Whether a byte of a file is in memory, asked in a tenth of the time that advice takes; false where it cannot be asked. */
export const residency = (): ((fd: number, offset: number) => boolean) => {
	const known = process.arch === 'x64' || process.arch === 'arm64';
	const call =
		known &&
		(native()?.load(null).func('long syscall(long number, int fd, void *range, void *counts, uint32 flags)') as Syscall | undefined);
	if (!call) return () => false;
	// Offset and length; and of pages, first how many are there.
	const range = new BigUint64Array(2);
	const counts = new BigUint64Array(5);
	return (fd, offset) => {
		range.set([BigInt(offset), 1n]);
		return call(CACHESTAT, fd, range, counts, 0) === 0 && counts[0] !== 0n;
	};
};

/**
 * Has the system begin to read what will be needed. Give it every range of the sources, in the order in which they will be read.
 *
 * The system reads ahead by itself of one who reads front to back; several threads that read one file in turn look to it like none. It promises nothing.
 */
export const readahead = (): ((fd: number, offset: number, length: number) => void) => {
	const advise = fadvise();
	if (!advise) return () => {};
	const isInMemory = residency();
	let current = -1;
	let low = 0;
	let high = 0;

	const begin = (): void => {
		if (high > low && !isInMemory(current, high - 1)) advise(current, low, high - low, Advice.WILLNEED);
		low = high;
	};

	return (fd, offset, length) => {
		if (fd !== current || offset < low || offset > high + GAP) {
			begin();
			current = fd;
			low = offset;
			high = offset;
		}
		high = Math.max(high, offset + length);
		if (high - low >= STEP) begin();
	};
};
