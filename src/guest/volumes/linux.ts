import { uuidText } from '../../bytes/guid.ts';
import { isAt, type Prober } from './probe.ts';

/** The superblock of ext2, ext3 and ext4 is this far in; so is that of f2fs. */
const SUPERBLOCK = 1024;

/** What an ext3 may have of features; more makes it an ext4, as blkid has it. */
const EXT3_INCOMPATIBLE = 0x16;
const EXT3_READ_ONLY = 0x7;

const HAS_JOURNAL = 0x4;
const NEEDS_RECOVERY = 0x4;
const IS_JOURNAL = 0x8;
const SIXTY_FOUR_BITS = 0x80;

/** Documentation/filesystems/ext4/super.rst of Linux. */
export const ext: Prober = ({ head }) => {
	const at = SUPERBLOCK;
	if (head.u16(at + 56) !== 0xef53) return undefined;
	const compatible = head.u32(at + 92);
	const incompatible = head.u32(at + 96);
	const logBlockSize = head.u32(at + 24);
	if (logBlockSize > 6) return undefined;
	const blockSize = 1024 << logBlockSize;
	const count = (low: number, high: number): number =>
		(head.u32(at + low) + ((incompatible & SIXTY_FOUR_BITS) !== 0 ? head.u32(at + high) * 2 ** 32 : 0)) * blockSize;
	const state = [];
	if ((incompatible & NEEDS_RECOVERY) !== 0) state.push('needs-recovery');
	if ((head.u16(at + 58) & 2) !== 0) state.push('errors');
	if ((head.u16(at + 58) & 1) === 0) state.push('not-unmounted');
	const clean = state.length === 0;
	return {
		type: extType(compatible, incompatible, head.u32(at + 100)),
		uuid: uuidText(head.bytes(at + 104, 16)),
		label: head.utf8(at + 120, 16) || undefined,
		blockSize,
		fileSystemSize: count(4, 0x150),
		// What the superblock counts is only kept up when it is unmounted.
		...(clean ? { free: count(12, 0x158), freeInodes: head.u32(at + 16) } : {}),
		clean,
		state,
	};
};

const extType = (compatible: number, incompatible: number, readOnly: number): string => {
	if ((incompatible & IS_JOURNAL) !== 0) return 'jbd';
	if ((incompatible & ~EXT3_INCOMPATIBLE) !== 0 || (readOnly & ~EXT3_READ_ONLY) !== 0) return 'ext4';
	return (compatible & HAS_JOURNAL) !== 0 ? 'ext3' : 'ext2';
};

/** A count of blocks in bytes; undefined if it is beyond what can be. */
const times = (count: bigint, size: number): number | undefined => {
	const bytes = count * BigInt(size);
	return bytes <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(bytes) : undefined;
};

/** The superblock of btrfs is this far in (its on-disk format, "Superblock"). */
const BTRFS = 0x10000;

export const btrfs: Prober = ({ head }) => {
	if (!isAt(head, BTRFS + 0x40, '_BHRfS_M')) return undefined;
	const total = times(head.bits64(BTRFS + 0x70), 1); // of all its devices
	const used = times(head.bits64(BTRFS + 0x78), 1);
	const state = [];
	const logged = head.bits64(BTRFS + 0x60) !== 0n;
	if (logged) state.push('needs-recovery');
	const isAlone = head.bits64(BTRFS + 0x88) <= 1n;
	if (!isAlone) state.push('multi-device');
	return {
		type: 'btrfs',
		uuid: uuidText(head.bytes(BTRFS + 0x20, 16)),
		label: head.utf8(BTRFS + 0x12b, 256) || undefined,
		blockSize: head.u32(BTRFS + 0x90),
		fileSystemSize: times(head.bits64(BTRFS + 0xd1), 1), // of the device that this is, in its dev_item
		// What is used counts copies on other devices once, and not what is in the log.
		free: !logged && isAlone && total !== undefined && used !== undefined && used <= total ? total - used : undefined,
		clean: !logged,
		state,
	};
};

/** The signature of swap space ends its first page, of whatever size. */
const SWAP_PAGES = [4096, 8192, 16384, 65536];

const SUSPENDED = ['S1SUSPEND', 'S2SUSPEND', 'ULSUSPEND', 'LINHIB0001'];

/** include/linux/swap.h; a system that hibernated puts a signature of its own in the place. */
export const swap: Prober = ({ head }) => {
	for (const blockSize of SWAP_PAGES) {
		const at = blockSize - 10;
		const hibernated = SUSPENDED.some((magic) => isAt(head, at, magic));
		if (!hibernated && !isAt(head, at, 'SWAPSPACE2') && !isAt(head, at, 'SWAP-SPACE')) continue;
		const old = isAt(head, at, 'SWAP-SPACE');
		return {
			type: 'swap',
			uuid: old ? undefined : uuidText(head.bytes(1036, 16)),
			label: old ? undefined : head.utf8(1052, 16) || undefined,
			blockSize,
			clean: !hibernated,
			state: hibernated ? ['hibernated'] : [],
		};
	}
	return undefined;
};

export const f2fs: Prober = ({ head }) => {
	if (head.u32(SUPERBLOCK) !== 0xf2f52010) return undefined;
	return {
		type: 'f2fs',
		uuid: uuidText(head.bytes(SUPERBLOCK + 108, 16)),
		label: head.utf16(SUPERBLOCK + 124, 512) || undefined,
	};
};
