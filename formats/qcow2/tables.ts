import { alignUp } from '../../src/bytes/align.ts';
import type { Sink } from '../../src/core/sink.ts';
import { type AllocatorLimits, allocator } from './allocator.ts';
import { appender } from './appender.ts';
import type { Clusters, Replay } from './clusters.ts';
import { ENTRY, type Geometry } from './layout.ts';
import { ledger, PAGE } from './ledger.ts';
import type { Tables } from './preamble.ts';
import { writeRefcounts } from './refcounts.ts';

export type TablesPlan = {
	readonly geometry: Geometry;
	/** Those of the allocator that placed the data. */
	readonly limits: AllocatorLimits;
	readonly refcountBits: number;
	/** In entries. */
	readonly l1Size: number;
	/** Host offset at which the data ends and the tables begin; on a cluster. */
	readonly dataEnd: number;
	/** How many guest clusters are zero by pointing to a cluster of zeros. */
	readonly zeroClusters: number;
	/** Host clusters of data may be shared, and must be counted. */
	readonly counted: boolean;
};

/**
 * Write all that stands behind the data: clusters of zeros (left as a hole), the L1 table, the L2 tables and the refcounts. Gives
 * what the header must say of them, and the size of the file.
 */
export const writeTables = async (
	sink: Sink,
	{ geometry, limits, refcountBits, l1Size, dataEnd, zeroClusters, counted }: TablesPlan,
	clusters: Clusters,
): Promise<{ readonly fileSize: number; readonly tables: Tables }> => {
	const { clusterSize } = geometry;
	const zeros = sharedZeros(dataEnd, zeroClusters, limits);
	const l1TableOffset = dataEnd + zeros.size;
	const l1 = new DataView(new ArrayBuffer(l1Size * 8));
	const counts = counted ? ledger(2) : undefined;
	const replay: Replay = {
		allocator: allocator(limits),
		used(hostOffset, length) {
			const last = Math.floor((hostOffset + length - 1) / clusterSize);
			for (let n = Math.floor(hostOffset / clusterSize); n <= last; n++) counts?.set(n, counts.get(n) + 1);
		},
		zeroCluster: zeros.next,
	};

	const out = appender(sink, l1TableOffset + alignUp(l1.byteLength, clusterSize), clusterSize);
	for (const { index, bytes } of l2Tables(clusters, geometry, replay)) {
		l1.setUint32(index * 8, ENTRY.copiedHigh + Math.floor(out.position / 2 ** 32));
		l1.setUint32(index * 8 + 4, out.position % 2 ** 32);
		await out.append(bytes);
	}
	await sink.write(l1TableOffset, new Uint8Array(l1.buffer));

	const places = await writeRefcounts(out, {
		clusterSize,
		refcountBits,
		countOf(cluster) {
			const hostOffset = cluster * clusterSize;
			if (cluster === 0 || hostOffset >= l1TableOffset) return 1;
			return hostOffset >= dataEnd ? zeros.count(hostOffset) : (counts?.get(cluster) ?? 1);
		},
	});
	await out.flush();
	return { fileSize: out.position, tables: { l1Size, l1TableOffset, ...places } };
};

/** The L2 tables that there are, by their place in the L1 table. The bytes hold until the next one is asked for. */
function* l2Tables(
	clusters: Clusters,
	{ clusterSize, entriesPerTable, entrySize }: Geometry,
	replay: Replay,
): Generator<{ readonly index: number; readonly bytes: Uint8Array }> {
	const table = new DataView(new ArrayBuffer(clusterSize));
	const bytes = new Uint8Array(table.buffer);
	const { pages, width } = clusters.ledger;
	let index = -1;
	for (const [number, page] of pages) {
		for (let i = 0; i < PAGE; i++) {
			const record = page[i * width] as number;
			const second = width === 1 ? 0 : (page[i * width + 1] as number);
			if (record === 0 && second === 0) continue;
			const cluster = number * PAGE + i;
			const next = Math.floor(cluster / entriesPerTable);
			if (next !== index) {
				if (index >= 0) yield { index, bytes };
				bytes.fill(0);
				index = next;
			}
			clusters.encode(table, (cluster % entriesPerTable) * entrySize, record, second, replay);
		}
	}
	if (index >= 0) yield { index, bytes };
}

/** Version 2 has no zero flag: such clusters point to one cluster of zeros, as many as its refcount can say, then to another. */
const sharedZeros = (start: number, zeroClusters: number, { clusterSize, maxShares }: AllocatorLimits) => {
	const count = (hostOffset: number): number => Math.min(maxShares, zeroClusters - ((hostOffset - start) / clusterSize) * maxShares);
	let given = 0;
	return {
		/** In bytes. */
		size: Math.ceil(zeroClusters / maxShares) * clusterSize,
		/** How many guest clusters point to this one. */
		count,
		/** The one for the next guest cluster. */
		next() {
			const hostOffset = start + Math.floor(given++ / maxShares) * clusterSize;
			return { hostOffset, alone: count(hostOffset) === 1 };
		},
	};
};
