import { alignUp } from '../../src/bytes/align.ts';
import { humanSize } from '../../src/bytes/size.ts';
import type { DiskWriter, Packing } from '../../src/core/format.ts';
import { refuseLarger } from '../../src/core/limits.ts';
import { UnsupportedError } from '../../src/errors.ts';
import { allocator } from './allocator.ts';
import { subclusters, wholeClusters } from './clusters.ts';
import { type Geometry, LIMIT } from './layout.ts';
import { qcow2Options, type Settings, settingsOf } from './options.ts';
import { preamble } from './preamble.ts';
import { refcountedEnd, refcountSize, tooLarge } from './refcounts.ts';
import { writeTables } from './tables.ts';

/**
 * QCOW2 images, versions 2 and 3: the header's cluster, the guest's data in guest order, then all tables.
 *
 * Until the tables are written it holds 1 byte for each guest cluster that it was told of, 2 where clusters are packed (4 if they
 * are over 64 KiB) and 8 with subclusters: 16 MiB for a TiB of scattered data, 32 MiB for a TiB of packed data, and next to nothing
 * for stretches of 8192 clusters that are all data or all zeros. For packed data it takes 2 bytes a host cluster in the end.
 */
export const qcow2Writer: DiskWriter = {
	options: qcow2Options,
	plan(request) {
		const settings = settingsOf(request);
		const { geometry, version, refcountBits } = settings;
		const { clusterSize, clusterBits } = geometry;
		const { backing, compress } = request;
		const size = alignUp(request.size, 512);
		const l1Size = Math.ceil(size / geometry.tableSpan);
		checkSize(size, l1Size, geometry);
		const header = preamble(settings, size, backing);

		const limits = {
			clusterSize,
			maxShares: Math.min(2 ** refcountBits - 1, 0xffff),
			maxEnd: Math.min(refcountedEnd(clusterSize, refcountBits), 2 ** (70 - clusterBits)),
		};
		const places = allocator(limits);
		const preallocated = settings.preallocation !== 'off';
		const reserved = preallocated ? Math.ceil(size / clusterSize) : 0;
		const bySubcluster = geometry.extendedL2 && !compress && !preallocated;
		const clusters = bySubcluster
			? subclusters(geometry, places, backing !== undefined)
			: wholeClusters(geometry, places, { version, packing: compress, reserved });
		let zeroed = 0;

		return {
			size,
			block: bySubcluster ? geometry.unit : clusterSize,
			packing: compress ? packing(settings) : undefined,
			dense: settings.preallocation === 'full',
			fixedAt: preallocated ? clusterSize : undefined,
			place: (guestOffset, _, stored, packed) => clusters.place(guestOffset, stored, packed),
			...(backing && {
				zero(guestOffset: number, length: number) {
					// Beyond the end of the backing file everything reads as zeros anyway.
					const covered = Math.min(length, backing.size - guestOffset);
					if (covered <= 0) return;
					clusters.zero(guestOffset, covered);
					zeroed += Math.ceil(covered / clusterSize);
				},
			}),
			outline: {
				unit: clusterSize,
				span: geometry.tableSpan,
				reserved: preallocated,
				others(data, tables) {
					if ((1 + data) * clusterSize > limits.maxEnd) throw tooLarge(limits.maxEnd);
					const used = 1 + data + Math.ceil((l1Size * 8) / clusterSize) + tables;
					const { blocks, tableClusters } = refcountSize(used, clusterSize, refcountBits);
					return (used + blocks + tableClusters - data) * clusterSize;
				},
			},
			async finish([sink]) {
				if (!sink) return;
				const zeroClusters = version === 2 ? zeroed : 0;
				const plan = { geometry, limits, refcountBits, l1Size, dataEnd: places.end, zeroClusters, counted: compress };
				const { fileSize, tables } = await writeTables(sink, plan, clusters);
				await sink.resize(fileSize);
				await sink.write(0, header(tables));
			},
		};
	},
};

/** @throws UnsupportedError for a disk that is too large for such clusters, or for QCOW2 as QEMU and we read it. */
const checkSize = (size: number, l1Size: number, { clusterSize, tableSpan }: Geometry): void => {
	refuseLarger('a QCOW2', size);
	if (l1Size * 8 > LIMIT.l1Table) {
		const most = (LIMIT.l1Table / 8) * tableSpan;
		throw new UnsupportedError(
			`with clusters of ${humanSize(clusterSize)} a disk has at most ${humanSize(most)}, this one ${humanSize(size)}`,
			{
				field: 'l1Size',
				hint: 'a larger cluster_size',
			},
		);
	}
};

/**
 * "Compressed Clusters Descriptor". A cluster is packed where that saves a sector: then the sectors that its bytes lie in, wherever
 * they begin, are less than a cluster too, which some readers count on. Clusters of one sector are packed if they save a byte.
 */
const packing = ({ compression, level, geometry }: Settings): Packing => ({
	method: compression === 'zlib' ? 'deflate' : 'zstd',
	level,
	windowBits: 12,
	always: false,
	atMost: Math.max(geometry.clusterSize - 512, 511),
});
