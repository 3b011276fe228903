import { extendCrc32c } from '../../bytes/crc32c.ts';
import { CorruptError, UnsupportedError } from '../../errors.ts';
import type { DirectoryEntry, FileKind } from '../filesystem.ts';
import { byteReader } from '../reader.ts';
import { inlineData, readContents } from './contents.ts';
import { FILE_TYPE, FLAG, LIMIT } from './layout.ts';
import { type ExtNode, isEncrypted, type Volume } from './volume.ts';

const KINDS: Readonly<Record<number, FileKind>> = {
	[FILE_TYPE.file]: 'file',
	[FILE_TYPE.directory]: 'directory',
	[FILE_TYPE.symlink]: 'symlink',
};

/** Of a directory as much is read at once, in bytes. */
const PIECE = 1 << 20;

/** Of the parent's inode, which is all that an inline directory has of `.` and `..`. */
const INLINE_PARENT = 4;

/**
 * "Directory Entries". Hashed directories are read in order as well: to a reader without hashes their index is entries that are not in
 * use.
 */
export const listDirectory = async (volume: Volume, directory: ExtNode): Promise<readonly DirectoryEntry[]> => {
	const path = volume.device.name;
	if (directory.kind !== 'directory') throw new CorruptError(`inode ${directory.id} is not a directory`, { path });
	if (isEncrypted(directory))
		throw new UnsupportedError(`the names in directory ${directory.id} are encrypted by the file system`, { path });
	const entries: DirectoryEntry[] = [];
	const add = (block: Uint8Array): void => {
		for (const entry of blockEntries(volume, directory, block)) entries.push(entry);
		if (entries.length > LIMIT.directoryEntries) {
			throw new UnsupportedError(`directory ${directory.id} has over ${LIMIT.directoryEntries} entries`, { path });
		}
	};
	if ((directory.flags & FLAG.inlineData) !== 0) {
		const [head, tail] = inlineData(volume, directory);
		add(head.subarray(INLINE_PARENT));
		add(tail);
		return entries;
	}
	const { blockSize } = volume.geometry;
	if (directory.size % blockSize !== 0)
		throw new CorruptError(`directory ${directory.id} has ${directory.size} bytes, not whole blocks`, { path });
	for (let at = 0; at < directory.size; at += PIECE) {
		const piece = await readContents(volume, directory, at, Math.min(PIECE, directory.size - at));
		for (let within = 0; within < piece.length; within += blockSize) {
			const block = piece.subarray(within, within + blockSize);
			if (!isIndex(volume, directory, at + within, block)) checkBlock(volume, directory, block);
			add(block);
		}
	}
	return entries;
};

function* blockEntries(volume: Volume, { id }: ExtNode, block: Uint8Array): Generator<DirectoryEntry> {
	const reader = byteReader(block, { path: volume.device.name });
	const corrupt = (why: string): CorruptError => new CorruptError(`directory ${id} makes no sense: ${why}`, { path: volume.device.name });
	for (let at = 0; at + HEAD <= block.length; ) {
		const inode = reader.u32(at);
		const length = entryLength(reader.u16(at + 4), block.length);
		const nameLength = reader.u8(at + 6);
		const type = reader.u8(at + 7);
		if (length < HEAD || length % 4 !== 0 || at + length > block.length) throw corrupt(`an entry of ${length} bytes`);
		if (HEAD + nameLength > length) throw corrupt(`a name of ${nameLength} bytes in an entry of ${length}`);
		if (inode !== 0 && nameLength !== 0 && type !== FILE_TYPE.checksum) {
			const name = new TextDecoder().decode(reader.bytes(at + HEAD, nameLength));
			if (name.includes('/') || name.includes('\0')) throw corrupt('a name has a slash or a zero byte');
			if (name !== '.' && name !== '..') yield { name, id: inode, kind: KINDS[type] };
		}
		at += length;
	}
}

/** Of an entry before its name, in bytes. */
const HEAD = 8;

/** 64 KiB do not fit into 16 bits: blocks of that size have one entry of 65535 or 0. */
const entryLength = (said: number, blockSize: number): number => (blockSize === 65536 && (said === 65535 || said === 0) ? blockSize : said);

/**
 * "Hash Tree Directories": whether the block at this place belongs to the index of its directory, as its root or a node. It has a
 * checksum of another kind, and a root may still have the end of the block that it was before the directory grew. Nothing is found by
 * the index here, so that it need not be sound.
 */
const isIndex = (volume: Volume, { flags }: ExtNode, at: number, block: Uint8Array): boolean => {
	if ((flags & FLAG.index) === 0) return false;
	return at === 0 || entryLength(byteReader(block, { path: volume.device.name }).u16(4), block.length) === block.length;
};

/** "Directory Entries", the entry at the end of a block that holds its checksum. */
const checkBlock = (volume: Volume, { id, checksumSeed }: ExtNode, block: Uint8Array): void => {
	const at = block.length - TAIL;
	const reader = byteReader(block, { path: volume.device.name });
	const hasTail = reader.u32(at) === 0 && reader.u16(at + 4) === TAIL && reader.u16(at + 6) === FILE_TYPE.checksum << 8;
	if (checksumSeed === undefined || !hasTail) return;
	if (extendCrc32c(checksumSeed, block.subarray(0, at)) >>> 0 !== reader.u32(at + 8)) {
		throw new CorruptError(`a block of directory ${id} does not have the checksum that it says`, { path: volume.device.name });
	}
};

const TAIL = 12;
