import { extendCrc32c } from '../../../bytes/crc32c.ts';
import { CorruptError, UnsupportedError } from '../../../errors.ts';
import { fileBlocks, type Run } from '../blocks.ts';
import { LIMIT } from '../layout.ts';
import type { Volume } from '../volume.ts';
import { BLOCK, COMPATIBLE, DEFAULT_FAST_COMMIT_BLOCKS, INCOMPATIBLE, LEAST_BLOCKS, MAGIC, SUPERBLOCK_SIZE, superblock } from './layout.ts';

/** The log of a file system: what its superblock says, and its blocks. Positions are blocks from its beginning. */
export type Log = {
	/** Where the oldest transaction begins; 0: there is nothing to replay. */
	readonly start: number;
	/** Of the oldest transaction. */
	readonly sequence: number;
	/** How many blocks can be in use at once. */
	readonly capacity: number;
	/** Numbers of blocks have 64 bits. */
	readonly wide: boolean;
	/** Of its blocks: none, of whole transactions, or of each block with 16 or 32 bits of tags. */
	readonly checksums: 'none' | 'transactions' | 'v2' | 'v3';
	/** What checksums of blocks start from. */
	readonly checksumSeed: number;
	/** Where the first fast commit is; undefined where there is no room for any. */
	readonly fastCommits: number | undefined;
	/** The position after `position`: the log is a ring. */
	next(position: number): number;
	/** The block of the file system at a position. */
	physical(position: number): number;
	read(position: number): Promise<Uint8Array>;
};

/**
 * "Super Block" of the log.
 * @throws UnsupportedError if it is on another device or has features that are not known, CorruptError if it makes no sense.
 */
export const openLog = async (volume: Volume): Promise<Log> => {
	const { device, geometry } = volume;
	const path = device.name;
	if (geometry.externalJournal !== undefined) {
		throw new UnsupportedError(`the file system was not unmounted, and its log is on another device (${geometry.externalJournal})`, {
			path,
			field: 's_journal_uuid',
			hint: 'shut the guest down cleanly',
		});
	}
	const node = await volume.inode(geometry.journalInode);
	const blocks = Math.floor(node.size / geometry.blockSize);
	if (blocks > LIMIT.journalBlocks) throw new UnsupportedError(`a log of ${blocks} blocks is larger than any that vconv replays`, { path });
	const runs: Run[] = [];
	for await (const run of fileBlocks(volume, node, 0, blocks)) runs.push(run);

	const physical = (position: number): number => {
		let low = 0;
		for (let high = runs.length; high - low > 1; ) {
			const middle = (low + high) >> 1;
			if ((runs[middle]?.logical ?? 0) <= position) low = middle;
			else high = middle;
		}
		const run = runs[low];
		if (!run || run.physical === 0 || position >= run.logical + run.count)
			throw new CorruptError(`block ${position} of the log is missing`, { path });
		return run.physical + position - run.logical;
	};
	const read = (position: number): Promise<Uint8Array> => volume.blocks(physical(position), 1);

	const offset = physical(0) * geometry.blockSize;
	const data = (await read(0)).subarray(0, SUPERBLOCK_SIZE);
	const s = superblock.decode(data, { path, offset });
	const corrupt = (field: keyof typeof s, why: string): CorruptError =>
		new CorruptError(`the log's ${why}`, { path, offset: offset + superblock.offsets[field], field });
	if (s.magic !== MAGIC || (s.type !== BLOCK.superblockV1 && s.type !== BLOCK.superblockV2)) throw corrupt('magic', 'superblock is none');
	const hasFeatures = s.type === BLOCK.superblockV2;
	const incompatible = hasFeatures ? s.incompatible : 0;
	const has = (bit: number): boolean => (incompatible & bit) !== 0;
	const unknown = incompatible & ~Object.values(INCOMPATIBLE).reduce((all: number, bit) => all | bit, 0);
	if (unknown !== 0)
		throw new UnsupportedError(`the log has features that are not known: 0x${(unknown >>> 0).toString(16)}`, { path, offset });
	if (s.blockSize !== geometry.blockSize)
		throw corrupt('blockSize', `blocks have ${s.blockSize} bytes, the file system's ${geometry.blockSize}`);
	if (s.blocks > blocks) throw corrupt('blocks', `superblock says ${s.blocks} blocks, its inode has ${blocks}`);
	const isChecked = has(INCOMPATIBLE.checksumV2) || has(INCOMPATIBLE.checksumV3);
	if (isChecked) {
		const copy = new Uint8Array(data);
		copy.fill(0, superblock.offsets.checksum, superblock.offsets.checksum + 4);
		if (s.checksumType !== 4) throw new UnsupportedError(`the log has checksums of type ${s.checksumType}`, { path, offset });
		if (extendCrc32c(-1, copy) >>> 0 !== s.checksum) throw corrupt('checksum', 'superblock does not have the checksum that it says');
	}
	const fast = has(INCOMPATIBLE.fastCommit) ? s.fastCommitBlocks || DEFAULT_FAST_COMMIT_BLOCKS : 0;
	// A log that would be left too small by them has none, as Linux has it.
	const end = s.blocks - fast >= LEAST_BLOCKS ? s.blocks - fast : s.blocks;
	if (s.first < 1 || s.first >= end) throw corrupt('first', `first block is ${s.first} of ${s.blocks}`);
	if (s.start !== 0 && (s.start < s.first || s.start >= end))
		throw corrupt('start', `oldest transaction is at block ${s.start} of ${s.blocks}`);
	return {
		start: s.start,
		sequence: s.sequence,
		capacity: end - s.first,
		wide: has(INCOMPATIBLE.bits64),
		checksums: has(INCOMPATIBLE.checksumV3)
			? 'v3'
			: has(INCOMPATIBLE.checksumV2)
				? 'v2'
				: hasFeatures && (s.compatible & COMPATIBLE.checksum) !== 0
					? 'transactions'
					: 'none',
		checksumSeed: extendCrc32c(-1, s.uuid),
		fastCommits: end + 1 < s.blocks ? end + 1 : undefined, // Linux leaves out the first block of theirs
		next: (position) => (position + 1 >= end ? s.first : position + 1),
		physical,
		read,
	};
};
