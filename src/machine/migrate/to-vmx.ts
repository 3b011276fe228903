import { UnsupportedError } from '../../errors.ts';
import { startsByEfi } from '../firmware.ts';
import type { Machine } from '../format.ts';
import { isHostScsi } from '../hard-disks.ts';
import { leftovers, type ReportEntry } from '../report.ts';
import type { Chipset, VmSpec } from '../spec.ts';
import { type GuestOs, guestOfOsinfo, guestOfVmx, isMostly32 } from './guests.ts';
import { hardwareVersionFor, tellTooLow } from './hardware-version.ts';
import { asAsked, tellAsked } from './to-vmx-asked.ts';
import { planBoot } from './to-vmx-boot.ts';
import { type Migration, migration, type ToVmxOptions } from './to-vmx-context.ts';
import { planFolders, planPorts, planSounds, planTpms, planUsb, planVideos } from './to-vmx-devices.ts';
import { planDisks } from './to-vmx-disks.ts';
import { planMemory } from './to-vmx-memory.ts';
import { planNics } from './to-vmx-nics.ts';
import { restored } from './to-vmx-origin.ts';
import { controllersFor } from './to-vmx-places.ts';
import { hasPath } from './to-vmx-product.ts';
import { planClock, planCpu, planFirmware, planIdentity } from './to-vmx-system.ts';
import { tellTooLarge } from './vmware-limits.ts';
import { asWritten } from './written.ts';

/**
 * The VMX of a machine that ESXi, Workstation or Fusion runs, from a libvirt domain. Hardware specification, section 8. A domain that
 * came from a VMX by `vconv` gets the hardware of that VMX back.
 * @throws UnsupportedError for a machine that VMware cannot run: another architecture, an encrypted disk, too many drives.
 */
export const planMigrationToVmx = (
	machine: Machine,
	options: ToVmxOptions,
): { readonly spec: VmSpec; readonly report: readonly ReportEntry[] } => {
	const spec = asAsked(machine.spec, options);
	const origin = machine.origin?.format === 'vmx' ? machine.origin.spec : undefined;
	refuseOtherArchitectures(machine);
	const wasEfi = startsByEfi(machine.spec);
	const isEfi = options.firmware === undefined ? wasEfi : options.firmware === 'efi';
	const hardwareVersion = hardwareVersionFor(spec, isEfi, origin, options);
	const isAsWritten = asWritten(machine.spec);
	const guest = guestOf(spec, isAsWritten('guest') ? origin : undefined, options, hardwareVersion);
	const m = migration({ machine, spec, origin, options, product: options.product ?? 'any', guest, hardwareVersion, isAsWritten });
	tellGuest(m);
	tellPlatform(m);
	tellAsked(wasEfi, isEfi, m);

	const { disks, places } = planDisks(m);
	const controllers = controllersFor(places, origin);
	const nics = planNics(m);
	const planned: VmSpec = {
		identity: planIdentity(m),
		guest: { vmxGuestOs: guest.key },
		platform: {
			hypervisor: 'vmware',
			product: m.product,
			configVersion: 8,
			hardwareVersion,
			hidesHypervisor: spec.platform.hidesHypervisor,
		},
		cpu: planCpu(m),
		memory: planMemory(m),
		firmware: { ...planFirmware(isEfi, m), ...planBoot(disks, nics, isEfi, m) },
		...planClock(m),
		showsSerials: spec.disks.some(({ serial }) => serial !== undefined) || undefined,
		lifecycle: {},
		controllers,
		disks: [...disks, ...leftOut(m)],
		nics,
		displays: (m.isAsWritten('screen') && origin?.displays) || [],
		videos: planVideos(m),
		serials: planPorts('serial', m),
		parallels: planPorts('parallel', m),
		sharedFolders: planFolders(m),
		tpms: planTpms(isEfi, m),
		sounds: planSounds(m),
		usb: planUsb(m),
		chipset: origin ? {} : planChipset(hardwareVersion),
		management: {},
		extras: [],
	};
	tellTooLow(planned, m, isEfi);
	tellTooLarge(m);
	tellControllers(m);
	const kept = restored(planned, m);
	return { spec: { ...planned, kept }, report: [...machine.report, ...m.report, ...leftovers(unheld(m), 'a VMX')] };
};

/** Drives of the VMX that the machine came from which the domain never had: floppy drives. Devices of its host stay there. */
const leftOut = ({ spec, origin, product, tell }: Migration): VmSpec['disks'] => {
	const drives = (origin?.disks ?? []).filter(({ id }) => !spec.origin?.devices.some(([from]) => from === id));
	return drives.filter((drive) => {
		const { id, fileName } = drive;
		if (isHostScsi(drive)) {
			tell('PASSTHROUGH', id, `the SCSI device '${fileName}' of the old host is not handed through again`, { action: 'dropped' });
			return false;
		}
		if (hasPath(fileName, product)) return true;
		tell('FLOPPY_DROPPED', id, `the drive ${id} of the VMX (${fileName}) is left out`, { action: 'dropped' });
		return false;
	});
};

/** What VMware's own machines have. */
const planChipset = (hardwareVersion: number): Chipset => ({
	vmci: hardwareVersion >= 7 || undefined,
	pciBridges: hardwareVersion >= 7,
	hpet: hardwareVersion >= 7 || undefined,
});

/** What nobody has answered for: what no field holds, and what is kept of a description that nobody could read. */
const unheld = ({ spec, origin }: Migration): VmSpec['extras'] =>
	spec.extras.filter(({ key, held }) => !held || (!origin && key.startsWith('metadata/') && !/libosinfo/.test(key)));

const refuseOtherArchitectures = ({ spec, path }: Machine): void => {
	const { arch = 'x86_64' } = spec.guest;
	if (arch === 'x86_64' || arch === 'i686') return;
	throw new UnsupportedError(`the machine is ${arch}, and VMware's machines are x86_64 or i686`, { path, field: 'os/type/@arch' });
};

/** What runs in the machine. Hardware specification, section 8.2. */
const guestOf = (spec: VmSpec, origin: VmSpec | undefined, { guestOs, guest }: ToVmxOptions, hardwareVersion: number): GuestOs => {
	const { osinfo, arch, vmxGuestOs } = spec.guest;
	const said = guestOs ?? origin?.guest.vmxGuestOs ?? vmxGuestOs;
	if (said !== undefined) return { ...guestOfVmx(said), key: said };
	// The architecture of a domain is its processor's, and systems of 32 bits run on those of 64.
	const isTakenFor32 = arch !== 'i686' && guest?.bits === undefined && osinfo !== undefined && isMostly32(osinfo);
	const bits = arch === 'i686' || isTakenFor32 ? 32 : (guest?.bits ?? 64);
	const known = osinfo === undefined ? undefined : guestOfOsinfo(osinfo, bits, hardwareVersion);
	if (known) return isTakenFor32 ? { ...known, match: 'family' } : known;
	const key = spec.platform.enlightenments ? 'windows9' : usesVirtio(spec) ? linux(hardwareVersion) : 'other';
	return { ...guestOfVmx(bits === 64 ? `${key}-64` : key), match: 'guess' };
};

/** Linux has drivers for it, and nothing else without somebody's doing. */
const usesVirtio = ({ disks, nics }: VmSpec): boolean =>
	disks.some(({ bus }) => bus === 'virtio') || nics.some(({ model }) => model?.startsWith('virtio'));

const linux = (hardwareVersion: number): string =>
	hardwareVersion >= 18 ? 'other5xlinux' : hardwareVersion >= 8 ? 'other3xlinux' : 'other26xlinux';

const tellGuest = (m: Migration): void => {
	const { guest, spec, origin, options } = m;
	if (options.guestOs !== undefined && guest.match === 'guess') {
		const message = `'${options.guestOs}' is no guestOS that is known here: VMware runs what it does not know as 'other'`;
		m.tell('GUESTOS_UNKNOWN', 'guest', message, { severity: 'warning', action: 'none' });
	}
	if (options.guestOs !== undefined || (origin && m.isAsWritten('guest')) || guest.match === 'exact') return;
	const { osinfo } = spec.guest;
	const what = osinfo === undefined ? 'the domain does not say its guest' : `the guest is ${osinfo}`;
	const keys = osinfo === undefined ? [] : spec.extras.flatMap(({ key, value }) => (value === osinfo ? [key] : []));
	const severity = guest.match === 'family' ? 'info' : 'warning';
	m.tell('GUESTOS_GUESSED', 'guest', `${what}: guestOS is '${guest.key}'`, { keys, severity, action: 'defaulted' });
};

/** What the machine stands on is VMware's own. */
const tellPlatform = (m: Migration): void => {
	const { platform, lifecycle } = m.spec;
	const { hypervisor, machine, enlightenments } = platform;
	if (hypervisor !== 'vmware' || machine !== undefined) {
		const message = `the machine '${machine ?? 'of the usual type'}' of '${hypervisor ?? ''}' becomes VMware's`;
		m.tell('FEATURE_PARTIAL', 'platform', message, { keys: ['@type', 'os/type/@machine'] });
	}
	if (enlightenments) {
		const said = enlightenments.length > 0 ? `${enlightenments.join(', ')} tell` : 'KVM would';
		const message = `VMware tells Windows by itself what ${said}`;
		m.tell('HYPERV_DROPPED', 'features', message, { keys: ['features/hyperv'], action: 'dropped' });
	}
	for (const [said, usual, key] of [
		[lifecycle.onPoweroff, 'destroy', 'on_poweroff'],
		[lifecycle.onReboot, 'restart', 'on_reboot'],
		[lifecycle.onCrash, 'destroy', 'on_crash'],
	] as const) {
		if (said === undefined || said === usual) continue;
		m.tell('LIFECYCLE_LOST', 'lifecycle', `a VMX does not say '${said}' for ${key}`, { keys: [key], action: 'dropped' });
	}
	for (const [key, value] of Object.entries(m.spec.management)) {
		if (value !== undefined)
			m.tell('METADATA_DROPPED', 'management', `a VMX does not say where the server has it, ${value}`, { keys: [key] });
	}
};

/** One word for all: the places of devices on buses of QEMU's. */
const tellControllers = (m: Migration): void => {
	const { controllers } = m.spec;
	if (controllers.length === 0) return;
	const counts = new Map<string, number>();
	for (const { bus, model } of controllers) {
		const name = model === undefined ? bus : `${bus} (${model})`;
		counts.set(name, (counts.get(name) ?? 0) + 1);
	}
	const said = [...counts].map(([name, count]) => (count === 1 ? name : `${count} ${name}`)).join(', ');
	const keys = controllers.flatMap((controller) => controller.keys);
	m.tell('CONTROLLER_UNUSED', 'controllers', `VMware's controllers stand for these: ${said}`, { keys });
};
