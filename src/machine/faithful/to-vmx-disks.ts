import type { Controller, DiskDevice, VmSpec } from '../spec.ts';
import type { Context } from './context.ts';
import { diskIndex } from './names.ts';
import { toVmxPath } from './paths.ts';

type Place = { readonly id: string; readonly controller: number; readonly unit: number };

/** The drives as libvirt writes them, in the domain's order. */
export const planDisks = (disks: readonly DiskDevice[], c: Context): DiskDevice[] => {
	const planned = disks.map((disk) => planDisk(disk, c));
	const ids = new Set<string>();
	for (const { id, keys } of planned) {
		if (ids.has(id)) c.refuse(keys[0] ?? id, `two drives are at ${id}`);
		ids.add(id);
	}
	return planned;
};

const planDisk = (disk: DiskDevice, c: Context): DiskDevice => {
	const field = disk.keys[0] ?? disk.id;
	const place = placeOf(disk, field, c);
	const { bus, kind, media, driver, mode, keys } = disk;
	const said = { bus, kind, media, driver, mode, keys };
	if (bus === 'fdc') return { ...said, ...place, ...planFloppy(disk, field, c) };
	return {
		...said,
		...place,
		deviceType: deviceType(disk, field, c),
		fileName: fileName(disk, field, c),
		...planAttributes(disk, field, c),
	};
};

/** Where a target is, which an address must agree with. A SCSI adapter is its own unit 7. */
const placeOf = ({ bus, target = '', address }: DiskDevice, field: string, c: Context): Place => {
	const refuse = (why: string): never => c.refuse(`${field}/target`, why);
	const index = (prefix: string, most: number): number => {
		const found = diskIndex(prefix, target);
		if (found === undefined || found >= most) return refuse(`'${target}' is none of the ${most} targets of the bus ${bus}`);
		return found;
	};
	const at = (id: string, controller: number, unit: number, expected: readonly number[]): Place => {
		if (address && address.join() !== expected.join()) {
			c.refuse(`${field}/address`, `${address.join(':')} is not where ${target} is, ${expected.join(':')}`);
		}
		return { id, controller, unit };
	};
	if (bus === 'fdc') {
		const unit = index('fd', 2);
		return at(`floppy${unit}`, 0, unit, [0, 0, 0, unit]);
	}
	if (bus === 'ide') {
		const found = index('hd', 4);
		const [channel, unit] = [Math.floor(found / 2), found % 2];
		return at(`ide${channel}:${unit}`, channel, unit, [0, channel, 0, unit]);
	}
	if (bus !== 'scsi') return refuse(`the bus '${bus}' has no drives in libvirt's VMX; there are scsi, ide and fdc`);
	const found = index('sd', 60);
	const [controller, position] = [Math.floor(found / 15), found % 15];
	const unit = position < 7 ? position : position + 1;
	return at(`scsi${controller}:${unit}`, controller, unit, [controller, 0, 0, unit]);
};

const planFloppy = ({ kind, media }: DiskDevice, field: string, c: Context): Pick<DiskDevice, 'deviceType' | 'fileName'> => {
	if (kind !== 'floppy') c.refuse(`${field}/@device`, `it is '${kind}' on the bus fdc`);
	if (media.type === 'other') return c.refuse(`${field}/@type`, `it is '${media.said}', and libvirt takes 'file' and 'block'`);
	if (media.type === 'file') return { deviceType: 'file', fileName: toVmxPath(media.path) };
	if (media.type === 'block') return { deviceType: 'device', fileName: media.path };
	return { deviceType: media.type === 'none' && media.of === 'file' ? 'file' : 'device', fileName: undefined };
};

const deviceType = ({ kind, bus, media }: DiskDevice, field: string, c: Context): string => {
	const isFile = media.type === 'file' || (media.type === 'none' && media.of === 'file');
	if (kind === 'disk' && isFile) return bus === 'scsi' ? 'scsi-hardDisk' : 'ata-hardDisk';
	if (kind === 'cdrom') return isFile ? 'cdrom-image' : 'atapi-cdrom';
	if (kind !== 'lun') return c.refuse(`${field}/@device`, `libvirt writes no '${kind}' of the type '${media.type}' on the bus ${bus}`);
	const passthrough = bus === 'scsi' && media.type === 'block' && media.path.startsWith('/vmfs/devices/cdrom/');
	return passthrough ? 'scsi-passthru' : 'cdrom-raw';
};

const fileName = ({ kind, media }: DiskDevice, field: string, c: Context): string | undefined => {
	if (media.type === 'other') return c.refuse(`${field}/@type`, `it is '${media.said}', and libvirt takes 'file' and 'block'`);
	if (media.type === 'auto') return 'auto detect';
	if (media.type === 'block') return media.path;
	if (media.type === 'none') {
		if (media.of === 'block') return undefined;
		return kind === 'cdrom' ? 'emptyBackingString' : c.refuse(`${field}/source`, 'the disk has no file');
	}
	const suffix = kind === 'disk' ? '.vmdk' : '.iso';
	if (!media.path.toLowerCase().endsWith(suffix)) {
		c.refuse(`${field}/source`, `'${media.path}' does not end in ${suffix}`, kind === 'disk' ? 'converting the disk to VMDK' : undefined);
	}
	return toVmxPath(media.path);
};

const planAttributes = (disk: DiskDevice, field: string, c: Context): Pick<DiskDevice, 'cache'> => {
	const { bus, kind, cache = 'default', readOnly, driver } = disk;
	if (readOnly && kind === 'disk') {
		c.tell('DISK_OPTION_LOST', disk.id, `libvirt's VMX does not say that ${disk.id} is read-only`, [`${field}/readonly`]);
	}
	if (bus === 'scsi' && cache !== 'default' && cache !== 'writethrough') c.refuse(`${field}/driver/@cache`, `it is '${cache}'`);
	if (bus !== 'scsi' && cache !== 'default') {
		c.tell('DISK_CACHE_DROPPED', disk.id, `libvirt's VMX does not say the cache mode of an IDE drive, '${cache}'`, [
			`${field}/driver/@cache`,
		]);
	}
	if (bus !== 'scsi' && driver !== undefined) {
		c.tell('DISK_OPTION_LOST', disk.id, `libvirt's VMX does not say the driver '${driver}'`, [`${field}/driver/@name`]);
	}
	return { cache: bus === 'scsi' && cache === 'writethrough' ? cache : undefined };
};

/** VMware's SCSI adapters, all that libvirt takes. */
const SCSI_MODELS = ['buslogic', 'lsilogic', 'lsisas1068', 'pvscsi'];

/** The SCSI adapters that have drives; the driver of a drive once named the model. */
export const planScsi = (spec: VmSpec, disks: readonly DiskDevice[], c: Context): Controller[] => {
	const onScsi = disks.filter(({ bus }) => bus === 'scsi');
	const used = [...new Set(onScsi.map(({ controller }) => controller))].sort();
	for (const controller of spec.controllers) {
		const isImplied = controller.bus === 'fdc' || (controller.bus === 'ide' && controller.index === 0);
		if (isImplied || (controller.bus === 'scsi' && used.includes(controller.index))) continue;
		const id = `${controller.bus}${controller.index}`;
		c.tell('CONTROLLER_UNUSED', id, `libvirt's VMX leaves out the ${controller.bus} controller ${controller.index}`, controller.keys);
	}
	return used.map((index): Controller => {
		const said = spec.controllers.find((controller) => controller.bus === 'scsi' && controller.index === index)?.model;
		let model = said === 'auto' ? 'lsilogic' : said;
		if (said === undefined || said === 'auto') {
			const why = said === undefined ? 'VMware chooses one by the guest' : 'libvirt would ask the host';
			c.tell('CONTROLLER_DEFAULTED', `scsi${index}`, `the model of SCSI controller ${index} is not said; ${why}`, [], 'defaulted');
		}
		for (const { controller, driver, keys } of onScsi) {
			if (controller !== index || driver === undefined) continue;
			const named = driver.toLowerCase() === 'vmpvscsi' ? 'pvscsi' : driver.toLowerCase();
			if (model !== undefined && model !== named) {
				c.refuse(`${keys[0]}/driver/@name`, `it is '${driver}', and the SCSI controller ${index} is '${model}'`);
			}
			model = named;
		}
		if (model !== undefined && !SCSI_MODELS.includes(model)) {
			c.refuse('devices/controller/@model', `it is '${model}', and VMware's SCSI adapters are ${SCSI_MODELS.join(', ')}`);
		}
		return { bus: 'scsi', index, model, keys: [] };
	});
};
