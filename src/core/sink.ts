import type { Begun, Undertaking } from './journal.ts';

/** A file that is being written, at any offset. What was never written reads as zeros. */
export interface Sink {
	/** The plain name that the file will have, by which the files of an image name each other. */
	readonly name: string;
	/** What to call it in a message, where that is more than its name. */
	readonly path?: string | undefined;
	/** Write all of `bytes` at `hostOffset`. @throws AccessError, also when the store is full. */
	write(hostOffset: number, bytes: Uint8Array): Promise<void>;
	/** Give the file this length in bytes; what is added reads as zeros. */
	resize(size: number): Promise<void>;
}

/** Where a conversion goes: one file, or several that appear together. Nothing has its name before `commit`. */
export interface Target {
	/** The file the user named. */
	readonly main: Sink;
	/** A further file in the same folder, by its plain name: an extent of a split image. */
	beside(name: string): Promise<Sink>;
	/** Make everything durable, then give it its names, `main` last. */
	commit(): Promise<void>;
	/** Remove every trace of what was begun. */
	abandon(): Promise<void>;
	/**
	 * Say what is to be written, before anything is. Absent where nothing can be taken up again.
	 * @throws ChangedError, AccessError if what an interrupted run has left is that of another undertaking.
	 */
	begin?(undertaking: Undertaking): Promise<Begun>;
	/** Keep what is written for a run that takes it up again, if it can be kept; else as `abandon`. */
	suspend?(): Promise<void>;
}
