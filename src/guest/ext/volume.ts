import { extendCrc32c } from '../../bytes/crc32c.ts';
import { CorruptError, UnsupportedError } from '../../errors.ts';
import type { BlockDevice } from '../device.ts';
import type { FileKind, FileNode } from '../filesystem.ts';
import { type ByteReader, byteReader } from '../reader.ts';
import { crc16 } from './crc16.ts';
import { DESCRIPTOR, FLAG, INODE_EXTRA, inode, MODE } from './layout.ts';
import type { Geometry } from './superblock.ts';

/** An inode, with what its tables are read by. */
export type ExtNode = FileNode & {
	readonly flags: number;
	/** `i_block` */
	readonly block: Uint8Array;
	/** The whole inode: inline data and attributes follow its fixed part. */
	readonly raw: Uint8Array;
	/** What the checksums of its blocks start from; undefined where there are none. */
	readonly checksumSeed: number | undefined;
};

/** A device and what its superblock says of it: where blocks, inodes and their checksums are. */
export type Volume = {
	readonly device: BlockDevice;
	readonly geometry: Geometry;
	/** `count` blocks in one piece. @throws CorruptError if any is outside the file system. */
	blocks(first: number, count: number): Promise<Uint8Array>;
	/** Of a group. @throws CorruptError if it does not have the checksum that it says. */
	descriptor(group: number): Promise<ByteReader>;
	/** @throws CorruptError if there is no such inode, it is not in use or does not have the checksum that it says. */
	inode(number: number): Promise<ExtNode>;
};

export const extVolume = (device: BlockDevice, geometry: Geometry): Volume => {
	const { blockSize, descriptorSize, inodeSize, checksumSeed } = geometry;
	const corrupt = (why: string, offset?: number): CorruptError => new CorruptError(why, { path: device.name, offset });

	const blocks: Volume['blocks'] = async (first, count) => {
		if (first < geometry.firstDataBlock || first + count > geometry.blocks) {
			throw corrupt(`blocks ${first} to ${first + count - 1} are needed, of ${geometry.blocks} there are`);
		}
		return device.read(first * blockSize, count * blockSize);
	};

	/** "Block Group Descriptors" */
	const readDescriptor: Volume['descriptor'] = async (group) => {
		const perBlock = blockSize / descriptorSize;
		const block = descriptorBlock(geometry, Math.floor(group / perBlock));
		const at = (group % perBlock) * descriptorSize;
		const data = (await blocks(block, 1)).subarray(at, at + descriptorSize);
		const offset = block * blockSize + at;
		const descriptor = byteReader(data, { path: device.name, offset });
		const sum = descriptorChecksum(geometry, group, data);
		if (sum !== undefined && sum !== descriptor.u16(DESCRIPTOR.checksum)) {
			throw corrupt(`the descriptor of group ${group} does not have the checksum that it says`, offset);
		}
		return descriptor;
	};

	/** The first block of the inode table of a group. */
	const inodeTable = async (group: number): Promise<number> => {
		const descriptor = await readDescriptor(group);
		const high = descriptorSize >= DESCRIPTOR.wide ? descriptor.u32(DESCRIPTOR.tableHigh) : 0;
		return descriptor.u32(DESCRIPTOR.tableLow) + high * 2 ** 32;
	};

	return {
		device,
		geometry,
		blocks,
		descriptor: readDescriptor,
		async inode(number) {
			const group = Math.floor((number - 1) / geometry.inodesPerGroup);
			if (number < 1 || number > geometry.inodes || group >= geometry.groups) {
				throw corrupt(`inode ${number} is needed, of ${geometry.inodes} there are`);
			}
			const at = ((number - 1) % geometry.inodesPerGroup) * inodeSize;
			const block = (await inodeTable(group)) + Math.floor(at / blockSize);
			const raw = (await blocks(block, 1)).subarray(at % blockSize, (at % blockSize) + inodeSize);
			const offset = block * blockSize + (at % blockSize);
			const place = { path: device.name, offset };
			const fields = inode.decode(raw, place);
			if (fields.links === 0 && fields.mode === 0) throw corrupt(`inode ${number} is not in use`, offset);
			const seed = checksumSeed === undefined ? undefined : extendCrc32c(extendCrc32c(checksumSeed, le32(number)), le32(fields.generation));
			if (seed !== undefined)
				checkInode(seed, raw, fields.checksumLow, () => corrupt(`inode ${number} does not have the checksum that it says`, offset));
			const size = fields.sizeLow + fields.sizeHigh * 2 ** 32;
			if (!Number.isSafeInteger(size)) throw new UnsupportedError(`inode ${number} has a size over 2^53`, place);
			const { flags, block: blockMap } = fields;
			const immutable = (flags & FLAG.immutable) !== 0 || undefined;
			return { id: number, kind: kindOf(fields.mode), size, immutable, flags, block: blockMap, raw, checksumSeed: seed };
		},
	};
};

/** "Layout", "Meta Block Groups": where the `index`th block of group descriptors is. */
const descriptorBlock = (geometry: Geometry, index: number): number => {
	// With clusters, blocks of 1 KiB are counted from 0 too: the superblock is in block 1 all the same.
	const first = geometry.blockSize === 1024 ? 2 : 1;
	if (geometry.firstMetaGroup === undefined || index < geometry.firstMetaGroup) return first + index;
	const group = index * (geometry.blockSize / geometry.descriptorSize);
	const start = geometry.firstDataBlock + group * geometry.blocksPerGroup;
	return group === 0 ? first : start + (geometry.hasSuperblock(group) ? 1 : 0);
};

/** "Checksums": of a descriptor, as its 16 bits have it; undefined where there is none. */
const descriptorChecksum = (geometry: Geometry, group: number, data: Uint8Array): number | undefined => {
	const head = data.subarray(0, DESCRIPTOR.checksum);
	const tail = data.subarray(DESCRIPTOR.checksum + 2);
	if (geometry.checksumSeed !== undefined) {
		const start = extendCrc32c(extendCrc32c(geometry.checksumSeed, le32(group)), head);
		return extendCrc32c(extendCrc32c(start, new Uint8Array(2)), tail) & 0xffff;
	}
	if (!geometry.groupChecksums) return undefined;
	return crc16(crc16(crc16(crc16(0xffff, geometry.uuid), le32(group)), head), tail);
};

/** "Checksums": of an inode, over all of it with its own halves as zeros. The high half is there where the inode is long enough. */
const checkInode = (seed: number, raw: Uint8Array, low: number, corrupt: () => CorruptError): void => {
	const copy = new Uint8Array(raw);
	const view = new DataView(copy.buffer);
	const isWide = raw.length > inode.size && INODE_EXTRA.size + view.getUint16(INODE_EXTRA.size, true) >= INODE_EXTRA.checksumHigh + 2;
	const said = low + (isWide ? view.getUint16(INODE_EXTRA.checksumHigh, true) * 2 ** 16 : 0);
	view.setUint16(inode.offsets.checksumLow, 0);
	if (isWide) view.setUint16(INODE_EXTRA.checksumHigh, 0);
	const sum = extendCrc32c(seed, copy) >>> 0;
	if ((isWide ? sum : sum & 0xffff) !== said) throw corrupt();
};

const kindOf = (mode: number): FileKind => {
	switch (mode & MODE.mask) {
		case MODE.file:
			return 'file';
		case MODE.directory:
			return 'directory';
		case MODE.symlink:
			return 'symlink';
		default:
			return 'other';
	}
};

const le32 = (value: number): Uint8Array => {
	const bytes = new Uint8Array(4);
	new DataView(bytes.buffer).setUint32(0, value, true);
	return bytes;
};

/** Whether the contents and names of a file are ciphertext. */
export const isEncrypted = ({ flags }: ExtNode): boolean => (flags & FLAG.encrypted) !== 0;
