/** Bytes that can be read at any offset: a file, memory, part of another source. */
export interface Source {
	/** What to call it in a message: a path, never a secret. */
	readonly name: string;
	/** In bytes. */
	readonly size: number;
	/** What it is, whatever it is called: two names of one file have one identity. Cycles in chains are found by it. */
	readonly identity: string;
	/**
	 * Exactly `length` bytes, the caller's to keep or change.
	 * @throws CorruptError if the source ends first, AccessError if reading fails.
	 */
	read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array>;
	/** The same into all of `bytes`, which the reader keeps: for what reads gigabytes. Absent where it would save nothing. */
	readInto?(offset: number, bytes: Uint8Array, signal?: AbortSignal): Promise<void>;
	/**
	 * The ranges of `[offset, offset + length)` that may hold something else than zeros, ascending; the rest are holes.
	 * Absent where the store cannot tell without reading.
	 */
	allocated?(offset: number, length: number): AsyncIterable<ByteRange>;
	/** Called once, when nothing is read any more; what it throws is not heard. */
	close(): Promise<void>;
}

/** Bytes that come once, front to back, and end nobody knows where: a pipe. */
export interface Stream {
	/** What to call it in a message. */
	readonly name: string;
	/** How many bytes were read so far. */
	readonly position: number;
	/** The next bytes, without passing them: `length`, or as many as are left. */
	peek(length: number): Promise<Uint8Array>;
	/** Exactly `length` bytes. @throws CorruptError if it ends first. */
	read(length: number, signal?: AbortSignal): Promise<Uint8Array>;
	/** Called once, when nothing is read any more; what it throws is not heard. */
	close(): Promise<void>;
}

/** A run of bytes of a file. */
export type ByteRange = { readonly offset: number; readonly length: number };
