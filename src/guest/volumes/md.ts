import { uuidText } from '../../bytes/guid.ts';
import { type BlockDevice, sliceDevice } from '../device.ts';
import { byteReader } from '../reader.ts';
import type { Candidate } from './candidate.ts';
import type { Probe, Prober } from './probe.ts';

const MAGIC = 0xa92b4efc;

/** What the superblock of a member of a Linux software RAID says (linux/raid/md_p.h). */
export type MdMember = {
	readonly version: '0.90' | '1.0' | '1.1' | '1.2';
	/** Of the array, as blkid spells it. */
	readonly uuid: string;
	readonly name?: string | undefined;
	/** 1 is a mirror; -1 is linear. */
	readonly level: number;
	/** How many members the array has. */
	readonly members: number;
	/** Where the data begins, in bytes. */
	readonly dataStart: number;
	/** What the array uses of each member, in bytes. */
	readonly dataSize: number;
	/** What the member has to have for it, in bytes; with version 0.90 the superblock lies behind it, and says so by being there. */
	readonly span?: number | undefined;
	/** How often the array was changed: members that lag behind are stale. */
	readonly events: bigint;
	/** Its place in the array; undefined where it does not have all of the data: a spare, one that failed or is being rebuilt. */
	readonly role: number | undefined;
};

/** "Active" roles of version 1 are below this: others are spares, journals and what failed. */
const ROLES = 0xff00;

/** `feature_map`: the member is being rebuilt. */
const RECOVERY_OFFSET = 2;

/** Where version 1 has the roles of all devices, and how many at the most. */
const ROLE_TABLE = { at: 256, most: 1920 } as const;

/** Version 0.90: where it describes its own device, and the states `MD_DISK_FAULTY` and `MD_DISK_SYNC` there. */
const THIS_DISK = { at: 3968, size: 20, faulty: 1, inSync: 4 } as const;

/** Where version 1 may be: at 4 KiB, at the start, near the end. */
const places = (size: number): readonly (readonly [MdMember['version'], number])[] => [
	['1.2', 4096],
	['1.1', 0],
	['1.0', Math.floor((size / 512 - 16) / 8) * 8 * 512],
];

/** @throws CorruptError if it is one, and contradicts itself. */
export const mdMember = async ({ device }: Pick<Probe, 'device'>): Promise<MdMember | undefined> => {
	for (const [version, at] of places(device.size)) {
		if (at < 0 || at + 256 > device.size) continue;
		const data = byteReader(await device.read(at, 256), { path: device.name, offset: at });
		if (data.u32(0) !== MAGIC || data.u32(4) !== 1 || data.bits64(144) !== BigInt(at / 512)) continue;
		return {
			version,
			uuid: uuidText(data.bytes(16, 16)),
			name: data.utf8(32, 32) || undefined,
			level: data.i32(72),
			members: data.u32(92),
			dataStart: data.u64(128) * 512,
			dataSize: data.u64(80) * 512,
			span: (data.u64(128) + data.u64(136)) * 512,
			events: data.bits64(200),
			role: (data.u32(8) & RECOVERY_OFFSET) === 0 ? await roleOf(device, at, data.u32(160), data.u32(220)) : undefined,
		};
	}
	return oldMember(device);
};

/** What the superblock at `at` has as the role of its own device, the `number`th of `count`. */
const roleOf = async (device: BlockDevice, at: number, number: number, count: number): Promise<number | undefined> => {
	const place = at + ROLE_TABLE.at + number * 2;
	if (number >= Math.min(count, ROLE_TABLE.most) || place + 2 > device.size) return undefined;
	const role = byteReader(await device.read(place, 2), { path: device.name, offset: place }).u16(0);
	return role < ROLES ? role : undefined;
};

/** Version 0.90, in the last 64 KiB that are a multiple of it. */
const oldMember = async (device: BlockDevice): Promise<MdMember | undefined> => {
	const at = Math.floor(device.size / 65536) * 65536 - 65536;
	if (at < 0) return undefined;
	const data = byteReader(await device.read(at, 256), { path: device.name, offset: at });
	if (data.u32(0) !== MAGIC || data.u32(4) !== 0) return undefined;
	const uuid = new Uint8Array(16);
	uuid.set(data.bytes(20, 4));
	uuid.set(data.bytes(52, 12), 4);
	const own = byteReader(await device.read(at + THIS_DISK.at, THIS_DISK.size), { path: device.name, offset: at + THIS_DISK.at });
	const isInSync = (own.u32(16) & (THIS_DISK.faulty | THIS_DISK.inSync)) === THIS_DISK.inSync;
	return {
		version: '0.90',
		uuid: uuidText(uuid),
		level: data.i32(28),
		members: data.u32(40),
		dataStart: 0,
		dataSize: data.u32(32) * 1024,
		events: data.bits64(156),
		role: isInSync ? own.u32(12) : undefined,
	};
};

export const md: Prober = async (probe) => {
	const member = await mdMember(probe);
	if (!member) return undefined;
	return {
		type: 'linux_raid_member',
		uuid: member.uuid,
		label: member.name,
		state: [`metadata-${member.version}`, levelName(member.level), ...(member.role === undefined ? ['not-in-sync'] : [])],
		fileSystemSize: member.span,
		memberOf: `md:${member.uuid}`,
	};
};

const levelName = (level: number): string => (level === -1 ? 'linear' : `raid${level}`);

/** The array that members make up, at least one of them. A mirror is read from the member that was last written to, of those
 * that have all of the data. */
export const mdArray = (members: readonly { readonly device: BlockDevice; readonly member: MdMember }[]): Candidate | undefined => {
	const newer = (a: bigint, b: bigint): number => (a < b ? 1 : a > b ? -1 : 0);
	const [newest, ...older] = members.toSorted(
		(a, b) => Number(a.member.role === undefined) - Number(b.member.role === undefined) || newer(a.member.events, b.member.events),
	);
	if (!newest) return undefined;
	const { member, device } = newest;
	const id = `md:${member.uuid}`;
	// As Linux has it, a member that missed more than the last change is no longer part of the array.
	const current = [newest, ...older].filter((one) => one.member.role !== undefined && one.member.events + 1n >= member.events);
	const state = new Set(current.map((one) => one.member.role)).size < member.members ? ['degraded'] : [];
	if (member.level !== 1) {
		return { id, size: member.dataSize, given: { state, unsupported: `vconv does not put a ${levelName(member.level)} together` } };
	}
	if (member.role === undefined) {
		return { id, size: member.dataSize, given: { state, unsupported: 'no member that was given has all of its data: give the others' } };
	}
	return { id, size: member.dataSize, device: sliceDevice(device, id, member.dataStart, member.dataSize), given: { state } };
};
