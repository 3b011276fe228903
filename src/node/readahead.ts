import { Advice, fadvise } from './fadvise.ts';

/** In bytes: as much as is worth a call. Twice and four times as much were no faster. */
const STEP = 1024 * 1024;
/** Ranges this far apart, or less, are read as one. */
const GAP = 64 * 1024;

/**
 * Has the system begin to read what will be needed. Give it every range of the sources, in the order in which they will be read.
 *
 * The system reads ahead by itself of one who reads front to back; several threads that read one file in turn look to it like none. What is in memory
 * costs a look. It promises nothing.
 */
export const readahead = (): ((fd: number, offset: number, length: number) => void) => {
	const advise = fadvise();
	if (!advise) return () => {};
	let current = -1;
	let low = 0;
	let high = 0;

	const begin = (): void => {
		if (high > low) advise(current, low, high - low, Advice.WILLNEED);
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
