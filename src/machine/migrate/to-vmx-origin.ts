import type { VmSpec } from '../spec.ts';
import type { Migration } from './to-vmx-context.ts';
import { fittingReservation } from './to-vmx-memory.ts';
import { isSharedAsBefore } from './to-vmx-places.ts';

const MIB = 1 << 20;

/** Keys that are about the file that was, or that this plan decides whatever was said. */
const NEVER =
	/^(uuid\.|vc\.uuid$|vconv\.uuid$|vm\.genid|checkpoint\.|sched\.swap\.|encryption\.|datafilekey$|vmotion\.|migrate\.|cleanshutdown$|extendedconfigfile$|nvram$|vtpm\.|uefi\.secureboot|firmware$|bios\.)/;

/** Keys that name files and devices of the host where the machine was: it would not start for them, or run on another's. */
const OF_HOST =
	/^(workingdir|filesearchpath|(vmx\.)?log\.filename|(bios440|efi32|efi64)\.filename|nvdimm\d+[.:].*|(usb|ehci|usb_xhci)\.autoconnect\..*|.*:\d+\.redo)$/;

/** Keys that say again what a part of the model holds: they come back where that part does. */
const HELD: readonly (readonly [keys: RegExp, part: (spec: VmSpec, index: number) => unknown])[] = [
	[/^vhv\.enable$/, ({ cpu }) => cpu.nested || undefined],
	[/^hypervisor\.cpuid\.v0$/, ({ platform }) => platform.hidesHypervisor],
	[/^sound\./, ({ sounds = [] }) => sounds],
	[/^(usb|ehci|usb_xhci)\.present$/, ({ usb }) => usb],
	[/^managedvm\.autoaddvtpm$/, ({ tpms }) => tpms.length],
	[/^rtc\./, ({ clockOffset, clockStart }) => [clockOffset, clockStart]],
	[/^ethernet(\d+)\.startconnected$/, ({ nics }, index) => nics.find((nic) => nic.index === index)?.connected],
	[
		/^ethernet(\d+)\.(connectiontype|networkname|vnet|pvnid|dvs\.|opaquenetwork\.|externalid)/,
		({ nics }, index) => {
			const nic = nics.find((one) => one.index === index);
			return [nic?.network, nic?.opaqueNetwork];
		},
	],
];

/** The device that a key is about, with the controller that it is on. */
const DEVICE = /^((scsi|sata|nvme|ide)\d+)(:\d+)?\.|^((?:ethernet|serial|parallel|floppy|sharedfolder)\d+)\./;

/**
 * What the VMX that the machine came from said and no field says: it is said again, where its device is still there.
 * @param planned the machine as it will be written.
 */
export const restored = (planned: VmSpec, m: Migration): VmSpec['kept'] => {
	const { origin } = m;
	if (!origin) return undefined;
	const devices = new Set([
		...planned.disks.map(({ id }) => id),
		...planned.controllers.map(({ bus, index }) => `${bus}${index}`),
		...planned.nics.map(({ index }) => `ethernet${index}`),
		...planned.serials.map(({ index }) => `serial${index}`),
		...planned.parallels.map(({ index }) => `parallel${index}`),
	]);
	const isThere = (key: string): boolean => {
		const [, controller, , unit = '', other] = DEVICE.exec(key) ?? [];
		// No domain has them, and those of one that does count in their place.
		if (other?.startsWith('sharedfolder')) return m.spec.sharedFolders.length === 0 && m.product !== 'esxi';
		if (other !== undefined) return devices.has(other);
		return controller === undefined || devices.has(`${controller}${unit}`);
	};
	const isHeldStill = (key: string): boolean =>
		HELD.every(([keys, part]) => {
			const [found, index] = keys.exec(key) ?? [];
			return found === undefined || JSON.stringify(part(planned, Number(index))) === JSON.stringify(part(origin, Number(index)));
		});
	const isSharedStill = (key: string): boolean => {
		const [, bus = '', controller] = /^(scsi|sata|nvme|ide)(\d+)(?::\d+\.sharing|\.sharedbus)$/.exec(key) ?? [];
		return controller === undefined || isSharedAsBefore(bus, Number(controller), m);
	};
	const kept = restorable(origin, m)
		.map(({ key, value }) => [key, fitting(key, value, planned, m)] as const)
		.filter(([said]) => {
			const key = said.toLowerCase();
			return !NEVER.test(key) && isThere(key) && isHeldStill(key) && isSharedStill(key);
		})
		.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
	const withheld = (m.spec.origin?.withheld ?? []).filter((key) => !NEVER.test(key.toLowerCase()) && isThere(key.toLowerCase()));
	if (withheld.length > 0) {
		const message = `what the domain did not keep of the VMX that the machine came from, secrets above all, is not restored: ${few(withheld)}`;
		m.tell('SECRET_WITHHELD', 'the way back', message, { action: 'dropped' });
	}
	const keys = m.spec.extras.flatMap(({ key }) => (/^metadata\//.test(key) ? [key] : []));
	const message = `${kept.length} keys of the VMX that the machine came from are restored`;
	m.tell('ORIGIN_RESTORED', 'the way back', message, { keys, action: 'none' });
	return kept;
};

/** All that was said but what was the old host's. */
const restorable = (origin: VmSpec, m: Migration): VmSpec['extras'] => {
	const passed = origin.extras.filter(({ key }) => /^pcipassthru/i.test(key));
	const plugged = origin.extras.flatMap(({ key }) => /^(usb(?:_xhci)?:\d+\.)filename$/i.exec(key)?.[1]?.toLowerCase() ?? []);
	const isOfHost = (said: string): boolean => {
		const key = said.toLowerCase();
		return OF_HOST.test(key) || plugged.some((device) => key.startsWith(device));
	};
	const named = origin.extras.filter(({ key, value }) => isOfHost(key) && !/^\.?$/.test(value));
	if (passed.some(({ key, value }) => /^pcipassthru\d+\.present$/i.test(key) && /^true$/i.test(value))) {
		m.tell('PASSTHROUGH', 'pciPassthru', 'PCI devices of the old host are not handed through again', { action: 'dropped' });
	}
	if (named.length > 0) {
		const keys = named.map(({ key }) => key);
		const message = `what names files and devices of the old host is not restored: ${few(keys)}`;
		m.tell('VMX_STATE_IGNORED', 'the way back', message, { action: 'dropped' });
	}
	return origin.extras.filter((extra) => !passed.includes(extra) && !isOfHost(extra.key));
};

const few = (keys: readonly string[]): string => `${keys.slice(0, 8).join(', ')}${keys.length > 8 ? ', …' : ''}`;

/** A value that goes by another which may be changed. */
const fitting = (key: string, value: string, { memory }: VmSpec, m: Migration): string => {
	const isReservation = key.toLowerCase() === 'sched.mem.min' && /^\d{1,12}$/.test(value);
	if (!isReservation || memory.size === undefined) return value;
	const reserved = fittingReservation(key, Number(value) * MIB, memory.size, m);
	return reserved === undefined ? value : String(reserved / MIB);
};
