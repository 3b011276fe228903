import { extendCrc32 } from '../../bytes/crc32.ts';
import { CorruptError } from '../../errors.ts';
import type { BlockDevice } from '../device.ts';
import { byteReader } from '../reader.ts';
import { isAt, type Prober } from '../volumes/probe.ts';

/** A run of bytes of a physical volume. */
type Area = { readonly start: number; readonly size: number };

/** What the label of a physical volume of LVM2 says (lib/format_text/layout.h of LVM2). */
export type PhysicalVolume = {
	/** With hyphens, as LVM prints it. */
	readonly uuid: string;
	/** Of the device that it was made on, in bytes. */
	readonly deviceSize: number;
	/** Where copies of the volume group's description are. */
	readonly metadata: readonly Area[];
};

const SECTOR = 512;

/** The label is in one of the first four sectors. */
const LABEL_SECTORS = 4;

/** Lists of areas end with an empty entry; LVM makes at most two. */
const MAX_AREAS = 16;

const sectorOf = ({ head }: Parameters<Prober>[0]): number | undefined => {
	for (let at = 0; at < LABEL_SECTORS * SECTOR; at += SECTOR) {
		if (isAt(head, at, 'LABELONE') && isAt(head, at + 24, 'LVM2 001')) return at;
	}
	return undefined;
};

/** The label of a physical volume; undefined where there is none. @throws CorruptError if it leads outside of its sector. */
export const physicalVolume = (probe: Parameters<Prober>[0]): PhysicalVolume | undefined => {
	const sector = sectorOf(probe);
	if (sector === undefined) return undefined;
	const data = byteReader(probe.head.bytes(sector, SECTOR), { path: probe.device.name, offset: sector });
	const header = data.u32(20);
	let at = header + 40;
	const areas = (): Area[] => {
		const found: Area[] = [];
		for (; ; at += 16) {
			const start = data.u64(at);
			if (start === 0 || found.length === MAX_AREAS) break;
			found.push({ start, size: data.u64(at + 8) });
		}
		at += 16;
		return found;
	};
	areas(); // where the data is, which the description says better
	return { uuid: hyphened(data.latin1(header, 32)), deviceSize: data.u64(header + 32), metadata: areas() };
};

const hyphened = (uuid: string): string =>
	[
		[0, 6],
		[6, 10],
		[10, 14],
		[14, 18],
		[18, 22],
		[22, 26],
		[26, 32],
	]
		.map(([from, to]) => uuid.slice(from, to))
		.join('-');

export const lvm: Prober = (probe) => {
	const found = physicalVolume(probe);
	return found && { type: 'LVM2_member', uuid: found.uuid, fileSystemSize: found.deviceSize };
};

const MAGIC = ' LVM2 x[5A%r0N*>';

/** No description of a volume group is larger: 16 MiB. */
const LARGEST_TEXT = 16 << 20;

/** What LVM's checksums begin with (lib/misc/crc.h of LVM2). */
const FIRST_CRC = 0xf597a6cf;

/**
 * The text of the volume group's description, from the first area of metadata that holds a sound one. It is kept in a ring after the
 * area's header. Undefined where the physical volume has none: LVM can be told to keep it on others.
 * @throws CorruptError where there is one, and none is sound.
 */
export const metadataText = async (device: BlockDevice, { metadata }: PhysicalVolume): Promise<string | undefined> => {
	let damaged: number | undefined;
	for (const { start, size } of metadata) {
		const data = byteReader(await device.read(start, SECTOR), { path: device.name, offset: start });
		const at = data.u64(40);
		const length = data.u64(48);
		if (at === 0 && length === 0) continue;
		damaged ??= start;
		if (data.latin1(4, MAGIC.length) !== MAGIC || data.u64(32) !== size) continue;
		if (at < SECTOR || at >= size || length === 0 || length > Math.min(size - SECTOR, LARGEST_TEXT)) continue;
		const first = Math.min(length, size - at);
		const bytes = new Uint8Array(length);
		bytes.set(await device.read(start + at, first));
		bytes.set(await device.read(start + SECTOR, length - first), first);
		if (extendCrc32(FIRST_CRC, bytes) >>> 0 === data.u32(56)) return byteReader(bytes, { path: device.name }).utf8(0, length);
	}
	if (damaged === undefined) return undefined;
	throw new CorruptError("the description of LVM's volume group is damaged", { path: device.name, offset: damaged });
};
