import { uuidText } from '../../bytes/guid.ts';
import { isAt, type Prober } from './probe.ts';

/** What is only named: its type, where its magic is, and the magic. */
const NAMED: readonly (readonly [type: string, at: number, magic: string])[] = [
	['stratis', 516, '!Stra0tis\x86\xff\x02^\x41rh'],
	['vdo', 0, 'dmvdo001'],
	['drbd', 4096 - 4, '\x83\x74\x02\x6b'],
	['squashfs', 0, 'hsqs'],
	['erofs', 1024, '\xe2\xe1\xf5\xe0'],
	['hfsplus', 1024, 'H+'],
	['hfsplus', 1024, 'HX'],
	['jfs', 32768, 'JFS1'],
	['reiserfs', 65536 + 52, 'ReIsEr'],
	['ufs', 65536 + 1372, '\x19\x01\x54\x19'],
	['nilfs2', 1024 + 6, '\x34\x34'],
];

export const named: Prober = ({ head }) => {
	const found = NAMED.find(([, at, magic]) => isAt(head, at, magic));
	return found && { type: found[0] };
};

const BCACHE = '\xc6\x85\x73\xf6\x4e\x1a\x45\xca\x82\x65\xf5\x7f\x48\xba\x6d\x81';

/** The superblock of a device behind a cache, or of the cache itself (include/uapi/linux/bcache.h). */
export const bcache: Prober = ({ head }) =>
	isAt(head, 4096 + 24, BCACHE)
		? { type: 'bcache', uuid: uuidText(head.bytes(4096 + 40, 16)), unsupported: 'it is cached by, or a cache of, bcache' }
		: undefined;

export const apfs: Prober = ({ head }) => (isAt(head, 32, 'NXSB') ? { type: 'apfs', uuid: uuidText(head.bytes(72, 16)) } : undefined);

/** ECMA-119, 8.4. blkid makes the UUID of the date of the last change. */
export const iso9660: Prober = ({ head }) => {
	const at = 32768;
	if (!isAt(head, at + 1, 'CD001')) return undefined;
	const date = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(head.latin1(at + 830, 16));
	return {
		type: 'iso9660',
		uuid: date?.slice(1).join('-'),
		label: head.latin1(at + 40, 32).trim() || undefined,
		blockSize: head.u16(at + 128),
		fileSystemSize: head.u32(at + 80) * head.u16(at + 128),
		clean: true,
	};
};

/** Where the first label's list of names and values is, and how long it may be (ZFS On-Disk Specification, 1.2). */
const ZFS_LIST = 16 << 10;
const ZFS_LIST_END = 64 << 10;

/** How a list in XDR begins: its encoding, its byte order, its version and its flag. */
const ZFS_MAGIC = '\x01\x01\0\0\0\0\0\0\0\0\0\x01';
const ZFS_STRING = 9;

/** A member of a ZFS pool; the label is the pool's name. */
export const zfs: Prober = ({ head }) => {
	if (!isAt(head, ZFS_LIST, ZFS_MAGIC)) return undefined;
	const big = (at: number): number =>
		(head.u32(at) >>> 24) | ((head.u32(at) >>> 8) & 0xff00) | ((head.u32(at) & 0xff00) << 8) | (head.u32(at) << 24);
	let label: string | undefined;
	for (let at = ZFS_LIST + 12; at + 16 < ZFS_LIST_END && label === undefined; ) {
		const size = big(at);
		const length = big(at + 8);
		if (size < 20 || length < 0 || length > size || at + size > ZFS_LIST_END) break;
		const value = at + 12 + Math.ceil(length / 4) * 4;
		const isName = head.latin1(at + 12, length) === 'name' && big(value) === ZFS_STRING;
		if (isName) label = head.utf8(value + 12, Math.min(256, Math.max(0, big(value + 8))));
		at += size;
	}
	return { type: 'zfs_member', label, unsupported: 'it belongs to a ZFS pool' };
};
