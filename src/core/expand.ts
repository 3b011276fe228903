/** Bytes that come one after another, once: a file of a guest, or what one expands to. */
export interface ByteStream {
	/** The next `length` bytes, which stay next; fewer only at the end. They are never to be changed. */
	peek(length: number): Promise<Uint8Array>;
	/** The next `length` bytes; fewer only at the end. */
	take(length: number): Promise<Uint8Array>;
	/** Whatever is at hand, as it was read; undefined at the end. */
	some(): Promise<Uint8Array | undefined>;
	/** These come next again. */
	unread(bytes: Uint8Array): void;
	/** Pass over so many bytes; how many there were. */
	skip(length: number): Promise<number>;
}

/** Compressed streams as they are found in an initramfs. */
export type StreamMethod = 'gzip' | 'zstd' | 'xz' | 'lz4' | 'bzip2' | 'lzma' | 'lzo';

/**
 * What one compressed stream expands to, in parts. It begins where `stream` stands, and ends with `stream` right behind it.
 * @throws Error (without a place; the caller knows it) if it is damaged, UnsupportedError if it wants too much memory.
 */
export type Expander = (stream: ByteStream) => AsyncIterable<Uint8Array>;

/** The methods that a platform can expand. */
export type Expanders = Readonly<Partial<Record<StreamMethod, Expander>>>;
