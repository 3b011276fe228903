import { createRequire } from 'node:module';

type Koffi = typeof import('koffi');

let koffi: Koffi | null | undefined;

/**
 * koffi, by which functions of the system's libraries can be called that Node does not have. An optional dependency: undefined where it is
 * not installed, or not on Linux, whose calls we know; everything works without it.
 */
export const native = (): Koffi | undefined => {
	if (koffi === undefined) {
		try {
			koffi = process.platform === 'linux' ? (createRequire(import.meta.url)('koffi') as Koffi) : null;
		} catch {
			koffi = null;
		}
	}
	return koffi ?? undefined;
};

const frees: (() => void)[] = [];

/** What a library has made for this thread, to be freed with `freeNative`. */
export const ownNative = (free: () => void): void => void frees.push(free);

/** The end of a thread: what libraries have made for it would stay with the process. Nothing of theirs may be called after it. */
export const freeNative = (): void => {
	for (const free of frees.splice(0)) free();
};
