import { isPowerOfTwo } from '../../bytes/align.ts';
import type { ByteReader } from '../reader.ts';
import { isAt, type Prober } from './probe.ts';

/** Where the boot sectors of Microsoft's file systems say what they are. */
const OEM = 3;

/** What a FAT has there instead, where BitLocker To Go hides in it. */
const TO_GO = 424;
const BITLOCKER_GUID = '\x3b\xd6\x67\x49\x29\x2e\xd8\x4a\x83\x99\xf6\xa3\x39\xe3\xd0\x01';

/** Encrypted with BitLocker; Windows 11's device encryption is the same. */
export const bitlocker: Prober = ({ head }) =>
	isAt(head, OEM, '-FVE-FS-') || (isAt(head, OEM, 'MSWIN4.1') && isAt(head, TO_GO, BITLOCKER_GUID))
		? { type: 'BitLocker', encrypted: true, unsupported: 'it is encrypted with BitLocker' }
		: undefined;

export const ntfs: Prober = ({ head }) => {
	if (!isAt(head, OEM, 'NTFS    ')) return undefined;
	const sector = head.u16(11);
	const shift = head.u8(13);
	const cluster = sector * (shift <= 0x80 ? shift : 2 ** (256 - shift));
	if (!isPowerOfTwo(sector) || !isPowerOfTwo(cluster)) return undefined;
	return {
		type: 'ntfs',
		uuid: head.bits64(0x48).toString(16).toUpperCase().padStart(16, '0'),
		blockSize: cluster,
		fileSystemSize: inBytes(head.bits64(0x28), sector),
	};
};

const inBytes = (sectors: bigint, sector: number): number | undefined => {
	const bytes = sectors * BigInt(sector);
	return bytes <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(bytes) : undefined;
};

/** The exFAT specification of Microsoft, 3.1. */
export const exfat: Prober = ({ head }) => {
	if (!isAt(head, OEM, 'EXFAT   ')) return undefined;
	const [sectorShift, clusterShift] = [head.u8(108), head.u8(109)];
	if (sectorShift < 9 || sectorShift > 12 || sectorShift + clusterShift > 25) return undefined;
	const dirty = (head.u16(106) & 2) !== 0;
	return {
		type: 'exfat',
		uuid: serial(head, 100),
		blockSize: 2 ** (sectorShift + clusterShift),
		fileSystemSize: inBytes(head.bits64(72), 2 ** sectorShift),
		clean: !dirty,
		state: dirty ? ['not-unmounted'] : [],
	};
};

export const refs: Prober = ({ head }) => (isAt(head, OEM, 'ReFS\0\0\0\0') ? { type: 'ReFS' } : undefined);

/** Microsoft's FAT specification, "Boot Sector and BPB". The label that counts is in the root directory. */
export const fat: Prober = ({ head }) => {
	const sector = head.u16(11);
	const cluster = head.u8(13);
	const wide = isAt(head, 82, 'FAT32   ');
	const named = wide || ['FAT12   ', 'FAT16   ', 'FAT     '].some((name) => isAt(head, 54, name));
	const copies = head.u8(16);
	if (!named || !isPowerOfTwo(sector) || sector < 512 || sector > 4096 || !isPowerOfTwo(cluster) || copies === 0 || copies > 4)
		return undefined;
	const label = head.latin1(wide ? 71 : 43, 11).trimEnd();
	return {
		type: 'vfat',
		uuid: serial(head, wide ? 67 : 39),
		label: label === 'NO NAME' || label === '' ? undefined : label,
		blockSize: sector * cluster,
		fileSystemSize: (head.u16(19) || head.u32(32)) * sector,
	};
};

/** `AB12-34CD`, as fstab has it. */
const serial = (head: ByteReader, at: number): string =>
	head
		.u32(at)
		.toString(16)
		.toUpperCase()
		.padStart(8, '0')
		.replace(/^(.{4})/, '$1-');
