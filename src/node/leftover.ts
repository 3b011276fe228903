/** What an interrupted run has left of a file. */
export type Leftover = {
	/** The partial file, which may be gone while its journal is there; or the folder of a spool. */
	readonly name: string;
	/** Bytes that it takes on the disk. */
	readonly size: number;
	/** When it was last written to. */
	readonly modified: Date;
	/** `busy`: a run is at work on it. `young`: it was written to since. */
	readonly state: 'removed' | 'busy' | 'young';
};

export type CleanOptions = {
	/** Leave what was written to since. */
	readonly before?: Date | undefined;
	/** Remove nothing, and say what would be. */
	readonly dryRun?: boolean | undefined;
};
