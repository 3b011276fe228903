/** The SHA-256 of bytes, 32 of them: WebCrypto's takes a promise, node:crypto's does not. */
export type Sha256 = (bytes: Uint8Array) => Uint8Array | Promise<Uint8Array>;

/** Leaves of blocks that adjoin, none of them all zeros. */
export type LeafRun = {
	/** Number of the first block: its guest offset is so many times the size of a block. */
	readonly block: number;
	/** 32 bytes for each block. */
	readonly hashes: Uint8Array;
};

/** Hears the leaves of a disk from whoever reads it. */
export type LeafTaker = {
	readonly sha256: Sha256;
	/** Virtual size in bytes of the disk that is hashed: at least that of the disk that is read, behind whose end are zeros. */
	readonly size: number;
	/** Takes a copy. In guest order; a block that is told again counts as it is told last. */
	add(run: LeafRun): void;
};
