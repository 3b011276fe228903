import type { BlockDevice } from '../device.ts';
import { lvm } from '../lvm/label.ts';
import { btrfs, ext, f2fs, swap } from './linux.ts';
import { luks, luksCopy } from './luks.ts';
import { md } from './md.ts';
import { apfs, bcache, iso9660, named, zfs } from './others.ts';
import { type Prober, probeOf, type Signature } from './probe.ts';
import { bitlocker, exfat, fat, ntfs, refs } from './windows.ts';
import { xfs } from './xfs.ts';

/** Below this there is nothing to look for, in bytes. */
const SMALLEST = 512;

/**
 * In the order they are asked. Containers come first: the first member of a mirror looks like the file system in it. FAT comes after
 * what may have taken its place, for its own signature is the weakest.
 */
const PROBERS: readonly Prober[] = [
	...[luks, bitlocker, lvm, md, bcache, zfs, swap],
	...[ntfs, exfat, refs, xfs, btrfs, ext, f2fs, apfs, iso9660, named, fat, luksCopy],
];

/**
 * What a volume holds, by its own bytes. `unknown` where nothing claims it.
 * @throws CorruptError where what claims it contradicts itself.
 */
export const probeVolume = async (device: BlockDevice): Promise<Signature> => {
	if (device.size < SMALLEST) return { type: 'unknown' };
	const probe = await probeOf(device);
	for (const prober of PROBERS) {
		const found = await prober(probe);
		if (found) return found;
	}
	return { type: 'unknown' };
};
