import { entry, type ReportEntry } from '../../src/machine/report.ts';
import type { Bus, Controller, DiskDevice, Media } from '../../src/machine/spec.ts';
import type { Cursor } from './cursor.ts';

/** The buses whose controllers are devices that a VMX says; there is always an IDE one. */
const SAID_BUSES = ['scsi', 'sata', 'nvme'] as const;

/** The controllers that are present. */
export const readControllers = (c: Cursor): Controller[] =>
	SAID_BUSES.flatMap((bus) =>
		[0, 1, 2, 3].flatMap((index): Controller[] => {
			const id = `${bus}${index}`;
			if (!c.boolean(`${id}.present`)) return [];
			const model = bus === 'scsi' ? c.text(`${id}.virtualDev`)?.toLowerCase() : undefined;
			const pciSlotNumber = c.integer(`${id}.pciSlotNumber`);
			return [{ bus, index, model, pciSlotNumber, keys: c.taken(id) }];
		}),
	);

/** The drives that are present, bus by bus. One whose controller is not there is reported, and left to the rest. */
export const readDisks = (c: Cursor, more: Cursor, controllers: readonly Controller[], report: ReportEntry[]): DiskDevice[] => {
	const disks: DiskDevice[] = [];
	for (const bus of ['scsi', 'sata', 'ide', 'nvme'] as const) {
		for (const [controller, unit] of c.units(bus)) {
			const id = `${bus}${controller}:${unit}`;
			if (!c.boolean(`${id}.present`)) continue;
			if (bus === 'ide' || controllers.some((known) => known.bus === bus && known.index === controller)) {
				const disk = readDisk(c, id, bus, controller, unit);
				disks.push({ ...disk, ...readMore(more, id, `${bus}${controller}`) });
				tellLacking(disk, report);
				continue;
			}
			const message = `${id} is present and its controller ${bus}${controller} is not: it is left out`;
			report.push(entry('DISK_WITHOUT_CONTROLLER', { subject: id, message, keys: [`${id}.present`] }));
		}
	}
	for (const unit of c.indices('floppy')) {
		const present = c.boolean(`floppy${unit}.present`);
		if (present) disks.push(readFloppy(c, unit));
		else if (present === undefined && unit === 0) disks.push(...assumedFloppy(more));
	}
	return disks;
};

/** VMware has the first floppy drive unless it is denied, and libvirt only what is said: without an image nobody misses it. */
const assumedFloppy = (more: Cursor): DiskDevice[] => {
	const floppy = readFloppy(more, 0);
	if (floppy.media.type === 'none' || floppy.client) return [];
	return [{ ...floppy, assumed: true, keys: ['floppy0.fileName', 'floppy0.fileType', 'floppy0.clientDevice'] }];
};

const readDisk = (c: Cursor, id: string, bus: Bus, controller: number, unit: number): DiskDevice => {
	const deviceType = c.text(`${id}.deviceType`);
	const client = c.boolean(`${id}.clientDevice`);
	const fileName = c.text(`${id}.fileName`);
	const cache = c.boolean(`${id}.writeThrough`) ? 'writethrough' : undefined;
	const mode = c.text(`${id}.mode`)?.toLowerCase();
	const kind = kindOf(deviceType, fileName);
	const media = mediaOf(kind, deviceType, fileName);
	return { id, bus, controller, unit, kind, media, deviceType, fileName, client, cache, mode, keys: c.taken(id) };
};

/** VMware takes what says no type for a hard disk. One that says no file either is taken for an optical drive here, which can be without. */
const tellLacking = ({ id, deviceType, fileName, kind }: DiskDevice, report: ReportEntry[]): void => {
	const isDisk = kind === 'disk' || (deviceType ?? '') === '';
	if (!isDisk || (fileName ?? '') !== '') return;
	const taken = kind === 'disk' ? '' : ', and it is taken for an optical drive';
	const message = `${id} is present and has no file: a hard disk would have one${taken}`;
	report.push(entry('DISK_WITHOUT_FILE', { subject: id, message, keys: [`${id}.present`], action: 'none' }));
};

/** What libvirt's own translation has no place for. */
const readMore = (c: Cursor, id: string, controller: string): Pick<DiskDevice, 'connected' | 'shareable'> => {
	const isSaid = (key: string): boolean => !/^((sharing-?)?none)?$/i.test(c.text(key) ?? '');
	const shared = [isSaid(`${id}.sharing`), isSaid(`${controller}.sharedBus`)];
	return { connected: c.boolean(`${id}.startConnected`), shareable: shared.includes(true) || undefined };
};

/** By the device type first: a disk of SATA or NVMe mostly has none, and then the name of its file tells. */
const kindOf = (deviceType = '', fileName = ''): string => {
	const type = deviceType.toLowerCase();
	if (type === 'scsi-passthru') return 'lun';
	if (/^cdrom-raw$/.test(type)) return 'lun';
	if (/cdrom/.test(type)) return 'cdrom';
	if (type !== '') return 'disk';
	return fileName === '' || /\.iso$/i.test(fileName) || isPlaceholder(fileName) || isAnyDrive(fileName) ? 'cdrom' : 'disk';
};

/** What stands in `fileName` of an optical drive that is whichever the host has. */
const isAnyDrive = (name: string): boolean => /^auto detect$/i.test(name);

/** What stands in `fileName` where there is no file. */
const isPlaceholder = (name: string): boolean => /^(emptybackingstring|vmware-null-remote-.*|-1)?$/i.test(name);

const mediaOf = (kind: string, deviceType = '', fileName = ''): Media => {
	const block = kind === 'lun' || /^atapi-cdrom$/i.test(deviceType);
	if (isAnyDrive(fileName)) return { type: 'auto' };
	if (isPlaceholder(fileName)) return { type: 'none', of: block ? 'block' : 'file' };
	return block ? { type: 'block', path: fileName } : { type: 'file', path: fileName };
};

const readFloppy = (c: Cursor, unit: number): DiskDevice => {
	const id = `floppy${unit}`;
	const deviceType = c.text(`${id}.fileType`);
	const client = c.boolean(`${id}.clientDevice`);
	const fileName = c.text(`${id}.fileName`);
	const of = deviceType?.toLowerCase() === 'device' ? 'block' : 'file';
	const media: Media = isPlaceholder(fileName ?? '') ? { type: 'none', of } : { type: of, path: fileName ?? '' };
	return { id, bus: 'fdc', controller: 0, unit, kind: 'floppy', media, deviceType, fileName, client, keys: c.taken(id) };
};
