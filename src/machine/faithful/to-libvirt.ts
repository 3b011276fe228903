import { notInXml, plainText } from '../../bytes/xml-text.ts';
import { UnsupportedError } from '../../errors.ts';
import type { Machine } from '../format.ts';
import { leftovers, type ReportEntry } from '../report.ts';
import type { Cpu, Firmware, Identity, Memory, VmSpec } from '../spec.ts';
import { type Context, context, type FaithfulOptions, videoMemory } from './context.ts';
import { nameOfVmx } from './paths.ts';
import { profileNamed } from './profiles.ts';
import { planNics, planPorts } from './to-libvirt-devices.ts';
import { planControllers, planDisks } from './to-libvirt-disks.ts';

const MIB = 1 << 20;

/** What libvirt gives for no UUID. */
const NIL = '00000000-0000-0000-0000-000000000000';

/**
 * The domain that libvirt's VMware driver shows for a VMX (`domxml-from-native`). Hardware specification, section 6.2.
 * @throws UnsupportedError for what that libvirt refuses, UsageError for options that make no sense.
 */
export const planForLibvirt = (
	machine: Machine,
	options: FaithfulOptions,
): { readonly spec: VmSpec; readonly report: readonly ReportEntry[] } => {
	const { spec, path } = machine;
	const { configVersion, hardwareVersion } = spec.platform;
	const profile = profileNamed(options.profile ?? 'libvirt-11.3');
	const c = context(path, profile, options, hardwareVersion ?? 0);
	refuseOddities(machine.report, c);
	if (configVersion !== 8) c.refuse('config.version', `it is ${configVersion ?? 'not said'}, and libvirt takes 8 alone`);
	if (hardwareVersion === undefined || hardwareVersion < 4) {
		c.refuse('virtualHW.version', `it is ${hardwareVersion ?? 'not said'}, and libvirt takes 4 and later`);
	}
	refuseControls(machine);
	c.tell('HW_VERSION_DROPPED', 'platform', `a domain does not say virtual hardware version ${hardwareVersion}`, ['virtualHW.version']);

	const disks = planDisks(spec, c);
	const planned: VmSpec = {
		identity: planIdentity(spec.identity, machine, c),
		guest: planGuest(spec, c),
		platform: { hypervisor: 'vmware' },
		cpu: planCpu(spec.cpu, c),
		memory: planMemory(spec.memory, c),
		firmware: planFirmware(spec.firmware, c),
		clock: 'utc',
		lifecycle: { onPoweroff: 'destroy', onReboot: 'restart', onCrash: 'destroy' },
		controllers: planControllers(spec, disks, c),
		disks,
		nics: planNics(spec.nics, c),
		displays: spec.displays,
		sharedFolders: spec.sharedFolders,
		videos: spec.videos.map((video) => ({ ...video, vram: videoMemory(video.vram, 'svga.vramSize', c) })),
		serials: planPorts('serial', spec.serials, 4, c),
		parallels: planPorts('parallel', spec.parallels, 3, c),
		tpms: planTpms(spec, c),
		chipset: {},
		management: { datacenterPath: options.datacenter },
		extras: [],
	};
	return { spec: planned, report: [...machine.report, ...c.report, ...leftovers(spec.extras, 'a domain')] };
};

/** What a reader passes over and libvirt does not. */
const refuseOddities = (report: readonly ReportEntry[], { profile, refuse }: Context): void => {
	for (const { code, message, subject, keys } of report) {
		const field = keys[0] ?? subject;
		if (code === 'VMX_LINE_IGNORED' || code === 'VMX_BAD_ENCODING') refuse(field, message);
		if (code === 'VMX_BAD_BOOLEAN' || code === 'VMX_BAD_NUMBER' || code === 'VMX_BAD_VALUE') refuse(field, message);
		if (code === 'VMX_SYNTAX_TOLERATED' && !/(comment behind it|lines end in a carriage return)$/.test(message)) refuse(field, message);
		if (code === 'VMX_BAD_ESCAPE' && /^(displayname|annotation)$/i.test(field)) refuse(field, message);
		if (code === 'VMX_STAR_IN_KEY' && !profile.starInKeys) refuse(field, message, '--profile libvirt-11.3');
	}
};

/** What is said of the machine in words goes without them. */
const refuseControls = ({ spec, entries = [], path }: Machine): void => {
	const left = new Set(spec.extras.map(({ key }) => key));
	for (const [key, value] of entries) {
		const found = left.has(key) || /^(displayname|annotation)$/i.test(key) ? undefined : notInXml(value);
		if (found)
			throw new UnsupportedError(`${key} has the character ${found}, which XML cannot hold`, {
				path,
				field: key,
				hint: 'the same without it',
			});
	}
};

const planIdentity = (identity: Identity, { path }: Machine, c: Context): Identity => {
	const { biosUuid, instanceUuid, nameStored } = identity;
	const { twoUuids } = c.profile;
	const own = twoUuids && instanceUuid !== undefined && instanceUuid !== NIL ? instanceUuid : undefined;
	if (!twoUuids && instanceUuid !== undefined) {
		c.tell('UUID_DROPPED', 'identity', `${c.profile.name} does not show vCenter's UUID ${instanceUuid}`, ['vc.uuid']);
	}
	if (nameStored === undefined) {
		c.tell('NAME_ASSUMED', 'identity', `the VMX says no name: it is called ${nameOfVmx(path)}, as its file`, [], 'defaulted');
	}
	const words = (key: string, said: string): string => {
		const plain = plainText(said);
		if (plain !== said) c.tell('NAME_CHANGED', 'identity', `control characters in ${key} are left out`, [key], 'changed');
		return plain;
	};
	return {
		name: nameStored === undefined ? nameOfVmx(path) : words('displayName', libvirtName(nameStored, c)),
		description: identity.description && words('annotation', identity.description),
		instanceUuid: own ?? biosUuid ?? NIL,
		biosUuid: twoUuids && biosUuid !== NIL ? biosUuid : undefined,
		generationId: identity.generationId && planGenerationId(identity.generationId, c),
	};
};

/** libvirt takes every percent sign for the beginning of a byte in hexadecimal digits. */
const libvirtName = (stored: string, { refuse }: Context): string => {
	if (/%(?![0-9a-f]{2})/i.test(stored)) {
		refuse('displayName', `'${stored}' has a percent sign without two hexadecimal digits behind it`, 'the name with %25 for it');
	}
	return decodeURIByte(stored);
};

/** Runs of `%XX` as the UTF-8 that they are. */
const decodeURIByte = (stored: string): string =>
	stored.replace(/(?:%[0-9a-f]{2})+/gi, (escapes) =>
		new TextDecoder().decode(Uint8Array.from(escapes.slice(1).split('%'), (hex) => Number.parseInt(hex, 16))),
	);

/**
 * libvirt prints the two numbers one behind the other as hexadecimal digits. Its own text form of those 16 bytes is another, so that
 * a guest of KVM would see another id. Hardware specification, appendix B.
 */
const planGenerationId = (bytes: Uint8Array, c: Context): Uint8Array | undefined => {
	if (bytes.every((byte) => byte === 0)) return undefined;
	const why = 'libvirt joins vm.genid and vm.genidX in an order that KVM would not show the guest';
	c.tell('GENID_ORDER', 'identity', why, [], 'changed');
	const joined = [...bytes.subarray(0, 8).toReversed(), ...bytes.subarray(8).toReversed()];
	// The text form swaps the first three fields.
	const [a, b, d, rest] = [joined.slice(0, 4), joined.slice(4, 6), joined.slice(6, 8), joined.slice(8)];
	return Uint8Array.from([...a.reverse(), ...b.reverse(), ...d.reverse(), ...rest]);
};

const planGuest = ({ guest }: VmSpec, c: Context): VmSpec['guest'] => {
	const arch = guest.vmxGuestOs?.endsWith('-64') ? 'x86_64' : 'i686';
	if (guest.vmxGuestOs !== undefined && !/^other(-64)?$/.test(guest.vmxGuestOs)) {
		c.tell('GUESTOS_REDUCED', 'guest', `of guestOS '${guest.vmxGuestOs}' a domain keeps ${arch} alone`, ['guestOS'], 'changed');
	}
	return { arch };
};

/** VMware's levels are so many shares for each virtual CPU. */
const LEVELS = { low: 500, normal: 1000, high: 2000 } as const;

const planCpu = ({ count = 1, topology, affinity, shares }: Cpu, c: Context): Cpu => {
	if (count < 1 || count > 4096) c.refuse('numvcpus', `it is ${count}`);
	if (affinity !== undefined && affinity.length < count) {
		c.refuse('sched.cpu.affinity', `it lists ${affinity.length} host CPUs for ${count} virtual ones`);
	}
	return {
		count,
		affinity: affinity && [...new Set(affinity)].sort((a, b) => a - b),
		shares: typeof shares === 'string' ? LEVELS[shares] * count : shares,
		topology: topology && planTopology(topology.cores, count, c),
	};
};

const planTopology = (cores: number, count: number, c: Context): Cpu['topology'] => {
	if (cores <= 1) return undefined;
	const sockets = Math.floor(count / cores);
	const key = 'cpuid.coresPerSocket';
	if (sockets === 0) c.refuse(key, `it is ${cores}, and the machine has ${count} virtual CPUs`);
	if (sockets * cores !== count) {
		const message = `${cores} cores a socket do not make ${count} virtual CPUs; libvirt says ${sockets} sockets`;
		c.tell('CPU_TOPOLOGY_INCONSISTENT', 'cpu', message, [key], 'changed');
	}
	return { sockets, dies: 1, clusters: c.profile.clusters ? 1 : undefined, cores, threads: 1 };
};

const planMemory = ({ size, limit, reservation = 0 }: Memory, c: Context): Memory => {
	if (size === undefined) c.tell('MEMORY_DEFAULTED', 'memory', 'the VMX says no memory size: libvirt takes 32 MiB', [], 'defaulted');
	const whole = size ?? 32 * MIB;
	if (whole <= 0 || whole % (4 * MIB) !== 0 || !Number.isSafeInteger(whole)) {
		c.refuse('memsize', `it is ${whole / MIB} MiB, and libvirt takes multiples of 4 MiB`, 'memsize rounded up to a multiple of 4');
	}
	const most = typeof limit === 'number' && limit > 0 ? Math.min(limit, whole) : whole;
	if (most < whole) {
		const message = `the limit of ${most / MIB} MiB on the host's memory becomes the memory that the guest begins with`;
		c.tell('LIMIT_AS_BALLOON', 'memory', message, ['sched.mem.max'], 'changed');
	}
	return { size: whole, current: most, reservation: reservation > 0 ? Math.min(reservation, whole) : undefined };
};

const planFirmware = (firmware: Firmware, c: Context): Firmware => {
	const { type, secureBoot, nvram, smbios } = firmware;
	if (type !== undefined && type !== 'efi') {
		c.refuse(
			'firmware',
			`it is '${type}', and libvirt knows 'efi' alone`,
			type === 'bios' ? 'the VMX without it: BIOS is what it means' : undefined,
		);
	}
	const knowsSecureBoot = c.profile.secureBoot && type === 'efi';
	if (secureBoot && !knowsSecureBoot) {
		const why = c.profile.secureBoot ? 'the firmware is no EFI' : `${c.profile.name} does not show it`;
		c.tell('SECUREBOOT_LOST', 'firmware', `secure boot is on and is lost: ${why}`, ['uefi.secureBoot.enabled']);
	}
	if (nvram !== undefined && !c.profile.nvram) {
		const code = type === 'efi' ? 'NVRAM_NOT_CONVERTED' : 'NVRAM_IGNORED';
		c.tell(code, 'firmware', `${c.profile.name} does not show the file with the firmware's settings, ${nvram}`, ['nvram']);
	}
	const on = secureBoot && knowsSecureBoot ? true : undefined;
	return { type, secureBoot: on, enrolledKeys: on, nvram: c.profile.nvram ? nvram : undefined, smbios };
};

const planTpms = (spec: VmSpec, c: Context): VmSpec['tpms'] => {
	const tpms = spec.tpms.filter(({ assumed }) => !assumed);
	if (c.profile.tpm) return tpms;
	if (tpms.length > 0) c.tell('TPM_LOST', 'tpm', `${c.profile.name} does not show the virtual TPM`, ['vtpm.present']);
	return [];
};
