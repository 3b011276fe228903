import type { DiskDevice } from '../spec.ts';
import type { Context } from './context.ts';
import type { DriveTarget } from './options.ts';

/** Where libvirt keeps images. */
const FOLDER = '/var/lib/libvirt/images';

/** The last part of a path of any system. */
const baseName = (path: string): string => path.split(/[\\/\]]\s*/).at(-1) ?? path;

/** The name that a snapshot's part of a disk has: `web-000001.vmdk`. A whole disk may be called so too. */
const DELTA = /-\d{6}(\.vmdk)$/i;

/** Types of disks that are a device of the host. */
const RAW = /^(rawdisk|plaindisk|scsi-nonpassthru.*)$/i;

/**
 * The images on the host that the hard disks become, by VMX name. Those that nobody named lie in one folder, called as the VMDKs are.
 */
export const planImages = (disks: readonly DiskDevice[], c: Context): ReadonlyMap<string, DriveTarget> => {
	const images = new Map<string, DriveTarget>();
	const taken = new Set<string>();
	for (const disk of disks) {
		const said = disk.fileName ?? '';
		reportSource(disk, said, c);
		const named = c.options.drives?.get(disk.id);
		const format = named?.format ?? (disk.shareable ? 'raw' : 'qcow2');
		const stem =
			baseName(said)
				.replace(DELTA, '$1')
				.replace(/\.\w{1,5}$/, '')
				.replaceAll(/[^\p{L}\p{N} ._()+#@-]/gu, '-') || 'disk';
		const file = (name: string) => `${folderOf(c)}/${name}.${format}`;
		const free = taken.has(file(stem)) ? file(`${stem}-${disk.id.replace(':', '-')}`) : file(stem);
		const target = named ? { ...named, format } : { path: free, format };
		taken.add(target.path);
		images.set(disk.id, target);
		if (named) continue;
		c.tell('DISK_TO_CONVERT', disk.id, `${disk.id} is '${said}', and is expected as ${target.path}`, {
			keys: [`${disk.id}.fileName`, `${disk.id}.deviceType`],
			remedy: `vconv -O ${format} on it`,
		});
	}
	return images;
};

export const folderOf = (c: Context): string => (c.options.imageFolder ?? FOLDER).replace(/\/+$/, '');

/** What the file of a disk is, besides a whole disk. */
const reportSource = ({ id, deviceType = '' }: DiskDevice, said: string, c: Context): void => {
	const keys = [`${id}.fileName`, `${id}.deviceType`];
	const named = c.options.drives?.get(id);
	if (RAW.test(deviceType) || /^(\/dev\/|\/vmfs\/devices\/|\\\\\.\\)/.test(said)) {
		if (!named) c.tell('DISK_RAW_UNMAPPED', id, `${id} is a device of the old host, '${said}'`, { keys, action: 'none' });
	} else if (named?.delta ?? DELTA.test(said)) {
		const holds = named?.delta ? 'holds changes' : 'by its name holds changes since a snapshot';
		c.tell('SNAPSHOT_ACTIVE', id, `'${said}' ${holds}; with what lies under it, it becomes one image`, { keys });
	}
};

/** Whether a path is the disc of VMware Tools, where ESXi, Workstation and Fusion have it. */
export const isToolsDisc = (path: string): boolean => /isoimages|[\\/](vmtools|VMware (Workstation|Player))[\\/][^\\/]+\.iso$/i.test(path);

/** What is in an optical drive on the new host. */
export const planOptical = (disk: DiskDevice, c: Context): DiskDevice['media'] => {
	const { id, media, client, deviceType = '' } = disk;
	const keys = [`${id}.fileName`, `${id}.deviceType`, ...(client ? [`${id}.clientDevice`] : [])];
	const named = c.options.drives?.get(id);
	if (named) return { type: 'file', path: named.path };
	if (client) {
		c.tell('CLIENT_DEVICE', id, `${id} was a drive of whoever looked at the console: it is empty`, { keys });
	} else if (media.type === 'block' || media.type === 'auto' || disk.kind === 'lun') {
		c.tell('CDROM_HOST_DEVICE', id, `${id} was a drive of the old host (${deviceType || 'any'}): it is empty`, { keys });
	} else if (media.type === 'file') {
		const tools = isToolsDisc(media.path) ? ' of VMware Tools' : '';
		const more = tools === '' ? {} : { remedy: undefined };
		c.tell('CDROM_MEDIA_DROPPED', id, `the image${tools} in ${id}, '${media.path}', is taken out`, { keys, ...more });
	}
	return { type: 'none', of: 'file' };
};
