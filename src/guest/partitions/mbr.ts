import type { BlockDevice } from '../device.ts';
import type { DiskFacts, DiskFlag, PartitionFacts } from '../facts.ts';
import { type ByteReader, byteReader } from '../reader.ts';
import { mbrTypeName } from './types.ts';

/** The first sector of a disk, if it is a master boot record. */
export type Mbr = {
	/** The disk's signature at 0x1b8, as eight hexadecimal digits. */
	readonly diskId: string;
	/** The entries that are used, by their numbers from 1. */
	readonly entries: readonly (MbrEntry & { readonly number: number })[];
};

type MbrEntry = {
	readonly active: boolean;
	readonly type: number;
	/** In sectors, from what the record counts from. */
	readonly start: number;
	/** In sectors. */
	readonly count: number;
};

const ENTRIES = 446;
const ENTRY = 16;
const SIGNATURE = 510;
const PROTECTIVE = 0xee;

/** More logical partitions than any system makes. */
const MAX_LOGICAL = 256;

/**
 * The record, or undefined where there is none. A boot sector of FAT or NTFS has the same signature, so that it is one only if its
 * entries can be partitions.
 */
export const parseMbr = (sector: Uint8Array, path: string): Mbr | undefined => {
	const data = byteReader(sector, { path });
	if (data.u16(SIGNATURE) !== 0xaa55) return undefined;
	const all = [0, 1, 2, 3].map((index) => ({ number: index + 1, ...entryAt(data, index) }));
	const entries = all.filter(isUsed);
	const plausible = [0, 1, 2, 3].every((index) => (data.u8(ENTRIES + index * ENTRY) & 0x7f) === 0);
	if (!plausible || entries.length === 0 || entries.some(({ start }) => start === 0)) return undefined;
	return { diskId: data.u32(0x1b8).toString(16).padStart(8, '0'), entries };
};

const entryAt = (data: ByteReader, index: number): MbrEntry => {
	const at = ENTRIES + index * ENTRY;
	return { active: data.u8(at) === 0x80, type: data.u8(at + 4), start: data.u32(at + 8), count: data.u32(at + 12) };
};

const isUsed = ({ type, count }: MbrEntry): boolean => type !== 0 && count > 0;

export const isProtective = ({ entries }: Mbr): boolean => entries.some(({ type }) => type === PROTECTIVE);

/** Whether it holds partitions beside the one that protects a GPT. */
export const isHybrid = ({ entries }: Mbr): boolean => entries.some(({ type }) => type !== PROTECTIVE);

/** The partitions of an MBR: the four entries, and the logical ones from 5, for which the chain of extended records is followed. */
export const mbrPartitions = async (
	device: BlockDevice,
	mbr: Mbr,
): Promise<{ readonly partitions: readonly PartitionFacts[]; readonly flags: readonly DiskFlag[] }> => {
	const sector = device.sectorSize;
	const facts = ({ active, type, start, count }: MbrEntry, number: number): PartitionFacts => ({
		number,
		start: start * sector,
		size: count * sector,
		type: mbrTypeName(type),
		mbrType: type,
		uuid: mbr.diskId === '00000000' ? undefined : `${mbr.diskId}-${number.toString(16).padStart(2, '0')}`,
		bootable: active,
	});
	const partitions = mbr.entries.map((entry) => facts(entry, entry.number));
	const flags: DiskFlag[] = [];
	let number = 5;
	for (const extended of mbr.entries.filter(isExtended)) {
		const { entries, broken } = await logicalEntries(device, extended);
		if (broken && !flags.includes('ebr-chain-broken')) flags.push('ebr-chain-broken');
		for (const entry of entries) partitions.push({ ...facts(entry, number++), logical: true });
	}
	return { partitions, flags };
};

const isExtended = ({ type }: MbrEntry): boolean => mbrTypeName(type) === 'extended';

/**
 * The logical partitions, with starts from the disk's, as Linux finds them: of each record's four entries, those with data count from
 * the record, and the first that is extended leads to the next record and counts from the extended partition.
 */
const logicalEntries = async (
	device: BlockDevice,
	{ start: base, count }: MbrEntry,
): Promise<{ readonly entries: readonly MbrEntry[]; readonly broken: boolean }> => {
	const entries: MbrEntry[] = [];
	const seen = new Set<number>();
	for (let at = base, size = count; ; ) {
		const offset = at * device.sectorSize;
		if (seen.has(at) || seen.size === MAX_LOGICAL || offset + 512 > device.size) return { entries, broken: true };
		seen.add(at);
		const data = byteReader(await device.read(offset, 512), { path: device.name, offset });
		// An extended partition that was never written to has no record, and no partitions.
		if (data.u16(SIGNATURE) !== 0xaa55) return { entries, broken: at !== base };
		const used = [0, 1, 2, 3].map((slot) => ({ slot, ...entryAt(data, slot) })).filter(isUsed);
		for (const { slot, ...entry } of used.filter((one) => !isExtended(one))) {
			// Some systems leave rubbish in the last two.
			if (slot < 2 || entry.start + entry.count <= size) entries.push({ ...entry, start: at + entry.start });
		}
		const next = used.find(isExtended);
		if (!next) return { entries, broken: false };
		at = base + next.start;
		size = next.count;
	}
};

/** Whose boot code the first sector holds; null where there is none. */
export const bootCodeOf = (sector: Uint8Array): DiskFacts['biosBootCode'] => {
	const code = sector.subarray(0, 440);
	if (code.every((byte) => byte === 0)) return null;
	const text = byteReader(code, { path: '' }).bytes(0, 440);
	const holds = (words: string): boolean => String.fromCharCode(...text).includes(words);
	if (holds('GRUB')) return 'grub';
	return holds('Invalid partition table') && holds('Error loading operating system') ? 'windows' : 'other';
};
