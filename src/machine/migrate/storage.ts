import { diskName } from '../faithful/names.ts';
import { isHostScsi, isTransient } from '../hard-disks.ts';
import type { Controller, DiskDevice } from '../spec.ts';
import { bootPlaces, inBusOrder } from './boot.ts';
import type { Context } from './context.ts';
import { planImages, planOptical } from './media.ts';
import type { DriveTarget } from './options.ts';
import { type Place, placer } from './places.ts';
import { type Attachment, firmwareReads, isTwin, modelOf, type Rule } from './storage-policy.ts';

export type PlannedStorage = {
	readonly disks: DiskDevice[];
	readonly controllers: Controller[];
	readonly places: ReadonlyMap<string, number>;
};

/**
 * The drives and their controllers. Hardware specification, sections 7.5.3 and 7.5.4.
 * @param boot the hard disks in the order in which they are tried.
 * @param cards ids of the network cards.
 */
export const planStorage = (rule: Rule, boot: readonly DiskDevice[], cards: readonly string[], c: Context): PlannedStorage => {
	const drives = inBusOrder(c.source.disks).filter((disk) => !isLeftOut(disk, c));
	const hard = drives.filter(({ kind }) => kind === 'disk');
	const floppies = drives.filter(({ kind }) => kind === 'floppy').flatMap((disk) => planFloppy(disk, c));
	const optical = drives.filter(({ kind }) => kind === 'cdrom' || kind === 'lun');
	const ids = (some: readonly DiskDevice[]) => some.map(({ id }) => id);
	const places = bootPlaces(boot, { cdrom: ids(optical), floppy: ids(floppies), net: cards }, c);
	const images = planImages(hard, c);
	reportControllers(rule, hard, c);
	reportRisk(rule, boot[0], c);
	const place = placer(rule.machine, c);
	const planned = drives.flatMap((disk): DiskDevice[] => {
		if (disk.kind === 'floppy') return [];
		const isHard = disk.kind === 'disk';
		const attachment = isHard ? rule.attach(modelOf(disk, c)) : rule.machine === 'pc' ? 'ide' : 'sata';
		const at = place.next(disk, attachment);
		const common = isHard ? planHard(disk, images.get(disk.id), at, c) : planDrive(disk, c);
		return [{ ...common, bus: at.bus, target: at.target, address: at.address, bootOrder: places.get(disk.id) }];
	});
	const withFloppies = floppies.map((disk) => ({ ...disk, bootOrder: places.get(disk.id) }));
	return { disks: [...planned, ...withFloppies], controllers: place.controllers(), places };
};

/** A device that the old host handed through has no image, and is at no other host. */
const isLeftOut = (disk: DiskDevice, c: Context): boolean => {
	const { id, fileName = '', keys } = disk;
	if (!isHostScsi(disk) || c.options.drives?.has(id)) return false;
	c.tell('PASSTHROUGH', id, `${id} is the SCSI device '${fileName}' of the old host: it is left out`, { keys, action: 'dropped' });
	return true;
};

/** Which controllers become something else. */
const reportControllers = (rule: Rule, hard: readonly DiskDevice[], c: Context): void => {
	const slots = c.source.controllers.filter(({ pciSlotNumber }) => pciSlotNumber !== undefined);
	if (slots.length > 0) {
		const keys = slots.map(({ bus, index }) => `${bus}${index}.pciSlotNumber`);
		c.tell('ADDRESS_DROPPED', 'controllers', 'controllers are in other PCI slots', { keys });
	}
	for (const { bus, index, model } of c.source.controllers) {
		const id = `${bus}${index}`;
		const here = hard.find((disk) => disk.bus === bus && disk.controller === index);
		if (!here) {
			const message = `no hard disk is on ${id}: it is left out`;
			c.tell('CONTROLLER_UNUSED', id, message, { keys: [`${id}.present`, `${id}.virtualDev`], action: 'dropped' });
			continue;
		}
		const source = modelOf(here, c);
		if (bus === 'scsi' && model !== source) {
			const what = model === undefined ? 'does not say what it is' : `is '${model}', which is not known`;
			c.tell('CONTROLLER_DEFAULTED', id, `${id} ${what}: it is taken for ${source}`, { keys: [`${id}.virtualDev`], action: 'defaulted' });
		}
		const attachment = rule.attach(source);
		if (isTwin(source, attachment)) continue;
		c.tell('CONTROLLER_CHANGED', id, `disks on ${id} (${source}) are attached to ${nameOf(attachment)}`, {
			keys: [`${id}.virtualDev`, `${id}.present`],
		});
	}
};

const nameOf = (attachment: Attachment): string => (attachment === 'lsi53c895a' ? 'an LSI 53C895A, another adapter' : attachment);

const reportRisk = (rule: Rule, boot: DiskDevice | undefined, c: Context): void => {
	if (!boot) return;
	const source = modelOf(boot, c);
	const target = rule.attach(source);
	if (!firmwareReads(target, c)) {
		const message = `the boot disk ${boot.id} is attached to ${nameOf(target)}, for which UEFI firmware as it is packaged has no driver`;
		c.tell('BOOT_FIRMWARE_RISK', boot.id, message, { keys: [] });
	}
	if (!rule.risk) return;
	const message = `the boot disk ${boot.id} moves from ${source} to ${nameOf(target)}, and the guest needs the driver for that when it starts`;
	c.tell('BOOT_DRIVER_RISK', boot.id, message, { keys: [], ...rule.risk });
};

const planHard = (disk: DiskDevice, image: DriveTarget | undefined, at: Place, c: Context): DiskDevice => {
	const { id, mode, connected, shareable } = disk;
	const keys = [`${id}.mode`];
	const redo = c.extra(`${id}.redo`);
	if (redo && redo.value !== '' && !isTransient(disk)) {
		const message = `its changes are in a log, '${redo.value}', and without them it is as it was before`;
		c.tell('DISK_REDO', id, message, { keys: [redo.key], severity: 'error' });
	}
	if (mode === 'independent-persistent') {
		c.tell('DISK_INDEPENDENT', id, 'it is no part of snapshots', { keys });
	} else if (isTransient(disk)) {
		c.tell('DISK_NONPERSISTENT', id, 'what the guest writes to it is gone at power-off; it cannot be migrated live', {
			keys: [...keys, `${id}.redo`],
			action: 'none',
		});
	} else if (mode !== undefined && mode !== 'persistent') {
		c.tell('DISK_REDO', id, `it is '${mode}': what a log holds and the disk does not is lost, and the disk is a plain one`, { keys });
	}
	c.honour(`${id}.startConnected`);
	if (connected === false)
		c.tell('DISK_DISCONNECTED', id, 'it was not connected, and is', { keys: [`${id}.startConnected`], severity: 'warning' });
	if (shareable) {
		const message = 'several machines write to it: locks and reservations are to be set up again';
		c.tell('DISK_SHARED', id, message, { keys: [`${id}.sharing`, `${disk.bus}${disk.controller}.sharedBus`] });
	}
	const enabled = c.extra('disk.EnableUUID')?.value.toLowerCase() === 'true';
	return {
		...disk,
		media: { type: 'file', path: image?.path ?? '' },
		format: image?.format,
		// Past the host's cache, whose content the other machines would not see.
		cache: shareable ? (disk.cache === 'writethrough' ? 'directsync' : 'none') : disk.cache,
		mode: isTransient(disk) ? 'independent-nonpersistent' : undefined,
		snapshots: mode === 'independent-persistent' ? false : undefined,
		serial: enabled && image?.uuid ? planSerial(id, image.uuid, at, c) : undefined,
		wwn: at.wwn,
	};
};

/** What a bus has room for, in characters. */
const planSerial = (id: string, uuid: string, { bus }: Place, c: Context): string => {
	const digits = uuid.replaceAll(/[^0-9a-f]/gi, '');
	const serial = digits.slice(0, bus === 'scsi' ? 36 : 20);
	c.tell('DISK_SERIAL_LOST', id, `its serial number is ${serial}, and no WWN: names by id change`, { keys: ['disk.EnableUUID'] });
	return serial;
};

const planDrive = (disk: DiskDevice, c: Context): DiskDevice => {
	c.honour(`${disk.id}.startConnected`);
	return { ...disk, kind: 'cdrom', media: planOptical(disk, c), readOnly: true, cache: undefined, mode: undefined, shareable: undefined };
};

/** A floppy drive is kept for an image that is there. */
const planFloppy = (disk: DiskDevice, c: Context): DiskDevice[] => {
	const named = c.options.drives?.get(disk.id);
	if (named)
		return [
			{
				...disk,
				media: { type: 'file', path: named.path },
				format: 'raw',
				target: diskName('fd', disk.unit),
				address: [0, 0, 0, disk.unit],
			},
		];
	const what = disk.media.type === 'file' ? ` with '${disk.media.path}'` : '';
	c.tell('FLOPPY_DROPPED', disk.id, `the floppy drive${what} is left out`, { keys: disk.keys, action: 'dropped' });
	return [];
};
