import { uuidText } from '../../bytes/guid.ts';
import type { BlockDevice } from '../device.ts';
import { type ByteReader, byteReader } from '../reader.ts';
import { isAt, type Prober } from './probe.ts';

const NEEDS_REPAIR = 0x10;

/** XFS Algorithms and Data Structures, "Superblocks". */
export const xfs: Prober = async ({ device, head }) => {
	if (!isAt(head, 0, 'XFSB')) return undefined;
	const superblock = byteReader(head.bytes(0, 512), { path: device.name, endian: 'big' });
	const blockSize = superblock.u32(4);
	const version = superblock.u16(100) & 15;
	const clean = await isLogClean(device, superblock);
	const state = [];
	if (clean === false) state.push('needs-recovery');
	if (version < 5) state.push(`version-${version}`);
	if (version === 5 && (superblock.u32(216) & NEEDS_REPAIR) !== 0) state.push('needs-repair');
	if (superblock.u8(126) !== 0) state.push('in-progress');
	return {
		type: 'xfs',
		uuid: uuidText(superblock.bytes(32, 16)),
		label: superblock.utf8(108, 12) || undefined,
		blockSize,
		fileSystemSize: bytesOf(superblock.bits64(8), blockSize),
		// What the superblock counts is only kept up when it is unmounted.
		free: clean ? freeIn(superblock) : undefined,
		clean,
		state,
	};
};

/** Blocks that Linux keeps for itself once it is mounted (xfs_default_resblks, xfs_alloc_set_aside): of all, at the most, and of each group. */
const KEPT = 8192n;
const KEPT_OF_GROUP = 8n;

/** What users find free: the superblock counts what is kept for the system, too. */
const freeIn = (superblock: ByteReader): number | undefined => {
	const share = superblock.bits64(8) / 20n;
	const kept = (share < KEPT ? share : KEPT) + KEPT_OF_GROUP * BigInt(superblock.u32(88));
	const counted = superblock.bits64(144);
	return bytesOf(counted > kept ? counted - kept : 0n, superblock.u32(4));
};

const bytesOf = (blocks: bigint, size: number): number | undefined => {
	const bytes = blocks * BigInt(size);
	return bytes <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(bytes) : undefined;
};

/** The log is made of blocks of this size, whatever the file system's. */
const BLOCK = 512;
const RECORD = 0xfeedbabe;

/** A record is at most 256 KiB, and its header at most 8 blocks: how far back from the end the last one begins. */
const LONGEST_RECORD = 520;
const LONGEST_HEADER = 8;
const UNMOUNT = 0x20;

/**
 * Whether the last record of the log says that the file system was unmounted ("Log Operations"). Every block of the log begins with the
 * number of the round it was written in, or a record's header has it next; where that number falls is where writing stopped.
 * @returns null if the log is on another device.
 */
const isLogClean = async (device: BlockDevice, superblock: ByteReader): Promise<boolean | null> => {
	const start = superblock.u64(48);
	const blockSize = superblock.u32(4);
	const shift = superblock.u8(124);
	const count = Math.floor((superblock.u32(96) * blockSize) / BLOCK);
	if (start === 0 || count === 0) return null;
	const group = Math.floor(start / 2 ** shift);
	const base = (group * superblock.u32(84) + (start % 2 ** shift)) * blockSize;
	const blockAt = async (index: number): Promise<ByteReader> => {
		const offset = base + (((index % count) + count) % count) * BLOCK;
		return byteReader(await device.read(offset, BLOCK), { path: device.name, offset, endian: 'big' });
	};
	const roundAt = async (index: number): Promise<number> => {
		const block = await blockAt(index);
		return block.u32(0) === RECORD ? block.u32(4) : block.u32(0);
	};
	const round = await roundAt(0);
	if (round === 0) return true; // never written to
	let end = count;
	if ((await roundAt(count - 1)) !== round) {
		for (let low = 0; low + 1 < end; ) {
			const middle = Math.floor((low + end) / 2);
			if ((await roundAt(middle)) === round) low = middle;
			else end = middle;
		}
	}
	for (let back = 1; back <= Math.min(LONGEST_RECORD, count); back++) {
		const header = await blockAt(end - back);
		if (header.u32(0) !== RECORD) continue;
		const size = (header.u32(8) & 2) !== 0 ? header.u32(320) : 0;
		const blocks = Math.max(1, Math.ceil(size / 32768));
		if (blocks > LONGEST_HEADER || blocks + Math.ceil(header.u32(12) / BLOCK) !== back || header.u32(40) !== 1) return false;
		return ((await blockAt(end - back + blocks)).u8(9) & UNMOUNT) !== 0;
	}
	return false;
};
