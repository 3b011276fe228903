import type { MountFacts } from './facts.ts';
import type { FileSystem } from './filesystem.ts';
import type { GuestContext, OpenVolume } from './system.ts';
import { type FileTree, fileTree } from './tree.ts';

/** A line of fstab, as its reader gives it. */
export type MountEntry = Omit<MountFacts, 'volume'>;

export type MountedGuest = {
	/** The root with everything mounted into it that could be found and opened. */
	readonly tree: FileTree;
	/** The lines, with the volumes that they name. */
	readonly mounts: readonly MountFacts[];
	/** Where each volume is mounted, by its id. */
	readonly mountpoints: ReadonlyMap<string, string>;
};

/**
 * Put a guest's file systems together as its fstab says. The root is what it is, whatever fstab says of `/`. Volumes that are missing
 * or cannot be opened are left out of the tree; `mounts` tells which.
 */
export const mountGuest = (root: OpenVolume, entries: readonly MountEntry[], context: GuestContext): MountedGuest => {
	const mounted = new Map<string, FileSystem>();
	const mountpoints = new Map([[root.facts.id, '/']]);
	const mounts = entries.map((entry): MountFacts => {
		const volume = entry.mountpoint === '/' ? root.facts.id : volumeNamed(entry.device, context);
		if (volume === undefined || !entry.mountpoint.startsWith('/')) return { ...entry, volume };
		const mountpoint = entry.mountpoint.replace(/(?<=.)\/+$/, '');
		const open = context.open.find(({ facts }) => facts.id === volume);
		if (open && mountpoint !== '/' && !mounted.has(mountpoint)) mounted.set(mountpoint, open.fileSystem);
		if (!mountpoints.has(volume)) mountpoints.set(volume, mountpoint);
		return { ...entry, volume };
	});
	return { tree: fileTree(root.fileSystem, mounted), mounts, mountpoints };
};

/**
 * The id of the volume that a guest names a device by: `UUID=`, `LABEL=`, `PARTUUID=`, `PARTLABEL=`, the same under `/dev/disk`,
 * `/dev/VG/LV`, `/dev/mapper/VG-LV`, `/dev/md0`, `/dev/md/NAME`, their names under `/dev/disk/by-id`, and `/dev/sda1` and its kin by the order of the disks. Undefined where no disk given has it.
 */
export const volumeNamed = (device: string, { disks, volumes }: Pick<GuestContext, 'disks' | 'volumes'>): string | undefined => {
	const [, tag, quoted = ''] = /^(?:\/dev\/disk\/by-)?(uuid|label|partuuid|partlabel)[=/](.*)$/i.exec(device) ?? [];
	const value = unescaped(quoted.replace(/^"(.*)"$/, '$1'));
	switch (tag?.toLowerCase()) {
		case 'uuid':
			return volumes.find(({ uuid, memberOf }) => memberOf === undefined && uuid?.toLowerCase() === value.toLowerCase())?.id;
		case 'label':
			return volumes.find(({ label }) => label === value)?.id;
		case 'partuuid':
			return partitionWhere(disks, ({ uuid }) => uuid?.toLowerCase() === value.toLowerCase());
		case 'partlabel':
			return partitionWhere(disks, ({ name }) => name === value);
	}
	const byId = /^\/dev\/disk\/by-id\/(dm-uuid|md-uuid|md-name)-(.+)$/.exec(device);
	if (byId?.[1] === 'dm-uuid') return volumes.find(({ mapperUuid }) => mapperUuid === byId[2])?.id;
	if (byId?.[1] === 'md-uuid') return volumes.find(({ id }) => id.startsWith('md:') && isSameHex(id.slice(3), byId[2] ?? ''))?.id;
	if (byId) return arrayNamed((byId[2] ?? '').replace(/^[^:]*:/, ''), volumes);
	const mapped = /^\/dev\/(?:mapper\/|disk\/by-id\/dm-name-)(.+)$/.exec(device)?.[1];
	if (mapped !== undefined) return volumes.find(({ id }) => id.startsWith('lv:') && mapperName(id.slice(3)) === mapped)?.id;
	const array = /^\/dev\/md(?:\/(.+)|(\d+))$/.exec(device);
	if (array) return arrayNamed(array[1] ?? array[2] ?? '', volumes);
	const kernel = /^\/dev\/(?:(?:sd|vd|xvd|hd)([a-z])|nvme(\d+)n1p?|mmcblk(\d+)p?)(\d*)$/.exec(device);
	if (kernel) {
		const disk = kernel[1] !== undefined ? kernel[1].charCodeAt(0) - 'a'.charCodeAt(0) : Number(kernel[2] ?? kernel[3]);
		const id = kernel[4] ? `disk${disk}p${kernel[4]}` : `disk${disk}`;
		return volumes.find((volume) => volume.id === id)?.id;
	}
	const volume = /^\/dev\/([^/]+\/[^/]+)$/.exec(device)?.[1];
	return volumes.find(({ id }) => id === `lv:${volume}`)?.id;
};

const isSameHex = (one: string, other: string): boolean => one.replace(/\W/g, '') === other.replace(/\W/g, '');

/** By the name that members give their array, `host:0`; an only array without a name is meant by any. */
const arrayNamed = (name: string, volumes: GuestContext['volumes']): string | undefined => {
	const members = volumes.filter(({ memberOf }) => memberOf?.startsWith('md:'));
	const named = members.find(({ label }) => label?.replace(/^[^:]*:/, '') === name)?.memberOf;
	const isOnly = new Set(members.map(({ memberOf }) => memberOf)).size === 1 && members.every(({ label }) => label === undefined);
	const id = named ?? (isOnly ? members[0]?.memberOf : undefined);
	return volumes.some((volume) => volume.id === id) ? id : undefined;
};

const partitionWhere = (disks: GuestContext['disks'], is: (partition: GuestContext['disks'][number]['partitions'][number]) => boolean) => {
	for (const { index, partitions } of disks) {
		const found = partitions.find(is);
		if (found) return `disk${index}p${found.number}`;
	}
	return undefined;
};

/** How device mapper spells `vg/lv`: hyphens doubled, and one between. */
const mapperName = (volume: string): string => volume.replaceAll('-', '--').replace('/', '-');

/** fstab writes a space in a label as `\040`, udev as `\x20`. */
const unescaped = (text: string): string =>
	text.replace(/\\(?:x([0-9a-f]{2})|([0-7]{3}))/gi, (_, sixteen, eight) =>
		String.fromCharCode(sixteen ? Number.parseInt(sixteen, 16) : Number.parseInt(eight, 8)),
	);
