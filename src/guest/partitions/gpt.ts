import { isZero } from '../../bytes/align.ts';
import { crc32 } from '../../bytes/crc32.ts';
import { guidText } from '../../bytes/guid.ts';
import { bits64, bytes, struct, u32, u64 } from '../../bytes/struct.ts';
import { CorruptError, UnsupportedError } from '../../errors.ts';
import type { BlockDevice } from '../device.ts';
import type { DiskFlag, PartitionFacts } from '../facts.ts';
import { byteReader } from '../reader.ts';
import { gptTypeName } from './types.ts';

/** UEFI 2.10, 5.3.2. */
const header = struct('little', {
	signature: bytes(8),
	revision: u32,
	headerSize: u32,
	headerCrc: u32,
	reserved: u32,
	ownLba: u64,
	alternateLba: u64,
	firstUsable: bits64,
	lastUsable: bits64,
	diskGuid: bytes(16),
	entriesLba: u64,
	entryCount: u32,
	entrySize: u32,
	entriesCrc: u32,
});

/** UEFI 2.10, 5.3.3. */
const entry = struct('little', { type: bytes(16), guid: bytes(16), first: bits64, last: bits64, attributes: bits64, name: bytes(72) });

/** No table of partitions is larger; the usual one has 16 KiB. */
const LARGEST_TABLE = 4 << 20;

/** More partitions than any system makes; tables have room for 128. */
const MOST = 1024;

const LEGACY_BIOS_BOOTABLE = 4n;

export type Gpt = {
	/** That the table was made for, in bytes. */
	readonly sectorSize: 512 | 4096;
	readonly diskId: string;
	readonly partitions: readonly PartitionFacts[];
	readonly flags: readonly DiskFlag[];
};

type Copy = { readonly alternateLba: number; readonly diskId: string; readonly entries: readonly Entry[] };

/** One that is in use, with its number from 1. */
type Entry = { readonly number: number; readonly bytes: Uint8Array };

/**
 * The GPT of a disk, from its first header or, where that is damaged, from the copy at the end. Looked for in sectors of the disk's own
 * size, then of the other: a table may have been copied there as bytes. Undefined where there is no sound one.
 * @throws UnsupportedError for more partitions than any system makes.
 */
export const readGpt = async (device: BlockDevice): Promise<Gpt | undefined> => {
	for (const sectorSize of device.sectorSize === 512 ? ([512, 4096] as const) : ([4096, 512] as const)) {
		const last = Math.floor(device.size / sectorSize) - 1;
		const primary = await copyAt(device, sectorSize, 1);
		const backup = await copyAt(device, sectorSize, primary?.alternateLba ?? last);
		const copy = primary ?? backup;
		if (!copy) continue;
		const flags: DiskFlag[] = [];
		if (!primary) flags.push('gpt-primary-bad');
		if (!backup) flags.push('gpt-backup-bad');
		if (primary && backup && !isSame(primary, backup)) flags.push('gpt-copies-differ');
		if (primary && primary.alternateLba !== last) flags.push('gpt-backup-not-at-end');
		if (sectorSize !== device.sectorSize) flags.push('gpt-sector-size-mismatch');
		const { diskId, entries } = copy;
		if (entries.length > MOST)
			throw new UnsupportedError(`the GPT has ${entries.length} partitions, and no more than ${MOST} are read`, { path: device.name });
		return { sectorSize, diskId, partitions: entries.map((one) => partitionFrom(one, sectorSize, device.name)), flags };
	}
	return undefined;
};

const isSame = (one: Copy, other: Copy): boolean =>
	one.diskId === other.diskId &&
	one.entries.length === other.entries.length &&
	one.entries.every(({ number, bytes }, index) => {
		const twin = other.entries[index];
		return twin?.number === number && twin.bytes.every((byte, at) => byte === bytes[at]);
	});

/** One of the two copies; undefined if anything of it is wrong. */
const copyAt = async (device: BlockDevice, sectorSize: number, lba: number): Promise<Copy | undefined> => {
	try {
		return await readCopy(device, sectorSize, lba);
	} catch (error) {
		if (error instanceof CorruptError) return undefined;
		throw error;
	}
};

const readCopy = async (device: BlockDevice, sectorSize: number, lba: number): Promise<Copy> => {
	const offset = lba * sectorSize;
	const corrupt = (what: string): never => {
		throw new CorruptError(`the GPT's ${what}`, { path: device.name, offset });
	};
	const sector = await device.read(offset, sectorSize);
	const at = header.decode(sector, { path: device.name, offset });
	if (String.fromCharCode(...at.signature) !== 'EFI PART') corrupt('header has no signature');
	if (at.headerSize < header.size || at.headerSize > sectorSize) corrupt(`header has ${at.headerSize} bytes`);
	if (at.ownLba !== lba) corrupt(`header is that of sector ${at.ownLba}`);
	const summed = sector.slice(0, at.headerSize);
	summed.fill(0, header.offsets.headerCrc, header.offsets.headerCrc + 4);
	if (crc32(summed) !== at.headerCrc) corrupt("header's checksum is wrong");
	if (at.entrySize < entry.size || at.entrySize % 8 !== 0 || at.entryCount * at.entrySize > LARGEST_TABLE) {
		corrupt(`table has ${at.entryCount} entries of ${at.entrySize} bytes`);
	}
	const table = await device.read(at.entriesLba * sectorSize, at.entryCount * at.entrySize);
	if (crc32(table) !== at.entriesCrc) corrupt("table's checksum is wrong");
	const entries: Entry[] = [];
	for (let number = 1; number <= at.entryCount; number++) {
		const bytes = table.subarray((number - 1) * at.entrySize).subarray(0, entry.size);
		if (!isZero(bytes.subarray(0, 16))) entries.push({ number, bytes });
	}
	return { alternateLba: at.alternateLba, diskId: guidText(at.diskGuid), entries };
};

const partitionFrom = ({ number, bytes }: Entry, sectorSize: number, path: string): PartitionFacts => {
	const { type, guid, first, last, attributes, name } = entry.decode(bytes, { path, offset: 0 });
	const typeGuid = guidText(type);
	return {
		number,
		start: Number(first) * sectorSize,
		size: last < first ? 0 : Number(last - first + 1n) * sectorSize,
		type: gptTypeName(typeGuid),
		typeGuid,
		uuid: guidText(guid),
		name: byteReader(name, { path }).utf16(0, name.length) || undefined,
		bootable: (attributes & LEGACY_BIOS_BOOTABLE) !== 0n,
	};
};
