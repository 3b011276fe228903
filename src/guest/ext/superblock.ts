import { isPowerOfTwo } from '../../bytes/align.ts';
import { extendCrc32c } from '../../bytes/crc32c.ts';
import { uuidText } from '../../bytes/guid.ts';
import { CorruptError, UnrecognizedError, UnsupportedError } from '../../errors.ts';
import type { BlockDevice } from '../device.ts';
import { byteReader } from '../reader.ts';
import {
	COMPATIBLE,
	DESCRIPTOR,
	INCOMPATIBLE,
	LIMIT,
	MAGIC,
	READ_ONLY_COMPATIBLE,
	REFUSED,
	SUPERBLOCK_OFFSET,
	SUPERBLOCK_SIZE,
	superblock,
} from './layout.ts';

/** What the superblock says, checked against itself and the device. */
export type Geometry = {
	readonly type: 'ext2' | 'ext3' | 'ext4';
	/** In bytes. */
	readonly blockSize: number;
	/** Of the file system. */
	readonly blocks: number;
	/** How many blocks a descriptor counts as one. */
	readonly clusterBlocks: number;
	readonly freeBlocks: number;
	readonly inodes: number;
	readonly freeInodes: number;
	readonly firstDataBlock: number;
	readonly blocksPerGroup: number;
	readonly groups: number;
	readonly inodesPerGroup: number;
	/** In bytes. */
	readonly inodeSize: number;
	/** Of a group descriptor, in bytes. */
	readonly descriptorSize: number;
	/** Index of the first block of descriptors that lies in its own group; undefined where all follow the superblock. */
	readonly firstMetaGroup: number | undefined;
	/** Whether a group holds a copy of the superblock. */
	hasSuperblock(group: number): boolean;
	/** What the checksums of the metadata start from; undefined where there are none. */
	readonly checksumSeed: number | undefined;
	/** Whether descriptors alone have checksums, of the older kind. */
	readonly groupChecksums: boolean;
	readonly uuid: Uint8Array;
	readonly label: string;
	readonly state: number;
	readonly needsRecovery: boolean;
	readonly casefold: boolean;
	/** The inode of the log; 0 where there is none here. */
	readonly journalInode: number;
	/** The device that holds the log instead, as UUID. */
	readonly externalJournal: string | undefined;
};

/**
 * "Super Block"
 * @throws UnrecognizedError if there is none, UnsupportedError for a feature without which it is misread, CorruptError if it makes no
 * sense or does not have the checksum that it says.
 */
export const readSuperblock = async (device: BlockDevice): Promise<Geometry> => {
	const place = { path: device.name, offset: SUPERBLOCK_OFFSET };
	if (device.size < SUPERBLOCK_OFFSET + SUPERBLOCK_SIZE) throw new UnrecognizedError('too small for an ext file system', place);
	const data = await device.read(SUPERBLOCK_OFFSET, SUPERBLOCK_SIZE);
	const s = superblock.decode(data, place);
	const corrupt = (field: keyof typeof s, why: string): CorruptError =>
		new CorruptError(why, { path: device.name, offset: SUPERBLOCK_OFFSET + superblock.offsets[field], field });
	if (s.magic !== MAGIC) throw new UnrecognizedError('this is not an ext file system', place);

	const features = s.revision > 0;
	const compatible = features ? s.compatible : 0;
	const incompatible = features ? s.incompatible : 0;
	const readOnly = features ? s.readOnlyCompatible : 0;
	refuseUnknown(incompatible, device.name);
	const hasChecksums = (readOnly & READ_ONLY_COMPATIBLE.metadataChecksums) !== 0;
	if (hasChecksums) {
		if (s.checksumType !== 1) throw new UnsupportedError(`metadata checksums of type ${s.checksumType} are not known`, place);
		if (extendCrc32c(-1, data.subarray(0, superblock.offsets.checksum)) >>> 0 !== s.checksum) {
			throw corrupt('checksum', 'the superblock does not have the checksum that it says');
		}
	}

	if (s.logBlockSize > LIMIT.logBlockSize) throw corrupt('logBlockSize', `a block size of 2^${10 + s.logBlockSize} is over 64 KiB`);
	const blockSize = 1024 << s.logBlockSize;
	const wide = (incompatible & INCOMPATIBLE.bits64) !== 0;
	const blocks = s.blocksLow + (wide ? s.blocksHigh * 2 ** 32 : 0);
	if (s.firstDataBlock > 1 || s.firstDataBlock >= blocks) throw corrupt('firstDataBlock', `the first block cannot be ${s.firstDataBlock}`);
	if (blocks * blockSize > device.size) {
		throw corrupt('blocksLow', `${blocks} blocks of ${blockSize} bytes are more than the ${device.size} bytes of the device`);
	}
	if (s.blocksPerGroup === 0 || s.blocksPerGroup % 8 !== 0)
		throw corrupt('blocksPerGroup', `a group cannot have ${s.blocksPerGroup} blocks`);
	if (s.inodesPerGroup === 0 || s.inodesPerGroup > blockSize * 8)
		throw corrupt('inodesPerGroup', `a group cannot have ${s.inodesPerGroup} inodes`);
	const inodeSize = s.revision > 0 ? s.inodeSize : 128;
	if (inodeSize < 128 || inodeSize > blockSize || !isPowerOfTwo(inodeSize))
		throw corrupt('inodeSize', `an inode cannot have ${inodeSize} bytes`);
	const descriptorSize = wide ? s.descriptorSize : DESCRIPTOR.smallest;
	if (descriptorSize < (wide ? DESCRIPTOR.wide : 0) || descriptorSize > blockSize || !isPowerOfTwo(descriptorSize)) {
		throw corrupt('descriptorSize', `a group descriptor cannot have ${descriptorSize} bytes`);
	}

	const hasJournal = (compatible & COMPATIBLE.journal) !== 0;
	return {
		type: typeOf(compatible, incompatible, readOnly),
		blockSize,
		blocks,
		clusterBlocks: (readOnly & READ_ONLY_COMPATIBLE.bigAllocation) !== 0 ? 2 ** (s.logClusterSize - s.logBlockSize) : 1,
		freeBlocks: s.freeBlocksLow + (wide ? s.freeBlocksHigh * 2 ** 32 : 0),
		inodes: s.inodes,
		freeInodes: s.freeInodes,
		firstDataBlock: s.firstDataBlock,
		blocksPerGroup: s.blocksPerGroup,
		groups: Math.ceil((blocks - s.firstDataBlock) / s.blocksPerGroup),
		inodesPerGroup: s.inodesPerGroup,
		inodeSize,
		descriptorSize,
		firstMetaGroup: (incompatible & INCOMPATIBLE.metaGroups) !== 0 ? s.firstMetaGroup : undefined,
		hasSuperblock(group) {
			if (group <= 1) return true;
			if ((compatible & COMPATIBLE.sparseSuper2) !== 0) return group === s.backupGroup1 || group === s.backupGroup2;
			return (readOnly & READ_ONLY_COMPATIBLE.sparseSuper) === 0 || [3, 5, 7].some((base) => isPowerOf(base, group));
		},
		checksumSeed: hasChecksums ? ((incompatible & INCOMPATIBLE.checksumSeed) !== 0 ? s.checksumSeed : extendCrc32c(-1, s.uuid)) : undefined,
		groupChecksums: (readOnly & READ_ONLY_COMPATIBLE.groupChecksums) !== 0,
		uuid: s.uuid,
		label: byteReader(s.label, place).utf8(0, s.label.length),
		state: s.state,
		needsRecovery: (incompatible & INCOMPATIBLE.recover) !== 0,
		casefold: (incompatible & INCOMPATIBLE.casefold) !== 0,
		journalInode: hasJournal ? s.journalInode : 0,
		externalJournal: hasJournal && s.journalInode === 0 ? uuidText(s.journalUuid) : undefined,
	};
};

const refuseUnknown = (incompatible: number, path: string): void => {
	const known = Object.values(INCOMPATIBLE).reduce((all: number, bit) => all | bit, 0);
	for (let bit = 0; bit < 32; bit++) {
		const mask = (1 << bit) >>> 0;
		if ((incompatible & mask) === 0) continue;
		const name = REFUSED.get(mask) ?? ((known & mask) === 0 ? `FEATURE_I${bit}` : undefined);
		if (name)
			throw new UnsupportedError(`the file system has the feature ${name}, which vconv does not read`, {
				path,
				field: 's_feature_incompat',
			});
	}
};

/** As blkid tells them apart. */
const typeOf = (compatible: number, incompatible: number, readOnly: number): Geometry['type'] => {
	const { hugeFiles, groupChecksums, directoryLinks, extraInodeSize, bigAllocation, metadataChecksums } = READ_ONLY_COMPATIBLE;
	const modern = hugeFiles | groupChecksums | directoryLinks | extraInodeSize | bigAllocation | metadataChecksums;
	const { fileType, recover, metaGroups } = INCOMPATIBLE;
	if ((readOnly & modern) !== 0 || (incompatible & ~(fileType | recover | metaGroups)) !== 0) return 'ext4';
	return (compatible & COMPATIBLE.journal) !== 0 ? 'ext3' : 'ext2';
};

const isPowerOf = (base: number, value: number): boolean => {
	let power = base;
	while (power < value) power *= base;
	return power === value;
};
