import { UsageError } from '../../errors.ts';
import type { Machine } from '../format.ts';
import { leftovers, type ReportEntry } from '../report.ts';
import type { Cpu, Display, Firmware, Identity, Memory, Shares, Video, VmSpec } from '../spec.ts';
import { type Context, context, type FaithfulOptions, videoMemory } from './context.ts';
import { profileNamed } from './profiles.ts';
import { planFolders, planNics, planPorts, planTpms } from './to-vmx-devices.ts';
import { planDisks, planScsi } from './to-vmx-disks.ts';

const MIB = 1 << 20;
const DEFAULT_HARDWARE = 8;
const NIL = '00000000-0000-0000-0000-000000000000';

/**
 * The VMX that libvirt's VMware driver writes for a domain (`domxml-to-native`). Hardware specification, section 6.3.
 * @throws UnsupportedError for what that libvirt refuses, UsageError for options that make no sense.
 */
export const planForVmx = (
	machine: Machine,
	options: FaithfulOptions,
): { readonly spec: VmSpec; readonly report: readonly ReportEntry[] } => {
	const { spec, path } = machine;
	const hardwareVersion = options.hardwareVersion ?? DEFAULT_HARDWARE;
	if (!Number.isInteger(hardwareVersion) || hardwareVersion < 4 || hardwareVersion > 99) {
		throw new UsageError(`${hardwareVersion} is no virtual hardware version`, { hint: 'a whole number from 4 on' });
	}
	const c = context(path, profileNamed(options.profile ?? 'libvirt-11.3'), options, hardwareVersion);
	if (options.hardwareVersion === undefined) {
		const message = `a domain does not say a virtual hardware version: ${DEFAULT_HARDWARE} is taken`;
		c.tell('HW_VERSION_ASSUMED', 'platform', message, [], 'defaulted');
	}
	const { hypervisor } = spec.platform;
	if (hypervisor !== 'vmware') c.refuse('@type', `the domain is of type '${hypervisor ?? ''}', and it writes a VMX for 'vmware' alone`);
	refuseMultiple(spec, c);
	tellDefaults(spec, c);

	const disks = planDisks(spec.disks, c);
	const controllers = planScsi(spec, disks, c);
	const videos = spec.videos.map((video) => planVideo(video, c));
	const isNew = hardwareVersion >= 7;
	const planned: VmSpec = {
		identity: planIdentity(spec.identity, c),
		guest: { vmxGuestOs: planGuestOs(spec.guest.arch ?? 'i686', c) },
		platform: { hypervisor, configVersion: 8, hardwareVersion },
		cpu: planCpu(spec.cpu, c),
		memory: planMemory(spec.memory, c),
		firmware: planFirmware(spec.firmware, c),
		lifecycle: {},
		controllers,
		disks,
		nics: planNics(spec.nics, c),
		displays: spec.displays.map((display) => planDisplay(display, c)),
		// A domain with a screen to look at has one to show.
		videos: videos.length === 0 && spec.displays.length > 0 ? [{ model: 'vmvga', vram: 4 * MIB }] : videos,
		serials: planPorts('serial', spec.serials, 4, c),
		parallels: planPorts('parallel', spec.parallels, 3, c),
		sharedFolders: planFolders(spec.sharedFolders, c),
		tpms: planTpms(spec, c),
		chipset: { vmci: isNew || undefined, pciBridges: isNew && controllers.length > 0 },
		management: {},
		extras: [],
	};
	return { spec: planned, report: [...machine.report, ...c.report, ...leftovers(spec.extras, "libvirt's VMX")] };
};

const refuseMultiple = ({ videos, displays }: VmSpec, c: Context): void => {
	if (videos.length > 1) c.refuse('devices/video[2]', 'a VMX has one video device');
	if (displays.length > 1) c.refuse('devices/graphics[2]', 'a VMX has one VNC server');
};

/** What a VMX does not say, where it is not what VMware does anyway. */
const tellDefaults = ({ clock, lifecycle, management }: VmSpec, c: Context): void => {
	if (clock !== undefined && clock !== 'utc') {
		c.tell('CLOCK_LOST', 'clock', `libvirt's VMX does not say that the clock shows '${clock}'`, ['clock/@offset']);
	}
	const usual = { onPoweroff: 'destroy', onReboot: 'restart', onCrash: 'destroy' } as const;
	for (const [event, key] of [
		['onPoweroff', 'on_poweroff'],
		['onReboot', 'on_reboot'],
		['onCrash', 'on_crash'],
	] as const) {
		const said = lifecycle[event];
		if (said !== undefined && said !== usual[event]) {
			c.tell('LIFECYCLE_LOST', 'lifecycle', `a VMX does not say '${said}' for ${key}`, [key]);
		}
	}
	for (const [key, value] of [
		['vmware:datacenterpath', management.datacenterPath],
		['vmware:moref', management.moref],
	] as const) {
		if (value !== undefined) c.tell('METADATA_DROPPED', 'management', `a VMX does not say ${key}, ${value}`, [key]);
	}
};

const planIdentity = ({ name, description, instanceUuid, biosUuid }: Identity, c: Context): Identity => {
	if (name === undefined) c.refuse('name', 'the domain has no name');
	const both = instanceUuid !== undefined && biosUuid !== undefined;
	const uuid = both && !c.profile.twoUuids ? instanceUuid : (biosUuid ?? instanceUuid);
	if (both) {
		const [lost, key] = uuid === biosUuid ? [instanceUuid, 'uuid'] : [biosUuid, 'hwuuid'];
		c.tell('UUID_DROPPED', 'identity', `libvirt's VMX says one UUID, and ${key} ${lost} is not it`, [key]);
	}
	if (uuid === undefined) c.tell('UUID_ACTION', 'identity', 'the domain says no UUID: VMware will make one', [], 'defaulted');
	return { name, description, biosUuid: uuid === NIL ? undefined : uuid };
};

const planGuestOs = (arch: string, c: Context): string => {
	if (arch === 'i686') return 'other';
	if (arch === 'x86_64') return 'other-64';
	return c.refuse('os/type/@arch', `it is '${arch}', and VMware's machines are i686 or x86_64`);
};

const planCpu = ({ count = 1, online = count, mode, topology, affinity, shares }: Cpu, c: Context): Cpu => {
	if (online !== count) c.refuse('vcpu/@current', `${online} of ${count} virtual CPUs are on, and a VMX has all of them on`);
	if (mode !== undefined && mode !== 'custom') c.refuse('cpu/@mode', `it is '${mode}', and libvirt takes 'custom' alone`);
	if (mode !== undefined && !topology) c.refuse('cpu', 'it says no topology of one thread a core');
	if (topology) {
		const { sockets = 1, dies = 1, clusters = 1, cores, threads = 1 } = topology;
		if (threads !== 1) c.refuse('cpu/topology/@threads', `it is ${threads}, and VMware's cores have one thread`);
		if (dies !== 1) c.refuse('cpu/topology/@dies', `it is ${dies}, and VMware's sockets have one die`);
		if (clusters !== 1) c.refuse('cpu/topology/@clusters', `it is ${clusters}, and VMware's dies have one cluster`);
		if (sockets * cores !== count) c.refuse('cpu/topology', `${sockets} sockets of ${cores} cores are not ${count} virtual CPUs`);
	}
	if (affinity !== undefined && affinity.length < count) {
		c.refuse('vcpu/@cpuset', `it lists ${affinity.length} host CPUs for ${count} virtual ones`);
	}
	return {
		count,
		topology: topology && { cores: topology.cores },
		affinity,
		shares: shares === undefined ? undefined : level(shares, count),
	};
};

/** VMware's level for a number of shares, where there is one. */
const level = (shares: Shares, count: number): Shares => {
	if (shares === 500 * count) return 'low';
	if (shares === 1000 * count) return 'normal';
	return shares === 2000 * count ? 'high' : shares;
};

const planMemory = ({ size, current = size, reservation }: Memory, c: Context): Memory => {
	if (size === undefined || current === undefined) return c.refuse('memory', 'the domain does not say its size');
	const rounded = Math.ceil(size / (4 * MIB)) * 4 * MIB;
	if (rounded !== size) {
		const message = `the memory is rounded up from ${size / MIB} to ${rounded / MIB} MiB, and limited to what it was`;
		c.tell('MEMORY_ROUNDED', 'memory', message, ['memory'], 'changed');
	}
	const balloon = Math.min(current, size);
	if (balloon < size) {
		const message = `the ${balloon / MIB} MiB that the guest begins with become a limit on the host's memory`;
		c.tell('BALLOON_AS_LIMIT', 'memory', message, ['currentMemory'], 'changed');
	}
	return { size: rounded, limit: balloon < rounded ? balloon : undefined, reservation: reservation || undefined };
};

const planFirmware = ({ type, secureBoot, nvram, smbios }: Firmware, c: Context): Firmware => {
	if (type !== undefined && type !== 'efi' && type !== 'bios') c.refuse('os/@firmware', `it is '${type}'`);
	if (smbios !== undefined && !['none', 'emulate', 'host'].includes(smbios)) c.refuse('os/smbios/@mode', `it is '${smbios}'`);
	if (secureBoot) {
		const message = "libvirt's VMX does not say that secure boot is on";
		c.tell('SECUREBOOT_LOST', 'firmware', message, ['os/firmware']);
	}
	if (nvram !== undefined && !c.profile.nvram) {
		c.tell('NVRAM_NOT_CONVERTED', 'firmware', `${c.profile.name}'s VMX does not name ${nvram}`, ['os/nvram']);
	}
	return {
		type: type === 'efi' ? type : undefined,
		nvram: c.profile.nvram ? nvram : undefined,
		smbios: smbios === 'host' ? smbios : undefined,
	};
};

const planDisplay = (display: Display, c: Context): Display => {
	if (display.type !== 'vnc') c.refuse('devices/graphics/@type', `it is '${display.type}', and VMware has VNC alone`);
	return display;
};

const planVideo = ({ model, vram, heads = 1 }: Video, c: Context): Video => {
	if (model !== 'vmvga' && model !== '') c.refuse('devices/video/model/@type', `it is '${model}', and VMware has 'vmvga' alone`);
	if (heads > 1) c.refuse('devices/video/model/@heads', `it is ${heads}, and libvirt takes one`);
	// Some guests want a multiple of 64 KiB.
	return { model: 'vmvga', vram: Math.max(64 << 10, videoMemory(vram, 'devices/video/model/@vram', c)) };
};
