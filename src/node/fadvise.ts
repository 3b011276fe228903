import { native } from './native.ts';

/** posix_fadvise(2): gives 0, or the number of an error, which nobody needs to heed. */
export type Fadvise = (fd: number, offset: number, length: number, advice: number) => number;

/** Of Linux. */
export const Advice = { WILLNEED: 3, DONTNEED: 4 } as const;

/** Undefined where it cannot be called. */
export const fadvise = (): Fadvise | undefined =>
	native()?.load(null).func('int posix_fadvise(int fd, int64 offset, int64 length, int advice)') as Fadvise | undefined;
