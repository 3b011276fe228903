import type { Source } from '../../src/core/source.ts';
import type { Findings } from '../../src/disk/findings.ts';
import { hostOffset } from './entries.ts';
import type { Header } from './header.ts';
import { LIMIT } from './layout.ts';

/** "Host cluster management": the refcounts as the image has them. One refcount block is held at a time. */
export type StoredRefcounts = {
	/** Host offset of each refcount block that can be read, 0 for the others. */
	readonly blocks: Float64Array;
	/** Of a cluster, by its number; a promise where another block must be read for it. */
	get(cluster: number): number | Promise<number>;
};

/** Read the refcount table. What is wrong with it is found, and its blocks then count nothing. */
export const openRefcounts = async (source: Source, header: Header, findings: Findings, signal?: AbortSignal): Promise<StoredRefcounts> => {
	const { refcountTable, refcountBits, geometry } = header;
	const { clusterSize } = geometry;
	const blocks = await readTable(source, refcountTable, clusterSize, findings, signal);
	const perBlock = (clusterSize * 8) / refcountBits;
	let held = -1;
	let view: DataView | undefined;

	const load = async (index: number): Promise<void> => {
		const at = blocks[index] ?? 0;
		const bytes = at === 0 ? undefined : await source.read(at, clusterSize, signal);
		view = bytes && new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
		held = index;
	};
	const inHeld = (cluster: number): number => (view ? refcountAt(view, cluster % perBlock, refcountBits) : 0);
	return {
		blocks,
		get(cluster) {
			const index = Math.floor(cluster / perBlock);
			return index === held ? inHeld(cluster) : load(index).then(() => inHeld(cluster));
		},
	};
};

const readTable = async (
	source: Source,
	{ offset, clusters }: Header['refcountTable'],
	clusterSize: number,
	findings: Findings,
	signal?: AbortSignal,
): Promise<Float64Array> => {
	const length = clusters * clusterSize;
	const wrong = (code: string, message: string, at = offset) => findings.add({ severity: 'error', code, message, offset: at });
	if (clusters === 0 || offset === 0) wrong('no-refcounts', 'there is no refcount table');
	else if (offset % clusterSize !== 0) wrong('refcount-table-unaligned', 'the refcount table does not begin on a cluster');
	else if (length > LIMIT.refcountTable)
		wrong('refcount-table-too-large', `a refcount table of ${length} bytes is over the limit of 8 MiB`);
	else if (offset + length > source.size) wrong('refcount-table-beyond-end', 'the refcount table reaches beyond the end of the file');
	else {
		const bytes = await source.read(offset, length, signal);
		const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
		return Float64Array.from({ length: length / 8 }, (_, index) => {
			const [high, low] = [view.getUint32(index * 8), view.getUint32(index * 8 + 4)];
			const at = hostOffset(high, low);
			const entry = offset + index * 8;
			if ((low & 0x1ff) !== 0 || high >>> 24 !== 0) wrong('reserved-bits', `refcount block ${index} has reserved bits set`, entry);
			else if (at % clusterSize !== 0) wrong('refcount-block-unaligned', `refcount block ${index} does not begin on a cluster`, entry);
			else if (at + clusterSize > source.size)
				wrong('refcount-block-beyond-end', `refcount block ${index} is beyond the end of the file`, entry);
			else return at;
			return 0;
		});
	}
	return new Float64Array();
};

/** "Refcount block": those of less than a byte begin at its lowest bit. One over 2^53 is not exact, and wrong in any case. */
const refcountAt = (block: DataView, index: number, bits: number): number => {
	if (bits === 64) return block.getUint32(index * 8) * 2 ** 32 + block.getUint32(index * 8 + 4);
	if (bits === 32) return block.getUint32(index * 4);
	if (bits === 16) return block.getUint16(index * 2);
	const bit = index * bits;
	return (block.getUint8(bit >> 3) >> (bit & 7)) & (2 ** bits - 1);
};
