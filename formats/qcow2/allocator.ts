import { tooLarge } from './refcounts.ts';

/** Hands out host space, front to back. The same requests get the same places every time. */
export type Allocator = {
	/** The first host offset that is free; on a cluster. */
	readonly end: number;
	/** `count` whole clusters in a row. */
	clusters(count?: number): number;
	/** Room for packed bytes, which share clusters with others: at most a cluster of them. */
	bytes(length: number): number;
};

export type AllocatorLimits = {
	readonly clusterSize: number;
	/** How many packed clusters may have a part in one host cluster: what a refcount can say. */
	readonly maxShares: number;
	/** The host offset that nothing may pass. */
	readonly maxEnd: number;
};

/** Cluster 0 is taken: the header is there. @throws UnsupportedError from its functions, once the limit is passed. */
export const allocator = ({ clusterSize, maxShares, maxEnd }: AllocatorLimits): Allocator => {
	let end = clusterSize;
	/** What is left of the cluster that packed bytes were last put into. */
	let free = 0;
	let freeEnd = 0;
	let shares = 0;

	const clusters = (count = 1): number => {
		const at = end;
		end += count * clusterSize;
		if (end > maxEnd) throw tooLarge(maxEnd);
		return at;
	};
	return {
		get end() {
			return end;
		},
		clusters,
		bytes(length) {
			if (shares === maxShares) free = freeEnd;
			const fits = free + length <= freeEnd;
			// They may run on into the next cluster, but only where that is the next in the file too.
			const at = fits || freeEnd === end ? free : end;
			if (!fits) {
				clusters();
				freeEnd = end;
				shares = 0;
			}
			shares++;
			free = at + length;
			return at;
		},
	};
};
