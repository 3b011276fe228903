import type { ByteRange } from '../core/source.ts';
import { native } from './native.ts';

const SEEK_DATA = 3;
const SEEK_HOLE = 4;

type Seek = (fd: number, offset: number, whence: number) => number;

let seek: Seek | null | undefined;

/** lseek(2), which Node does not have; null where it cannot be called. */
const lseek = (): Seek | null => {
	if (seek === undefined) {
		seek = (native()?.load(null).func('int64 lseek(int fd, int64 offset, int whence)') as Seek | undefined) ?? null;
	}
	return seek;
};

/** Whether holes can be told without reading. For `--verbose`. */
export const canSeekHoles = (): boolean => lseek() !== null;

/** The ranges of a file that may hold data. */
export async function* dataRuns(fd: number, offset: number, length: number): AsyncGenerator<ByteRange> {
	const end = offset + length;
	const find = lseek();
	if (!find) {
		if (length > 0) yield { offset, length };
		return;
	}
	for (let at = offset; at < end; ) {
		const start = Number(find(fd, at, SEEK_DATA));
		if (start < 0) {
			// ENXIO: nothing but a hole up to the end. Any other error: the file system cannot tell, so all of it is data.
			if (Number(find(fd, at, SEEK_HOLE)) < 0) yield { offset: at, length: end - at };
			return;
		}
		if (start >= end) return;
		const hole = Number(find(fd, start, SEEK_HOLE));
		// Cut off meanwhile: reading there says so.
		const stop = hole < 0 ? end : Math.min(end, hole);
		yield { offset: start, length: stop - start };
		at = stop;
	}
}
