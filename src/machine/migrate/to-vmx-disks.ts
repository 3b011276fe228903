import { redact } from '../../bytes/redact.ts';
import { UnsupportedError } from '../../errors.ts';
import { toVmxPath } from '../faithful/paths.ts';
import type { DiskDevice, Media } from '../spec.ts';
import { bootsFirst } from './to-vmx-boot.ts';
import type { Migration } from './to-vmx-context.ts';
import { driverFor, idOf, isSharedAsBefore, originDisk, type Place, placeDisks } from './to-vmx-places.ts';
import { hasPath } from './to-vmx-product.ts';

/** The drives of a VMX, and where they are. */
export type PlannedDisks = { readonly disks: readonly DiskDevice[]; readonly places: readonly Place[] };

/**
 * The drives as VMware will have them. Hardware specification, section 8.3.
 * @throws UnsupportedError for an encrypted image, and for more drives than there is room for.
 */
export const planDisks = (m: Migration): PlannedDisks => {
	const disks = m.spec.disks.filter((disk) => !isDropped(disk, m));
	const places = placeDisks(disks, m);
	const names = new Set<string>();
	const planned = disks.map((disk, index) => planDisk(disk, places[index] as Place, names, m));
	tellMoves(disks, places, m);
	return { disks: planned, places };
};

/** A floppy drive whose image stays behind is of no use, and neither is a hard disk that has none, of which the reader has told. */
const isDropped = (disk: DiskDevice, m: Migration): boolean => {
	if (disk.kind === 'disk' && (disk.media.type === 'none' || disk.media.type === 'auto')) return true;
	const was = originDisk(disk, m);
	if (disk.bus !== 'fdc' || imageFor(disk, m) !== undefined || (was && hasPath(was.fileName, m.product))) return false;
	const message = `the floppy drive ${disk.target ?? disk.id} (${describe(disk.media)}) is left out`;
	m.tell('FLOPPY_DROPPED', disk.target ?? disk.id, message, { keys: disk.keys, action: 'dropped' });
	return true;
};

const planDisk = (disk: DiskDevice, place: Place, names: Set<string>, m: Migration): DiskDevice => {
	const { bus, controller, unit } = place;
	const id = idOf(place);
	const base = { id, bus, controller, unit, keys: disk.keys };
	tellAttributes(disk, id, m);
	if (disk.kind === 'cdrom') return { ...base, kind: 'cdrom', ...planMedium(disk, m) };
	if (disk.kind === 'floppy') return { ...base, kind: 'floppy', ...planFloppy(disk, m) };
	return { ...base, kind: 'disk', ...planImage(disk, place, names, m), ...planAttributes(disk, id, m) };
};

const planAttributes = (disk: DiskDevice, id: string, m: Migration): Pick<DiskDevice, 'mode' | 'cache' | 'shareable'> => {
	const { mode, snapshots, cache, shareable } = disk;
	const was = originDisk(disk, m);
	return {
		mode: mode ?? (snapshots === false ? 'independent-persistent' : undefined),
		cache: cache === 'writethrough' || cache === 'directsync' ? 'writethrough' : undefined,
		// The key of the VMX that shared it is restored.
		shareable: was?.shareable && was.id === id && isSharedAsBefore(was.bus, was.controller, m) ? undefined : shareable,
	};
};

const tellAttributes = (
	{ target, cache, shareable, serial, wwn, readOnly, kind, driver, sectorSize = 512, keys }: DiskDevice,
	id: string,
	m: Migration,
): void => {
	const [field = ''] = keys;
	if (shareable) {
		const message = `${target} is shared: ${id} is for several writers, and whatever reserves it has to be set up again`;
		m.tell('DISK_SHARED', id, message, { keys: [`${field}/shareable`] });
	}
	if (sectorSize !== 512 && kind !== 'cdrom') {
		const message = `the sectors of ${id} have 512 bytes, and those of ${target} ${sectorSize}: the guest does not find its partitions`;
		m.tell('DISK_SECTOR_SIZE', id, message, { keys: [`${field}/blockio/@logical_block_size`] });
	}
	if (cache !== undefined && !['default', 'writethrough'].includes(cache)) {
		m.tell('DISK_CACHE_DROPPED', id, `VMware has no cache mode '${cache}'`, { keys: [`${field}/driver/@cache`] });
	}
	const isMadeUp = m.spec.origin?.devices.some(([, to, made]) => to === target && made === wwn);
	const identity = [serial, isMadeUp ? undefined : wwn].filter((part) => part !== undefined);
	if (identity.length > 0) {
		const said = identity.join(', ');
		const message = `the guest reads the serial number of ${id} from its image, and not '${said}'`;
		const remedy = 'disks that the guest finds by serial number have other names';
		m.tell('DISK_SERIAL_LOST', id, message, { keys: [`${field}/serial`, `${field}/wwn`], remedy });
	}
	if (readOnly && kind === 'disk') {
		m.tell('DISK_OPTION_LOST', id, `${id} can be written to, and ${target} cannot`, { keys: [`${field}/readonly`] });
	}
	if (!['disk', 'cdrom', 'floppy'].includes(kind)) {
		m.tell('DISK_OPTION_LOST', id, `${target} is a '${kind}', and ${id} an ordinary drive`, { keys: [`${field}/@device`] });
	}
	if (driver !== undefined && driver !== 'qemu') {
		m.tell('DISK_OPTION_LOST', id, `a VMX does not say the driver '${driver}'`, { keys: [`${field}/driver/@name`] });
	}
};

/** The image of a hard disk, which VMware wants to be a VMDK. */
const planImage = (
	disk: DiskDevice,
	{ bus }: Place,
	names: Set<string>,
	m: Migration,
): Pick<DiskDevice, 'media' | 'deviceType' | 'fileName'> => {
	const { media, target = disk.id, format, encrypted } = disk;
	const [field = ''] = disk.keys;
	if (encrypted) {
		throw new UnsupportedError(`the disk ${target} is encrypted, and VMware cannot read it`, {
			path: m.machine.path,
			field: `${field}/encryption`,
			hint: 'decrypting it first',
		});
	}
	const was = originDisk(disk, m);
	const had = hasPath(was?.fileName, m.product) ? was?.fileName : undefined;
	const path = imageFor(disk, m) ?? unique(had ?? vmdkName(media, target), names);
	names.add(path.toLowerCase());
	const isThere = media.type === 'file' && toVmxPath(media.path) === path;
	if (!isThere) {
		const source = `${describe(media)}${format === undefined ? '' : `, ${format}`}`;
		const message = `${target} (${source}) has to become ${path}`;
		const remedy = media.type === 'file' ? 'vconv convert' : 'copy it to a file and convert that';
		m.tell('DISK_TO_CONVERT', target, message, { keys: [`${field}/source`, `${field}/driver/@type`, `${field}/@type`], remedy });
	}
	const usual = bus === 'scsi' ? 'scsi-hardDisk' : bus === 'ide' ? 'ata-hardDisk' : undefined;
	const deviceType = was?.bus === bus ? was.deviceType : usual;
	return { media: { type: 'file', path }, deviceType, fileName: path };
};

/** What an image will be called, as whoever converts it said. */
const imageFor = ({ target, id }: DiskDevice, { options }: Migration): string | undefined => options.images?.get(target ?? id);

/** The name that the image of a disk has as a VMDK. One on a datastore stays where it is. */
const vmdkName = (media: Media, target: string): string => {
	const said = media.type === 'file' || media.type === 'block' ? media.path : media.type === 'other' ? withoutQuery(media.name ?? '') : '';
	if (/\.vmdk$/i.test(said)) return toVmxPath(said);
	const stem = (said.split(/[/\\:\]]/).at(-1) ?? '').trim().replace(/\.(qcow2|raw|img|vdi|vhdx?|qed)$/i, '');
	return `${stem || target}.vmdk`;
};

const withoutQuery = (url: string): string => url.replace(/\?.*$/s, '');

/** Two images in different folders may have one name; and names that differ in case alone are one on Windows and macOS. */
const unique = (name: string, names: ReadonlySet<string>): string => {
	let free = name;
	for (let number = 1; names.has(free.toLowerCase()); number++) free = name.replace(/(\.vmdk)?$/i, `-${number}.vmdk`);
	return free;
};

const EMPTY = { media: { type: 'auto' }, deviceType: 'atapi-cdrom', fileName: 'auto detect', connected: false } as const;

type Medium = Pick<DiskDevice, 'media' | 'deviceType' | 'fileName' | 'connected' | 'client'>;

/** What is in an optical drive: an image, if it will be where VMware can see it. */
const planMedium = (disk: DiskDevice, m: Migration): Medium => {
	const { media, target = disk.id } = disk;
	const [field = ''] = disk.keys;
	const path = imageFor(disk, m) ?? (media.type === 'file' && /^\[/.test(media.path) ? toVmxPath(media.path) : undefined);
	if (path !== undefined) return { media: { type: 'file', path }, deviceType: 'cdrom-image', fileName: path };
	const was = originDisk(disk, m);
	if (was && media.type === 'none' && hasPath(was.fileName, m.product)) {
		return { media: was.media, deviceType: was.deviceType, fileName: was.fileName, connected: was.connected, client: was.client };
	}
	const lost = media.type === 'none' ? was?.media : media;
	if (lost && lost.type !== 'none') {
		const message = `${describe(lost)} is taken out of ${target}`;
		m.tell('CDROM_MEDIA_DROPPED', target, message, { keys: [`${field}/source`, `${field}/driver`, `${field}/@type`], action: 'dropped' });
	}
	return EMPTY;
};

const planFloppy = (disk: DiskDevice, m: Migration): Medium => {
	const path = imageFor(disk, m);
	const was = originDisk(disk, m);
	if (path === undefined && was) return { media: was.media, deviceType: was.deviceType, fileName: was.fileName, client: was.client };
	return { media: { type: 'file', path: path ?? '' }, deviceType: 'file', fileName: path };
};

const describe = (media: Media): string => {
	if (media.type === 'none') return 'empty';
	if (media.type === 'auto') return "the host's drive";
	return media.type === 'other' ? redact(`${media.said} ${media.name ?? ''}`.trim()) : media.path;
};

/** Drives that are on another bus, or at another place of the same one, than they were. */
const tellMoves = (disks: readonly DiskDevice[], places: readonly Place[], m: Migration): void => {
	const boot = bootsFirst(disks);
	for (const [index, disk] of disks.entries()) {
		const place = places[index] as Place;
		const { target = disk.id, bus, address } = disk;
		const id = idOf(place);
		const [field = ''] = disk.keys;
		const was = m.spec.controllers.find((controller) => controller.bus === bus && controller.index === disk.controller)?.model;
		const isLost = disk === boot && ['installed', 'absent'].includes(driverFor(place, m) ?? 'unknown');
		if (originDisk(disk, m)?.id === id && !isLost) continue;
		if (bus !== place.bus || (place.bus === 'scsi' && was !== place.model)) {
			const [from, to] = [named(bus, bus === 'scsi' ? was : undefined), named(place.bus, place.model)];
			const message = `${target} moves from ${from} to ${to}, as ${id}`;
			const keys = [`${field}/target`, `${field}/address`];
			if (disk.kind !== 'disk') m.tell('CONTROLLER_CHANGED', id, message, { keys });
			else if (disk !== boot) m.tell('CONTROLLER_CHANGED', id, message, { keys });
			else tellRisk(disk, place, was, message, m);
			continue;
		}
		if (isLost) tellRisk(disk, place, was, `${target} stays on ${named(place.bus, place.model)}, as ${id}`, m);
		if (address && !isKept(address, place)) {
			m.tell('ADDRESS_DROPPED', id, `${target} was at ${address.join(':')} of its bus`, { keys: [`${field}/address`] });
		}
	}
};

/** What the move of the disk that the guest boots from asks of it. */
const tellRisk = ({ bus, keys: [field = ''] }: DiskDevice, place: Place, was: string | undefined, message: string, m: Migration): void => {
	const id = idOf(place);
	const keys = [`${field}/target`, `${field}/address`];
	const state = driverFor(place, m) ?? 'unknown';
	if (state === 'boot') {
		m.tell('CONTROLLER_CHANGED', id, `${message}: the guest boots from it, and has its driver at boot`, { keys });
	} else if (state === 'unknown') {
		const severity = m.guest.family === 'windows' && /virtio/.test(`${bus}${was}`) ? 'error' : 'warning';
		m.tell('BOOT_DRIVER_RISK', id, `${message}: the guest boots from it, and needs the driver at boot`, { keys, severity });
	} else {
		const why = 'the guest boots from it, and does not have its driver at boot';
		m.tell('BOOT_DRIVER_RISK', id, `${message}: ${why}`, { keys, severity: 'error' });
	}
};

const named = (bus: string, model: string | undefined): string => (model === undefined ? bus : `${bus} (${model})`);

const isKept = ([controller, bus, target, unit]: readonly [number, number, number, number], place: Place): boolean => {
	if (place.bus === 'ide') return place.controller === bus && place.unit === unit && controller === 0 && target === 0;
	const isThere = place.bus === 'scsi' ? place.unit === target + unit : place.unit === unit && target === 0;
	return isThere && place.controller === controller && bus === 0;
};
