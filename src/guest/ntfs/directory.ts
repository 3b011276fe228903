import { CorruptError, UnsupportedError } from '../../errors.ts';
import type { BlockDevice } from '../device.ts';
import type { DirectoryEntry } from '../filesystem.ts';
import { byteReader } from '../reader.ts';
import { attributeNamed } from './attributes.ts';
import { withoutFixups } from './fixups.ts';
import type { Geometry } from './geometry.ts';
import {
	ATTRIBUTE,
	ENTRY_FLAG,
	FILE_FLAG,
	fileName,
	indexBlock,
	indexEntry,
	indexHead,
	indexRoot,
	NAMESPACE_DOS,
	RECORD,
} from './layout.ts';
import { type FileRecord, recordNumber } from './mft.ts';
import { readValue, valueSize } from './value.ts';

/** The index of a directory's names. */
const INDEX = '$I30';

const DEEPEST = 12;
const MOST_ENTRIES = 250_000;

/** An entry of a node of the index. */
type IndexEntry = {
	/** Undefined in the last one, behind all names. */
	readonly name: string | undefined;
	readonly dos: boolean;
	readonly entry: DirectoryEntry;
	/** The block with what sorts in front of the name. */
	readonly child: number | undefined;
};

export type Directory = {
	/** Without the names that were made for DOS alone. */
	list(): Promise<readonly DirectoryEntry[]>;
	/** A name of ASCII by the index's order, whatever its case; undefined if there is none. */
	find(name: string): Promise<DirectoryEntry | undefined>;
};

/** @throws CorruptError if the record is no directory's. */
export const openDirectory = async (device: BlockDevice, geometry: Geometry, file: FileRecord): Promise<Directory> => {
	const path = device.name;
	const root = attributeNamed(file.attributes, ATTRIBUTE.indexRoot, path, INDEX);
	if (!root?.resident) throw new CorruptError(`record ${file.number} of the MFT has no directory's index`, { path });
	const { blockSize } = indexRoot.decode(root.value, { path, offset: 0 });
	if (blockSize % 512 !== 0 || blockSize < 512 || blockSize > 65536) throw new CorruptError(`index blocks of ${blockSize} bytes`, { path });
	const blocks = attributeNamed(file.attributes, ATTRIBUTE.indexAllocation, path, INDEX);
	const unit = blockSize >= geometry.clusterSize ? geometry.clusterSize : 512;
	const top = nodeEntries(root.value, indexRoot.size, path);

	const block = async (vcn: number, visited: Set<number>, depth: number): Promise<readonly IndexEntry[]> => {
		if (!blocks || (vcn + 1) * unit > valueSize(blocks)) throw new CorruptError(`an index block ${vcn} that is not there`, { path });
		if (visited.has(vcn) || depth > DEEPEST) throw new CorruptError(`the index of record ${file.number} comes back to itself`, { path });
		visited.add(vcn);
		const place = { path, offset: vcn * unit };
		const bytes = withoutFixups(await readValue(device, geometry, blocks, vcn * unit, blockSize), 'INDX', place);
		if (indexBlock.decode(bytes, place).vcn !== vcn) throw new CorruptError(`index block ${vcn} says that it is another`, place);
		return nodeEntries(bytes, indexBlock.size, path);
	};

	return {
		async list() {
			const found: DirectoryEntry[] = [];
			const visited = new Set<number>();
			const walk = async (entries: readonly IndexEntry[], depth: number): Promise<void> => {
				for (const { name, dos, entry, child } of entries) {
					if (child !== undefined) await walk(await block(child, visited, depth), depth + 1);
					if (name === undefined || dos || entry.id === RECORD.root) continue;
					if (found.push(entry) > MOST_ENTRIES) throw new UnsupportedError(`a directory of over ${MOST_ENTRIES} entries`, { path });
				}
			};
			await walk(top, 1);
			return found;
		},
		async find(wanted) {
			const folded = fold(wanted);
			const visited = new Set<number>();
			for (let entries = top, depth = 1; ; depth++) {
				const next = entries.find(({ name }) => name === undefined || fold(name) >= folded);
				if (next?.name !== undefined && fold(next.name) === folded) return next.entry;
				if (next?.child === undefined) return undefined;
				entries = await block(next.child, visited, depth);
			}
		},
	};
};

/** @param at of the node's head in `bytes`. */
const nodeEntries = (bytes: Uint8Array, at: number, path: string): readonly IndexEntry[] => {
	const reader = byteReader(bytes, { path });
	const { entriesAt, used } = indexHead.decode(reader.bytes(at, indexHead.size), { path, offset: at });
	const node = byteReader(reader.bytes(at, used), { path, offset: at });
	const entries: IndexEntry[] = [];
	for (let from = entriesAt; ; ) {
		const head = indexEntry.decode(node.bytes(from, indexEntry.size), { path, offset: from });
		if (head.size < indexEntry.size) throw new CorruptError(`an index entry of ${head.size} bytes`, { path, offset: from });
		const own = byteReader(node.bytes(from, head.size), { path, offset: from });
		const child = head.flags & ENTRY_FLAG.child ? own.u64(head.size - 8) : undefined;
		const id = recordNumber(head.record);
		if (head.flags & ENTRY_FLAG.last) {
			entries.push({ name: undefined, dos: false, entry: { name: '', id }, child });
			return entries;
		}
		const key = fileName.decode(own.bytes(indexEntry.size, fileName.size), { path, offset: from });
		const name = own.utf16(indexEntry.size + fileName.size, key.nameLength * 2);
		// Whether a reparse point is a link, only its record says.
		const kind = key.flags & FILE_FLAG.reparsePoint ? undefined : key.flags & FILE_FLAG.directory ? 'directory' : 'file';
		entries.push({ name, dos: key.namespace === NAMESPACE_DOS, entry: { name, id, kind }, child });
		from += head.size;
	}
};

/** The order of the index for names of ASCII: other characters sort behind them, and their case does not matter here. */
const fold = (name: string): string => name.replace(/[a-z]/g, (letter) => letter.toUpperCase());
