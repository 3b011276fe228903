import fs from 'node:fs';
import { freshStamp } from '../../api.ts';
import { planImage } from '../../convert/convert.ts';
import { type Measure, measureImage } from '../../convert/measure.ts';
import { profiles } from '../../convert/profiles.ts';
import { targetFormat } from '../../convert/target.ts';
import type { Disk } from '../../core/disk.ts';
import type { DiskFormat } from '../../core/format.ts';
import { AccessError, VconvError } from '../../errors.ts';
import type { HostFacts } from '../../validate/facts.ts';
import type { Target } from '../../validate/targets.ts';
import { accessError, statOf } from '../file.ts';

/** What a file of a file system can have at the most, in bytes: by its type in statfs(2) and the size of its blocks. */
const LARGEST_FILES = new Map<number, (blockSize: number) => number>([
	// FAT of any width (MSDOS_SUPER_MAGIC)
	[0x4d44, () => 2 ** 32 - 1],
	// ext4 numbers a file's blocks in 32 bits
	[0xef53, (blockSize) => (2 ** 32 - 1) * blockSize],
]);

/** What is known of a folder that disks are to go to. @throws AccessError if there is none. */
export const folderFacts = (folder: string): HostFacts => {
	if (!statOf(folder)?.isDirectory()) throw new AccessError('there is no such folder', { path: folder, hint: `mkdir -p ${folder}` });
	try {
		const { bavail, bsize, type } = fs.statfsSync(folder);
		return { folder, free: bavail * bsize, largestFile: LARGEST_FILES.get(type)?.(bsize) };
	} catch (cause) {
		throw accessError('cannot be looked at', folder, cause);
	}
};

/** What has no profile of its own takes what VMware's and QEMU's products take. */
const FORMATS: Readonly<Record<string, string>> = { workstation: 'vmdk', kubevirt: 'raw' };

/** What the image of a disk takes in the format that a target gets; undefined where it does not take the disk. */
export const neededFor = async (
	target: Target,
	disk: Disk,
	formats: readonly DiskFormat[],
	signal?: AbortSignal,
): Promise<Measure | undefined> => {
	const profile = profiles.find(({ id }) => id === target.id);
	try {
		const format = targetFormat(formats, '', profile ? undefined : FORMATS[target.id], profile);
		const layout = planImage({ disk, format, name: `disk.${format.extensions[0]}`, profile, stamp: freshStamp() });
		return await measureImage(disk, layout, signal);
	} catch (error) {
		if (error instanceof VconvError) return undefined;
		throw error;
	}
};
