import type { Controller, DiskDevice, Media, PciAddress, VmSpec } from '../spec.ts';
import type { Context } from './context.ts';
import { diskName } from './names.ts';
import { fromVmxPath } from './paths.ts';

/** The order in which libvirt looks for drives. */
const BUSES = ['scsi', 'sata', 'ide', 'fdc', 'nvme'];

/** The drives that libvirt sees, as it shows them. */
export const planDisks = (spec: VmSpec, c: Context): DiskDevice[] => {
	const found = spec.disks
		.filter(({ assumed }) => !assumed)
		.toSorted((a, b) => BUSES.indexOf(a.bus) - BUSES.indexOf(b.bus) || a.controller - b.controller || a.unit - b.unit)
		.flatMap((disk) => planDisk(disk, c));
	const names = new Map<string, DiskDevice>();
	for (const disk of found) {
		const other = names.get(disk.target ?? '');
		names.set(disk.target ?? '', disk);
		if (!other) continue;
		const message = `libvirt calls both ${other.id} and ${disk.id} ${disk.target}, and refuses to define such a domain`;
		c.tell('DISK_TARGET_TWICE', disk.id, message, [], 'changed');
	}
	return found;
};

const planDisk = (disk: DiskDevice, c: Context): DiskDevice[] => {
	if (!isReached(disk, c)) {
		c.tell('DISK_UNREACHED', disk.id, `${c.profile.name} does not look at ${disk.id}: it is left out`, disk.keys);
		return [];
	}
	if (disk.client) {
		c.tell('CLIENT_DEVICE', disk.id, `${disk.id} is a drive of whoever looks at the console: libvirt leaves it out`, disk.keys);
		return [];
	}
	const { kind, media } = disk.bus === 'fdc' ? { kind: 'floppy', media: floppyMedia(disk, c) } : classify(disk, c);
	const isDisk = kind === 'disk';
	const transient = isDisk && disk.mode === 'independent-nonpersistent';
	if (disk.mode !== undefined && !transient && disk.mode !== 'persistent') {
		c.tell('DISK_MODE_LOST', disk.id, `a domain does not say that ${disk.id} is ${disk.mode}`, [`${disk.id}.mode`]);
	}
	return [
		{
			...disk,
			kind,
			media,
			target: targetOf(disk, c),
			address: disk.bus === 'ide' ? [0, disk.controller, 0, disk.unit] : [disk.controller, 0, 0, disk.unit],
			cache: isDisk ? disk.cache : undefined,
			mode: transient ? disk.mode : undefined,
			readOnly: kind === 'cdrom' || kind === 'lun',
			shareable: undefined,
			connected: undefined,
		},
	];
};

/** Whether libvirt looks for a drive there. */
const isReached = ({ bus, controller, unit }: DiskDevice, { profile, hardwareVersion }: Context): boolean => {
	if (bus === 'fdc') return unit < 2;
	if (bus === 'ide') return controller < 2 && unit < 2;
	if (bus === 'sata') return unit < 30;
	if (bus === 'nvme') return profile.nvme && unit < 15;
	const units = hardwareVersion < 13 ? 16 : profile.superWide ? 65 : 64;
	return unit !== 7 && unit < units;
};

const targetOf = ({ bus, controller, unit }: DiskDevice, { profile, hardwareVersion }: Context): string => {
	if (bus === 'nvme') return `nvme${controller}n${unit + 1}`;
	if (bus === 'fdc') return diskName('fd', unit);
	if (bus === 'ide') return diskName('hd', controller * 2 + unit);
	if (bus === 'sata') return diskName('sd', controller * 30 + unit);
	const stride = profile.superWide && hardwareVersion >= 13 ? 64 : 15;
	return diskName('sd', controller * stride + unit - (unit > 7 ? 1 : 0));
};

const OPTICAL = ['atapi-cdrom', 'cdrom-raw', 'cdrom-image'];
const PASSTHROUGH_FOLDER = '/vmfs/devices/cdrom/';

/** What libvirt takes a drive for: its rules go by the name of the file first. */
const classify = ({ id, bus, deviceType, fileName }: DiskDevice, c: Context): { readonly kind: string; readonly media: Media } => {
	const type = deviceType?.toLowerCase();
	const key = `${id}.fileName`;
	const image = (optional: boolean): Media => fileMedia(fileName ?? '', key, optional, c);
	const device = (): Media => {
		if (fileName === undefined) return { type: 'none', of: 'block' };
		if (fileName.toLowerCase() === 'auto detect') return { type: 'auto' };
		if (fileName === '' || fileName === 'emptyBackingString') {
			const message = `libvirt shows '${fileName}' as the device in ${id}, though it stands for no device`;
			c.tell('CDROM_PLACEHOLDER', id, message, [key], 'changed');
		}
		return { type: 'block', path: fileName };
	};
	const refuse = (): never => c.refuse(key, `libvirt can make nothing of '${fileName ?? ''}' with the device type '${deviceType ?? ''}'`);

	const passthrough = type === 'scsi-passthru' && fileName?.startsWith(PASSTHROUGH_FOLDER);
	const isIso = /\.iso$/i.test(fileName ?? '');
	const optical = fileName === undefined || isIso || fileName === 'emptyBackingString' || OPTICAL.includes(type ?? '') || passthrough;
	if (!optical) {
		if (!/\.vmdk$/i.test(fileName)) return refuse();
		const types = bus === 'scsi' ? ['scsi-harddisk', 'disk'] : bus === 'ide' ? ['ata-harddisk', 'disk'] : undefined;
		if (type !== undefined && types && !types.includes(type)) c.refuse(`${id}.deviceType`, `it is '${deviceType}' for a disk`);
		return { kind: 'disk', media: image(false) };
	}
	const isImage = type === undefined || type === 'cdrom-image';
	if (/\.vmdk$/i.test(fileName ?? '')) return refuse();
	if (isIso) return isImage ? { kind: 'cdrom', media: image(true) } : refuse();
	if (type === 'atapi-cdrom') return { kind: 'cdrom', media: device() };
	if (type === 'cdrom-raw') return { kind: 'lun', media: device() };
	if (passthrough && bus === 'scsi') return { kind: 'lun', media: device() };
	if (fileName === 'emptyBackingString' && isImage) return { kind: 'cdrom', media: { type: 'none', of: 'file' } };
	if (fileName === '' && isImage && c.profile.emptyImageName) return { kind: 'cdrom', media: { type: 'none', of: 'file' } };
	return refuse();
};

const fileMedia = (fileName: string, key: string, optional: boolean, c: Context): Media => {
	const path = fromVmxPath(fileName, key, c);
	if (c.options.exists?.(path) ?? true) return { type: 'file', path };
	if (!optional) c.refuse(key, `there is no ${path}`);
	c.tell('CDROM_MEDIA_MISSING', key.split('.')[0] ?? key, `there is no ${path}: the drive is left empty`, [key]);
	return { type: 'none', of: 'file' };
};

const floppyMedia = ({ id, deviceType, fileName }: DiskDevice, c: Context): Media => {
	const type = deviceType?.toLowerCase();
	if (type === 'device') return fileName === undefined ? { type: 'none', of: 'block' } : { type: 'block', path: fileName };
	if (type !== 'file') c.refuse(`${id}.fileType`, `it is '${deviceType ?? 'not said'}', and libvirt knows 'device' and 'file'`);
	return fileName === undefined ? { type: 'none', of: 'file' } : fileMedia(fileName, `${id}.fileName`, false, c);
};

/** VMware's SCSI adapters, all that libvirt takes. */
const SCSI_MODELS = ['buslogic', 'lsilogic', 'lsisas1068', 'pvscsi'];

/** The controllers that libvirt shows: those that are there or, before 12.4, as many as the drives need. */
export const planControllers = (spec: VmSpec, disks: readonly DiskDevice[], c: Context): Controller[] => {
	const used = (bus: string): number[] => disks.filter((disk) => disk.bus === bus).map(({ controller }) => controller);
	const planned: Controller[] = [];
	for (const bus of ['scsi', 'sata'] as const) {
		const present = spec.controllers.filter((controller) => controller.bus === bus);
		const most = Math.max(-1, ...used(bus));
		for (const { model, index } of present) {
			if (model !== undefined && !SCSI_MODELS.includes(model)) c.refuse(`${bus}${index}.virtualDev`, `it is '${model}'`);
		}
		if (c.profile.allControllers) {
			planned.push(...present.map(addressed));
			continue;
		}
		for (let index = 0; index <= most; index++) {
			planned.push({ bus, index, model: present.find((controller) => controller.index === index)?.model, keys: [] });
		}
		for (const { index, keys } of present.filter((controller) => controller.index > most)) {
			c.tell('CONTROLLER_UNUSED', `${bus}${index}`, `${c.profile.name} does not show a controller without drives`, keys);
		}
	}
	const unshown = spec.controllers.filter(({ pciSlotNumber }) => pciSlotNumber !== undefined && !c.profile.allControllers);
	if (unshown.length > 0) {
		const keys = unshown.map(({ bus, index }) => `${bus}${index}.pciSlotNumber`);
		c.tell('ADDRESS_DROPPED', 'controllers', `${c.profile.name} does not show PCI addresses`, keys);
	}
	if (used('fdc').length > 0) planned.push({ bus: 'fdc', index: 0, keys: [] });
	if (used('ide').length > 0) planned.push({ bus: 'ide', index: 0, keys: [] });
	const nvme = spec.controllers.filter(({ bus }) => bus === 'nvme');
	planned.push(...nvme.filter(({ index }) => used('nvme').includes(index)).map(addressed));
	for (const { index, keys } of nvme.filter((controller) => !used('nvme').includes(controller.index))) {
		c.tell('CONTROLLER_UNUSED', `nvme${index}`, `${c.profile.name} does not show it`, keys);
	}
	return planned;
};

const addressed = (controller: Controller): Controller => ({ ...controller, pci: pciAddress(controller.pciSlotNumber) });

/** Where libvirt says that a slot number is. It does not add up the functions of the bridges before, so that guests see other buses. */
export const pciAddress = (slotNumber: number | undefined): PciAddress | undefined =>
	slotNumber === undefined || slotNumber < 0
		? undefined
		: { domain: 0, bus: (slotNumber >> 5) & 31, slot: slotNumber & 31, fn: (slotNumber >> 10) & 7 };
