import { joinBytes } from '../../bytes/join.ts';
import { CorruptError } from '../../errors.ts';
import type { BlockDevice } from '../device.ts';
import type { DirectoryEntry, FileNode, FileSystem } from '../filesystem.ts';
import { directoryEntries } from './directory.ts';
import { type Geometry, readGeometry } from './geometry.ts';
import { ATTRIBUTE, LARGEST_DIRECTORY, STATE } from './layout.ts';
import { type ClusterRun, type ClusterTable, clusterTable } from './table.ts';

/** Free clusters are counted where the table has no more than so many bytes: that of a system partition of 4 GiB does. */
const LARGEST_COUNTED_TABLE = 4 << 20;

type FatNode = FileNode & { readonly kind: 'file' | 'directory'; readonly cluster: number };

type FatEntry = DirectoryEntry & FatNode;

/** @throws CorruptError if it is no FAT volume. */
export const openFat = async (device: BlockDevice): Promise<FileSystem<FatNode, FatEntry>> => {
	const geometry = await readGeometry(device);
	const { bits, clusterSize, clusters, dataAt, volume } = geometry;
	const table = clusterTable(device, geometry);
	const chains = new WeakMap<FatNode, readonly ClusterRun[]>();
	const offsetOf = (cluster: number): number => dataAt + (cluster - 2) * clusterSize;
	const rootNode: FatNode = { id: 0, kind: 'directory', size: 0, cluster: geometry.rootCluster };

	/** Where the clusters of a node are, as they are needed for `size` bytes. */
	const chain = async (node: FatNode, size: number): Promise<readonly ClusterRun[]> => {
		const runs = chains.get(node) ?? (await table.chain(node.cluster, Math.ceil(size / clusterSize)));
		chains.set(node, runs);
		return runs;
	};

	/** The bytes of a directory, with the offset on the volume of each piece. */
	const pieces = async (node: FatNode): Promise<readonly { readonly at: number; readonly bytes: Uint8Array }[]> => {
		if (node === rootNode && bits !== 32) {
			return [{ at: geometry.rootAt, bytes: await device.read(geometry.rootAt, geometry.rootSize) }];
		}
		const read = [];
		const runs = await chain(node, LARGEST_DIRECTORY + clusterSize);
		if (runs.reduce((sum, { count }) => sum + count, 0) * clusterSize > LARGEST_DIRECTORY) {
			throw new CorruptError(`a directory of more than ${LARGEST_DIRECTORY} bytes`, { path: device.name, offset: offsetOf(node.cluster) });
		}
		for (const { cluster, count } of runs) {
			read.push({ at: offsetOf(cluster), bytes: await device.read(offsetOf(cluster), count * clusterSize) });
		}
		return read;
	};

	const entriesOf = async (node: FatNode) => {
		const parts = await pieces(node);
		const bytes = joinBytes(parts.map((part) => part.bytes));
		return directoryEntries(bytes, device.name).map((entry) => ({ ...entry, id: onVolume(parts, entry.at) }));
	};

	const labelEntry = (await entriesOf(rootNode)).find(({ attributes }) => attributes & ATTRIBUTE.label);
	const stored = volume.signature === 0x29 ? String.fromCharCode(...volume.label).trimEnd() : '';
	const label = labelEntry?.name ?? stored;
	const state = await volumeState(device, geometry, table);

	return {
		type: 'vfat',
		label: label === '' || label === 'NO NAME' ? undefined : label,
		uuid: volumeId(volume),
		size: geometry.size,
		blockSize: clusterSize,
		free: ((clusters + 2) * bits) / 8 <= LARGEST_COUNTED_TABLE ? (await table.free()) * clusterSize : undefined,
		clean: !state.includes('dirty'),
		state,
		caseInsensitive: true,
		root: async () => rootNode,
		async list(directory) {
			const found: FatEntry[] = [];
			for (const { name, id, attributes, cluster: first, size } of await entriesOf(directory)) {
				if (attributes & ATTRIBUTE.label) continue;
				const cluster = bits === 32 ? first % 0x1000_0000 : first % 0x1_0000;
				if (attributes & ATTRIBUTE.directory) found.push({ name, id, kind: 'directory', size: 0, cluster });
				else found.push({ name, id, kind: 'file', size, cluster });
			}
			return found;
		},
		node: async (entry) => entry,
		async read(file, offset, length) {
			if (offset + length > file.size) throw new CorruptError(`its file has only ${file.size} bytes`, { path: device.name });
			const out = new Uint8Array(length);
			if (length === 0) return out;
			let at = 0;
			for (const { cluster, count } of await chain(file, file.size)) {
				const start = Math.max(offset, at);
				const end = Math.min(offset + length, at + count * clusterSize);
				if (start < end) out.set(await device.read(offsetOf(cluster) + start - at, end - start), start - offset);
				at += count * clusterSize;
			}
			if (at < offset + length) throw new CorruptError(`a file's chain of clusters ends after ${at} bytes`, { path: device.name });
			return out;
		},
		readlink: () => Promise.reject(new CorruptError('FAT has no links', { path: device.name })),
	};
};

/** As blkid writes it. */
const volumeId = ({ signature, id }: Geometry['volume']): string | undefined => {
	if (signature !== 0x28 && signature !== 0x29) return undefined;
	const digits = id.toString(16).toUpperCase().padStart(8, '0');
	return `${digits.slice(0, 4)}-${digits.slice(4)}`;
};

/** Windows clears bits of the table's second entry while the volume is in use and when it met errors; Linux sets ones in the first sector. */
const volumeState = async (device: BlockDevice, { bits, size, volume }: Geometry, table: ClusterTable): Promise<readonly string[]> => {
	const second = bits === 12 ? 0xfff : await table.entry(1);
	const top = 2 ** (bits === 32 ? 27 : 15);
	const noted = (bit: number, inTable: number): boolean => (volume.state & bit) !== 0 || (bits !== 12 && (second & inTable) === 0);
	return [
		...(noted(STATE.dirty, top) ? ['dirty'] : []),
		...(noted(STATE.errors, top / 2) ? ['errors'] : []),
		...(size > device.size ? ['larger-than-device'] : []),
	];
};

/** Where an offset in a directory is on the volume: no two entries have the same. */
const onVolume = (parts: readonly { readonly at: number; readonly bytes: Uint8Array }[], offset: number): number => {
	let rest = offset;
	for (const { at, bytes } of parts) {
		if (rest < bytes.length) return at + rest;
		rest -= bytes.length;
	}
	return 0;
};
