/** A file of a guest, or memory, that is read a piece at a time. */
export type HiveFile = {
	/** Its path in the guest, for messages. */
	readonly name: string;
	/** In bytes. */
	readonly size: number;
	/** Exactly `length` bytes, which are within `size`. They are not changed. */
	read(offset: number, length: number): Promise<Uint8Array>;
};
