import { type Limits, refuseOver } from '../../src/core/limits.ts';
import type { Source } from '../../src/core/source.ts';
import type { Findings } from '../../src/disk/findings.ts';

/** What a cluster is used for, as bits above its count. Any table is a structure as well. */
const ROLE = {
	data: 0x8000_0000,
	structure: 0x4000_0000,
	l2: 0x6000_0000,
	/** An L2 table of the disk as it is, not only of a snapshot. */
	activeL2: 0x7000_0000,
	/** A table that leads to others: an L1 table, or that of a bitmap. */
	table: 0x4800_0000,
} as const;

type Role = keyof typeof ROLE;

/** More uses of one cluster than these are counted as these. */
const COUNT = 0x07ff_ffff;

/** Who uses which cluster of the image. */
export type Census = {
	/** In clusters: the length of the file, rounded up. */
	readonly size: number;
	/** How often a cluster is used. */
	uses(cluster: number): number;
	has(cluster: number, role: Role): boolean;
	/**
	 * A range of host bytes is used, so often; once where left out. False where it is not within the file; that is found, and not counted.
	 */
	use(what: string, offset: number, length: number, role: Role, times?: number): boolean;
	/**
	 * The same for a table that leads to others. False as well where it shares a cluster with another one of those; that is found. All
	 * tables to which this says yes take no more than the file.
	 */
	useTable(what: string, offset: number, length: number): boolean;
};

/** @throws UnsupportedError for a file of more clusters than can be counted. */
export const takeCensus = (source: Source, clusterSize: number, findings: Findings, limits?: Limits): Census => {
	const size = Math.ceil(source.size / clusterSize);
	refuseOver('check-memory', size * Uint32Array.BYTES_PER_ELEMENT, source.name, limits);
	const counts = new Uint32Array(size);
	/** Clusters for further tables: sound ones share none, so that they fit into the file. */
	let room = size;
	const wrong = (code: string, message: string, offset: number, count = 1) =>
		findings.add({ severity: 'error', code, message, offset, ...(count > 1 && { count }) });
	const has = (cluster: number, role: Role): boolean => ((counts[cluster] ?? 0) & ROLE[role]) >>> 0 === ROLE[role];

	const use: Census['use'] = (what, offset, length, role, times = 1) => {
		if (length === 0) return true;
		// QEMU does not fill up the last cluster of a file.
		if (offset + length - source.size >= clusterSize) {
			wrong('beyond-end', `${what} is beyond the end of the file`, offset, times);
			return false;
		}
		for (let cluster = Math.floor(offset / clusterSize); cluster * clusterSize < offset + length; cluster++) {
			const before = counts[cluster] ?? 0;
			counts[cluster] = (before & ~COUNT) | ROLE[role] | Math.min(COUNT, (before & COUNT) + times);
		}
		return true;
	};

	return {
		size,
		uses: (cluster) => (counts[cluster] ?? 0) & COUNT,
		has,
		use,
		useTable(what, offset, length) {
			if (offset + length > source.size) {
				wrong('beyond-end', `${what} is beyond the end of the file`, offset);
				return false;
			}
			const [first, end] = [Math.floor(offset / clusterSize), Math.ceil((offset + length) / clusterSize)];
			let isShared = end - first > room;
			for (let cluster = first; cluster < end && !isShared; cluster++) isShared = has(cluster, 'table');
			if (isShared) wrong('table-shared', `${what} is where another table is, and is passed over`, offset);
			else room -= end - first;
			return !isShared && use(what, offset, length, 'table');
		},
	};
};
