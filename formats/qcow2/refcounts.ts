import { humanSize } from '../../src/bytes/size.ts';
import { UnsupportedError } from '../../src/errors.ts';
import type { Appender } from './appender.ts';
import { LIMIT } from './layout.ts';

export type Refcounts = {
	readonly clusterSize: number;
	readonly refcountBits: number;
	/** Of a host cluster below `end`, by its number. */
	countOf(cluster: number): number;
};

/**
 * Append the refcount blocks and then the refcount table. They count all that is before them, and themselves.
 * @throws as `refcountSize`.
 */
export const writeRefcounts = async (
	out: Appender,
	{ clusterSize, refcountBits, countOf }: Refcounts,
): Promise<{ readonly refcountTableOffset: number; readonly refcountTableClusters: number }> => {
	const used = out.position / clusterSize;
	const { blocks, tableClusters } = refcountSize(used, clusterSize, refcountBits);
	const total = used + blocks + tableClusters;
	const perBlock = (clusterSize * 8) / refcountBits;
	const table = new DataView(new ArrayBuffer(tableClusters * clusterSize));
	const block = new DataView(new ArrayBuffer(clusterSize));
	const bytes = new Uint8Array(block.buffer);
	for (let n = 0; n < blocks; n++) {
		bytes.fill(0);
		for (let i = 0, cluster = n * perBlock; i < perBlock && cluster < total; i++, cluster++) {
			setRefcount(block, i, refcountBits, cluster < used ? countOf(cluster) : 1);
		}
		table.setBigUint64(n * 8, BigInt(out.position));
		await out.append(bytes);
	}
	const refcountTableOffset = out.position;
	for (let n = 0; n < tableClusters; n++) await out.append(new Uint8Array(table.buffer, n * clusterSize, clusterSize));
	return { refcountTableOffset, refcountTableClusters: tableClusters };
};

/**
 * How much room the refcounts of `used` clusters take, and of the clusters that they are in themselves.
 * @throws UnsupportedError if the table would be larger than QEMU takes.
 */
export const refcountSize = (
	used: number,
	clusterSize: number,
	refcountBits: number,
): { readonly blocks: number; readonly tableClusters: number } => {
	const perBlock = (clusterSize * 8) / refcountBits;
	let blocks = 0;
	let tableClusters = 0;
	for (;;) {
		const needed = Math.ceil((used + blocks + tableClusters) / perBlock);
		if (needed * 8 > LIMIT.refcountTable) throw tooLarge(refcountedEnd(clusterSize, refcountBits));
		if (needed === blocks) return { blocks, tableClusters };
		blocks = needed;
		tableClusters = Math.ceil((needed * 8) / clusterSize);
	}
};

/** The host offset that no image can pass: its refcount table would be larger than QEMU takes. */
export const refcountedEnd = (clusterSize: number, refcountBits: number): number =>
	(LIMIT.refcountTable / 8) * ((clusterSize * 8) / refcountBits) * clusterSize;

/** What is said of an image that would pass its end. */
export const tooLarge = (end: number): UnsupportedError =>
	new UnsupportedError(`the image grows over ${humanSize(end)}, the most that clusters and refcounts of this size can hold`, {
		hint: 'a larger cluster_size, or fewer refcount_bits',
	});

/** "Refcount block": set an entry that is still 0. Those of less than a byte begin at its lowest bit. */
const setRefcount = (block: DataView, index: number, refcountBits: number, count: number): void => {
	if (refcountBits >= 32) block.setUint32((index + 1) * (refcountBits / 8) - 4, count);
	else if (refcountBits === 16) block.setUint16(index * 2, count);
	else {
		const bit = index * refcountBits;
		block.setUint8(bit >> 3, block.getUint8(bit >> 3) | (count << (bit & 7)));
	}
};
