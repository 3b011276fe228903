import type { MountFacts } from '../facts.ts';
import type { MountEntry } from '../mounts.ts';
import type { FileTree } from '../tree.ts';
import { optionsWithoutSecrets, withoutUser } from './secrets.ts';
import { configLines } from './text.ts';

/** The lines of `/etc/fstab`, without passwords. */
export const readFstab = async (tree: FileTree): Promise<readonly MountEntry[]> => {
	const path = '/etc/fstab';
	const entries: MountEntry[] = [];
	for (const [line, number] of configLines((await tree.readText(path)) ?? '')) {
		const [device, mountpoint, type = 'auto', options = 'defaults'] = line.split(/\s+/).map(unescaped);
		if (!device || !mountpoint) continue;
		const told = optionsWithoutSecrets(options).split(',');
		entries.push({ device: withoutUser(device), mountpoint, type, options: told, where: `${path}:${number}` });
	}
	return entries;
};

/** Spaces and their like are written in octal. */
const unescaped = (text: string): string =>
	text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));

/**
 * How a device is named, where the name is of the old hardware: `device-name` (`/dev/sda1`, by-diskseq) changes with the bus or the order of disks,
 * `device-by-path` with the slot, `device-by-id` with the disk's model and serial number. Undefined for names that travel.
 */
export const namedByHardware = (device: string): 'device-name' | 'device-by-path' | 'device-by-id' | undefined => {
	if (
		/^\/dev\/((s|h|v|xv)d[a-z]+\d*|nvme\d+n\d+(p\d+)?|mmcblk\d+(p\d+)?|dasd[a-z]+\d*|cciss\/.+|ida\/.+|disk\/by-diskseq\/.+)$/.test(device)
	)
		return 'device-name';
	if (device.startsWith('/dev/disk/by-path/')) return 'device-by-path';
	if (/^\/dev\/disk\/by-id\/(?!(dm|lvm|md)-)/.test(device)) return 'device-by-id';
	return undefined;
};

/** Whether the guest goes on without it. */
export const isOptional = ({ options, mountpoint, type }: MountFacts): boolean =>
	options.includes('nofail') || options.includes('noauto') || mountpoint === 'none' || type === 'swap';
