import { type Header, header, MAGIC } from '../../../formats/parallels/layout.ts';
import { patternBytes, type Runs } from '../../helpers/pattern.ts';

/** The disk whose clusters are pattern bytes where `clusters` says so. */
export const clustersOf = (clusters: readonly boolean[], tracks = 8): { size: number; data: Runs } => ({
	size: clusters.length * tracks * 512,
	data: clusters.flatMap((stored, i) => (stored ? [[i * tracks * 512, tracks * 512] as const] : [])),
});

/** An expandable image of it: header, BAT, clusters in the order of the disk. */
export const parallelsBytes = (clusters: readonly boolean[], changes: Partial<Header> = {}): Uint8Array => {
	const { magic = MAGIC.clusters, tracks = 8 } = changes;
	const clusterSize = tracks * 512;
	const unit = magic === MAGIC.clusters ? clusterSize : 512;
	const dataOffset = Math.ceil((header.size + clusters.length * 4) / unit) * unit;
	const stored = clusters.filter(Boolean).length;
	const bytes = new Uint8Array(dataOffset + stored * clusterSize);
	const view = new DataView(bytes.buffer);
	bytes.set(
		header.encode({
			magic,
			version: 2,
			heads: 16,
			cylinders: 1,
			tracks,
			batEntries: clusters.length,
			sectors: clusters.length * tracks,
			sectorsHigh: 0,
			inUse: 0,
			dataOffset: magic === MAGIC.clusters ? dataOffset / 512 : 0,
			flags: 0,
			extensionOffset: 0n,
			...changes,
		}),
	);
	let next = dataOffset;
	for (const [i, isStored] of clusters.entries()) {
		if (!isStored) continue;
		view.setUint32(header.size + i * 4, next / unit, true);
		bytes.set(patternBytes(i * clusterSize, clusterSize), next);
		next += clusterSize;
	}
	return bytes;
};
