/** The time and fresh ids, for headers that want them. Given, not taken, so that the same input gives the same bytes. */
export type Stamp = {
	readonly now: Date;
	/** 16 fresh bytes. */
	id(): Uint8Array;
};
