import { entry, type ReportEntry } from '../../src/machine/report.ts';
import type { Controller, DiskDevice, Media, SaidBacking, SaidImage } from '../../src/machine/spec.ts';
import type { Dom } from './dom.ts';
import { countOf } from './units.ts';

/** Where libvirt's word for a SCSI adapter is not VMware's; `lsilogic` is another adapter in QEMU than in VMware. */
const VMWARE_MODELS: ReadonlyMap<string, string> = new Map([['vmpvscsi', 'pvscsi']]);

export const readControllers = (devices: Dom | undefined, hypervisor: string | undefined, path: string): Controller[] =>
	(devices?.children('controller') ?? []).map((controller): Controller => {
		const model = controller.attribute('model');
		const other = model === 'lsilogic' && hypervisor !== 'vmware' ? 'lsi53c895a' : model;
		return {
			bus: controller.attribute('type') ?? '',
			index: countOf(controller.attribute('index'), `${controller.path}/@index`, path) ?? 0,
			model: VMWARE_MODELS.get(other ?? '') ?? other,
			keys: [controller.path],
		};
	});

export const readDisks = (devices: Dom | undefined, path: string): DiskDevice[] =>
	inLibvirtOrder((devices?.children('disk') ?? []).map((disk) => readDisk(disk, path)));

/** libvirt takes no hard disk without an image, but for a `lun`, which may be an optical drive: such a domain is none of its own. */
export const disksLackingImages = (disks: readonly DiskDevice[]): ReportEntry[] =>
	disks.flatMap(({ id, kind, media, keys }) => {
		if (kind !== 'disk' || (media.type !== 'none' && media.type !== 'auto')) return [];
		const message = `the hard disk ${id} has no image, and libvirt takes no such disk`;
		const remedy = `say its <source>; or for an optical drive, device='cdrom'`;
		return [entry('DISK_WITHOUT_FILE', { subject: id, message, keys, action: 'none', remedy })];
	});

/** As libvirt has them once it has the domain: each bus where it is first named, and its disks by the letters of their targets. */
const inLibvirtOrder = (disks: readonly DiskDevice[]): DiskDevice[] => {
	const buses = new Map<string, DiskDevice[]>();
	for (const disk of disks) {
		const others = buses.get(disk.bus);
		if (others) others.push(disk);
		else buses.set(disk.bus, [disk]);
	}
	return [...buses.values()].flatMap((some) => some.toSorted((a, b) => targetIndex(a) - targetIndex(b)));
};

/** Of `vda`, `sda` and `hda` 0, of `vdaa` 26; a target that libvirt sees no letters in comes first. */
const targetIndex = ({ target = '' }: DiskDevice): number => {
	const letters = /^(?:[fhsv]d|xvd|ubd)([a-z]+)\d*$/.exec(target)?.[1] ?? '';
	return [...letters].reduce((index, letter) => index * 26 + letter.charCodeAt(0) - 96, 0) - 1;
};

/** The bus of a target that does not say it, by its letters. */
const BUS_OF_PREFIX: ReadonlyMap<string, string> = new Map([
	['fd', 'fdc'],
	['hd', 'ide'],
	['sd', 'scsi'],
	['vd', 'virtio'],
	['nvme', 'nvme'],
]);

const readDisk = (disk: Dom, path: string): DiskDevice => {
	const type = disk.attribute('type') ?? 'file';
	const kind = disk.attribute('device') ?? 'disk';
	const target = disk.child('target');
	const dev = target?.attribute('dev') ?? '';
	const bus = target?.attribute('bus') ?? BUS_OF_PREFIX.get(/^(nvme|[a-z]d)/.exec(dev)?.[1] ?? '') ?? '';
	const driver = disk.child('driver');
	const address = readDriveAddress(disk, path);
	return {
		id: dev,
		target: dev,
		bus,
		controller: address?.[0] ?? 0,
		unit: address?.[3] ?? 0,
		kind,
		media: readMedia(disk, type),
		driver: driver?.attribute('name'),
		cache: driver?.attribute('cache'),
		mode: disk.child('transient') ? 'independent-nonpersistent' : undefined,
		readOnly: disk.child('readonly') !== undefined,
		...readMore(disk.more(), path),
		chain: readChain(disk.unread()),
		address,
		keys: [disk.path],
	};
};

const readMedia = (disk: Dom, type: string): Media => {
	if (type !== 'file' && type !== 'block') {
		return { type: 'other', said: type, name: nameOf(disk.more().child('source'), type), wants: wantsOf(disk.unread()) };
	}
	const source = disk.child('source');
	const path = source?.attribute(type === 'file' ? 'file' : 'dev');
	if (path) return { type, path };
	if (source?.attribute('startupPolicy') === 'optional' && type === 'block') return { type: 'auto' };
	return { type: 'none', of: type };
};

/** Nothing of it is in a VMX: all that is said is among the rest too. */
const readChain = (image: Dom): SaidImage | undefined => {
	const slice = image.child('source')?.child('slices') && true;
	const [data, backing] = [image.child('dataStore'), image.child('backingStore')];
	if (!slice && !data && !backing) return undefined;
	return { slice, dataFile: data && readMedia(data, data.attribute('type') ?? 'file'), backing: backing && readBacking(backing) };
};

/** One without anything in it says that the chain ends. */
const readBacking = (image: Dom): SaidBacking | 'none' => {
	const type = image.attribute('type');
	if (type === undefined && !image.child('source')) return 'none';
	return { media: readMedia(image, type ?? 'file'), format: image.child('format')?.attribute('type'), ...readChain(image) };
};

/** How QEMU names what is on a network or in a pool. */
const nameOf = (source: Dom | undefined, type: string): string | undefined => {
	if (type === 'network') {
		const host = source?.child('host');
		const port = host?.attribute('port');
		const authority = host ? `//${host.attribute('name') ?? ''}${port === undefined ? '' : `:${port}`}/` : '';
		return `${source?.attribute('protocol') ?? ''}:${authority}${source?.attribute('name') ?? ''}`;
	}
	if (type === 'volume') return `${source?.attribute('pool') ?? ''}/${source?.attribute('volume') ?? ''}`;
	return source?.attribute('path') ?? source?.attribute('dir');
};

/** What it takes to read it besides its name. */
const wantsOf = (disk: Dom): readonly string[] | undefined => {
	const source = disk.child('source');
	const wants = [
		...(source?.attribute('query') ? ['query'] : []),
		...(source?.child('cookies') ? ['cookies'] : []),
		...((source?.child('auth') ?? disk.child('auth')) ? ['user'] : []),
	];
	return wants.length > 0 ? wants : undefined;
};

type More = Pick<DiskDevice, 'bootOrder' | 'serial' | 'wwn' | 'shareable' | 'snapshots' | 'format' | 'sectorSize' | 'encrypted'>;

/** What libvirt's own translation has no place for. */
const readMore = (disk: Dom, path: string): More => {
	const snapshots = disk.unread().attribute('snapshot') === 'no' ? disk.attribute('snapshot') !== 'no' : undefined;
	const isHardDisk = ['disk', 'lun'].includes(disk.unread().attribute('device') ?? 'disk');
	const encryption = disk.child('encryption') ?? disk.child('source')?.child('encryption');
	encryption?.attribute('format');
	return {
		bootOrder: countOf(disk.child('boot')?.attribute('order'), `${disk.path}/boot/@order`, path),
		serial: disk.child('serial')?.text(),
		wwn: disk.child('wwn')?.text(),
		shareable: disk.child('shareable') && true,
		snapshots,
		// That of an image in an optical drive is no matter of anybody's.
		format: isHardDisk ? disk.child('driver')?.attribute('type') : undefined,
		// 0 is whatever is usual.
		sectorSize:
			countOf(disk.child('blockio')?.attribute('logical_block_size'), `${disk.path}/blockio/@logical_block_size`, path) || undefined,
		encrypted: encryption && true,
	};
};

const readDriveAddress = (disk: Dom, path: string): readonly [number, number, number, number] | undefined => {
	const address = disk.child('address');
	if (address?.attribute('type') !== 'drive') return undefined;
	const part = (name: string) => countOf(address.attribute(name), `${address.path}/@${name}`, path) ?? 0;
	return [part('controller'), part('bus'), part('target'), part('unit')];
};
