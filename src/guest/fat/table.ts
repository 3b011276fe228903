import { CorruptError } from '../../errors.ts';
import type { BlockDevice } from '../device.ts';
import type { Geometry } from './geometry.ts';

/** Clusters that follow each other on the volume. */
export type ClusterRun = { readonly cluster: number; readonly count: number };

/** The file allocation table: which cluster follows which. */
export type ClusterTable = {
	/** What the table says of a cluster, without the bits that are reserved. */
	entry(cluster: number): Promise<number>;
	/**
	 * The clusters of a chain, joined where they adjoin.
	 * @param limit how many are asked for; there may be fewer.
	 * @throws CorruptError where the chain leaves the volume, meets a free or bad cluster, or comes back to itself.
	 */
	chain(first: number, limit: number): Promise<readonly ClusterRun[]>;
	/** How many clusters are free. It reads the whole table. */
	free(): Promise<number>;
};

/** Bytes of the table held at a time: entries of all three widths fill it, and all of FAT12's table is in the first. */
const WINDOW = 3 * 4096;

export const clusterTable = (device: BlockDevice, geometry: Geometry): ClusterTable => {
	const { bits, clusters, tableAt } = geometry;
	const end = Math.ceil(((clusters + 2) * bits) / 8);
	const bad = 2 ** (bits === 32 ? 28 : bits) - 9;
	let held: { readonly at: number; readonly view: DataView } | undefined;

	/** The entry, where the window that it is in is held: a chain has thousands, and waiting for each takes longer than all else. */
	const heldEntry = (cluster: number): number | undefined => {
		const at = Math.floor((cluster * bits) / 8);
		const within = at % WINDOW;
		if (held?.at !== at - within) return undefined;
		const { view } = held;
		if (bits === 32) return view.getUint32(within, true) & 0x0fff_ffff;
		if (bits === 16) return view.getUint16(within, true);
		const pair = view.getUint8(within) | (view.getUint8(within + 1) << 8);
		return cluster % 2 === 1 ? pair >> 4 : pair & 0x0fff;
	};

	const entry = async (cluster: number): Promise<number> => {
		const at = Math.floor((cluster * bits) / 8);
		const start = at - (at % WINDOW);
		const bytes = await device.read(tableAt + start, Math.min(WINDOW, end - start));
		held = { at: start, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) };
		return heldEntry(cluster) ?? 0;
	};

	return {
		entry,
		async chain(first, limit) {
			const runs: { cluster: number; count: number }[] = [];
			let cluster = first;
			for (let seen = 0; seen < limit; seen++) {
				if (cluster < 2 || cluster >= clusters + 2) {
					throw new CorruptError(`a chain leads to cluster ${cluster}, and there are 2 to ${clusters + 1}`, { path: device.name });
				}
				if (seen >= clusters) throw circular(device);
				const last = runs.at(-1);
				if (last && last.cluster + last.count === cluster) last.count++;
				else runs.push({ cluster, count: 1 });
				cluster = heldEntry(cluster) ?? (await entry(cluster));
				if (cluster > bad) break;
			}
			if (overlap(runs)) throw circular(device);
			return runs;
		},
		async free() {
			let free = 0;
			for (let cluster = 2; cluster < clusters + 2; cluster++) {
				if ((heldEntry(cluster) ?? (await entry(cluster))) === 0) free++;
			}
			return free;
		},
	};
};

const overlap = (runs: readonly ClusterRun[]): boolean => {
	const sorted = runs.toSorted((a, b) => a.cluster - b.cluster);
	return sorted.some(({ cluster, count }, index) => cluster + count > (sorted[index + 1]?.cluster ?? Number.POSITIVE_INFINITY));
};

const circular = ({ name }: BlockDevice): CorruptError => new CorruptError('a chain of clusters comes back to itself', { path: name });
