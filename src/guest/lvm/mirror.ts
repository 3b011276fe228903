import { CorruptError } from '../../errors.ts';
import type { BlockDevice } from '../device.ts';
import { byteReader } from '../reader.ts';

const MAGIC = 0x64526d44;

/** Of the superblock, what is read. */
const SIZE = 40;

/** `disk_recovery_offset` of a leg that has all of the data. */
const IN_SYNC = 0xffff_ffff_ffff_ffffn;

/** LVM makes no mirror of more. */
export const MOST_LEGS = 10;

/** A leg: its data, and of a raid1 the small volume beside it with what Linux notes of it. Absent where they cannot be reached. */
export type Leg = { readonly data: BlockDevice | undefined; readonly notes?: BlockDevice | undefined };

/** `struct dm_raid_superblock` (drivers/md/dm-raid.c of Linux). */
type Superblock = {
	/** How often the mirror was changed: of several, the one with the most is right. */
	readonly events: bigint;
	/** A bit for each leg that failed. */
	readonly failed: bigint;
	readonly isInSync: boolean;
};

/** Undefined where there is none, or the physical volume is cut off before it. */
const superblockOf = async (device: BlockDevice): Promise<Superblock | undefined> => {
	if (device.size < SIZE) return undefined;
	const bytes = await device.read(0, SIZE).catch((error: unknown) => {
		if (error instanceof CorruptError) return undefined;
		throw error;
	});
	if (!bytes) return undefined;
	const data = byteReader(bytes, { path: device.name });
	if (data.u32(0) !== MAGIC) return undefined;
	return { events: data.bits64(16), failed: data.bits64(24), isInSync: data.bits64(32) === IN_SYNC };
};

export type Readable = {
	readonly device: BlockDevice;
	/** Whether others are missing, failed or do not have all of the data. */
	readonly isDegraded: boolean;
};

/**
 * The leg that is read: of those that have all of the data and did not fail, the one that was last written to. Where none has a superblock,
 * as before a mirror is first used, it is the first that is there. Undefined where there is none.
 */
export const readableLeg = async (legs: readonly Leg[]): Promise<Readable | undefined> => {
	const known: { readonly leg: Leg; readonly bit: bigint; readonly superblock: Superblock }[] = [];
	for (const [index, leg] of legs.entries()) {
		const superblock = leg.notes && (await superblockOf(leg.notes));
		if (superblock) known.push({ leg, bit: 1n << BigInt(index), superblock });
	}
	const [newest, ...older] = known.toSorted(
		(a, b) => Number(b.superblock.events > a.superblock.events) - Number(b.superblock.events < a.superblock.events),
	);
	if (!newest) return anyLeg(legs);
	const whole = [newest, ...older].filter(
		({ leg, bit, superblock }) => leg.data !== undefined && superblock.isInSync && (newest.superblock.failed & bit) === 0n,
	);
	const device = whole[0]?.leg.data;
	return device && { device, isDegraded: whole.length < legs.length };
};

const anyLeg = (legs: readonly Leg[]): Readable | undefined => {
	const found = legs.flatMap(({ data }) => data ?? []);
	return found[0] && { device: found[0], isDegraded: found.length < legs.length };
};

/**
 * The same of a mirror without superblocks, LVM's first kind: Linux writes its first leg before it says that something is written, and notes
 * elsewhere what the others lack.
 */
export const firstLeg = (legs: readonly Leg[]): Readable | undefined => (legs[0]?.data ? anyLeg(legs) : undefined);
