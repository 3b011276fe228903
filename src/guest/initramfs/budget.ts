/** What all initramfs of a guest may cost together; it is spent as they are read. */
export type InitramfsBudget = {
	/** Compressed streams. */
	streams: number;
	/** Files in archives. */
	entries: number;
	/** What archives may hold, in bytes; of it only names are kept. */
	bytes: number;
	/** What compressed streams may expand to, in bytes. */
	expanded: number;
	/** What they may expand to before more of them is read, in bytes. */
	ahead: number;
};

/** Real ones have a handful. */
const MOST_STREAMS = 1000;

/** Real ones have tens of thousands of files at the most, with all firmware; and come to 600 MiB. */
const MOST_ENTRIES = 250_000;

const LARGEST = 2 ** 30;

/**
 * What a compressed byte may come to, on the whole. Real initramfs are below 10, where compressors pack zeros a thousand times and more:
 * the time that an image takes follows its size.
 */
export const LARGEST_RATIO = 25;

/** So much may expand from next to nothing, in bytes: a file of zeros in a real one, a small one that was not stripped. */
const HEAD_START = 64 << 20;

export const initramfsBudget = (): InitramfsBudget => ({
	streams: MOST_STREAMS,
	entries: MOST_ENTRIES,
	bytes: LARGEST,
	expanded: LARGEST,
	ahead: HEAD_START,
});

export const TOO_LARGE = 'the initramfs is larger than any that vconv looks into, or all together are';
