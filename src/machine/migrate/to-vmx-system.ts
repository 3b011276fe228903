import { swapFields } from '../../bytes/guid.ts';
import type { Cpu, Firmware, Identity, Shares, VmSpec } from '../spec.ts';
import type { Migration } from './to-vmx-context.ts';

/** VMware's interface shows no more of a name. */
const LONGEST_NAME = 80;

/** Who the machine is. Hardware specification, section 8.2 and appendix C. */
export const planIdentity = (m: Migration): Identity => {
	const { identity } = m.spec;
	const was = m.origin?.identity.name;
	const isWas = was !== undefined && m.isAsWritten('name');
	const name = isWas ? was : (identity.name ?? m.machine.path.replace(/^.*[\\/]|\.xml$/gi, ''));
	if (identity.name === undefined)
		m.tell('NAME_ASSUMED', 'identity', `the domain has no name: '${name}' is taken`, { action: 'defaulted' });
	if (name.length > LONGEST_NAME)
		m.tell('NAME_CHANGED', 'identity', `VMware shows the first ${LONGEST_NAME} letters of the name`, { action: 'none' });
	if (identity.title !== undefined && !(isWas && m.isAsWritten('title'))) {
		m.tell('TITLE_DROPPED', 'identity', `a VMX has no place for the title '${identity.title}'`, { keys: ['title'], action: 'dropped' });
	}
	const { options } = m;
	const generationId = options.newUuid ? undefined : identity.generationId;
	if (options.newUuid && identity.generationId)
		m.tell('GENID_DROPPED', 'identity', 'a copy gets a generation id of its own', { keys: ['genid'] });
	return { name, description: identity.description, generationId, ...planUuids(m) };
};

/** What the guest reads shall be what it was: from hardware version 13 on VMware shows the first three fields the other way round. */
const planUuids = ({
	spec,
	origin,
	options,
	hardwareVersion,
	tell,
}: Migration): Pick<Identity, 'biosUuid' | 'instanceUuid' | 'domainUuid'> => {
	const uuid = spec.identity.biosUuid ?? spec.identity.instanceUuid;
	const keys = ['uuid', 'hwuuid'];
	if (uuid === undefined || options.newUuid) {
		tell('UUID_NEW', 'identity', 'VMware will make a new UUID', { keys, action: 'defaulted' });
		return {};
	}
	const was = origin?.identity;
	if (was?.biosUuid !== undefined && (was.biosUuid === uuid || was.biosUuid === swapFields(uuid))) {
		return { biosUuid: was.biosUuid, instanceUuid: was.instanceUuid, domainUuid: was.biosUuid === uuid ? undefined : uuid };
	}
	if (spec.platform.hypervisor === 'vmware' || hardwareVersion < 13) {
		tell('UUID_VIEW', 'identity', `the guest reads ${uuid} in the order that it is written in`, { keys, action: 'none' });
		return { biosUuid: uuid };
	}
	const message = `uuid.bios is ${swapFields(uuid)}, for the guest to read ${uuid} as before`;
	tell('UUID_SWAPPED', 'identity', message, { keys });
	return { biosUuid: swapFields(uuid), domainUuid: uuid };
};

export const planCpu = (m: Migration): Cpu => {
	const { cpu, platform } = m.spec;
	const { count = 1, online = count, mode, topology, affinity, shares } = cpu;
	if (mode !== undefined) {
		m.tell('CPU_MODEL_DROPPED', 'cpu', `VMware shows the CPU of its host, and not '${mode}'`, { keys: ['cpu/@mode'], action: 'dropped' });
	}
	const was = m.origin?.cpu;
	if (affinity !== undefined) {
		const message = `the host's CPUs ${affinity.join(',')} are those of the old host`;
		m.tell('CPU_AFFINITY_LOST', 'cpu', message, { keys: ['vcpu/@cpuset'], action: 'dropped' });
	}
	return {
		count: online,
		hotAdd: online < count || undefined,
		nested: cpu.nested,
		topology: was && online === count && m.isAsWritten('processors') ? was.topology : topology && planTopology(topology, count, online, m),
		affinity: planAffinity(online, m),
		shares:
			was && m.isAsWritten('shares') ? was.shares : shares && planShares(shares, platform.hypervisor === 'vmware' ? 1000 * count : 1024, m),
	};
};

/** Those of the VMX that the machine came from: VMware starts no machine with more CPUs than these. */
const planAffinity = (online: number, m: Migration): Cpu['affinity'] => {
	const { affinity, count = 1 } = m.origin?.cpu ?? {};
	if (affinity === undefined || !m.isAsWritten('affinity')) return undefined;
	if (online <= Math.max(count, affinity.length)) return affinity;
	const message = `${affinity.length} CPUs of the host are too few for ${online}: any of them may be used`;
	m.tell('CPU_AFFINITY_LOST', 'cpu', message, { keys: ['vcpu'], action: 'dropped' });
	return undefined;
};

const planTopology = (topology: NonNullable<Cpu['topology']>, count: number, online: number, m: Migration): Cpu['topology'] => {
	const { sockets = 1, dies = 1, clusters = 1, cores, threads = 1 } = topology;
	const perSocket = dies * clusters * cores * threads;
	const said = `${sockets} sockets of ${dies} dies, ${clusters} clusters, ${cores} cores, ${threads} threads`;
	if (sockets * perSocket !== count || perSocket === 0) {
		m.tell('CPU_TOPOLOGY_INCONSISTENT', 'cpu', `${said} are not ${online} virtual CPUs: each is a socket`, { keys: ['cpu/topology'] });
		return undefined;
	}
	if (perSocket !== cores) m.tell('CPU_THREADS_FOLDED', 'cpu', `${said} are ${perSocket} cores in each`, { keys: ['cpu/topology'] });
	const each = coresOf(online, perSocket);
	if (each !== perSocket) {
		const message = `${online} of ${count} virtual CPUs are on, which fill no sockets of ${perSocket}: the guest has ${online / each} of ${each}`;
		m.tell('CPU_SOCKETS_MERGED', 'cpu', message, { keys: ['cpu/topology', 'vcpu/@current'] });
	}
	// One is what VMware takes where nothing is said.
	return each === 1 && m.origin?.cpu.topology === undefined ? undefined : { cores: each };
};

/** How many cores a socket has, which are all alike: the CPUs that are on are in no more sockets than before, or in one. */
const coresOf = (online: number, perSocket: number): number => {
	if (online % perSocket === 0) return perSocket;
	const used = Math.ceil(online / perSocket);
	return online % used === 0 ? online / used : online;
};

/** The nearest of VMware's levels. */
const planShares = (shares: Shares, normal: number, m: Migration): Shares => {
	if (typeof shares !== 'number') return shares;
	const level = shares < normal * 0.75 ? 'low' : shares > normal * 1.5 ? 'high' : 'normal';
	m.tell('SHARES_SCALED', 'cpu', `${shares} shares of the host's CPUs become '${level}'`, { keys: ['cputune/shares'] });
	return level;
};

/**
 * The file with the firmware's variables that the VMX had which the machine came from. A description lies where the file may be; a machine
 * that moves with its disks is without.
 */
const keptNvram = (isEfi: boolean, { origin, options, tell }: Migration): string | undefined => {
	const { type, nvram } = origin?.firmware ?? {};
	if (nvram === undefined || isEfi !== (type?.toLowerCase() === 'efi')) return undefined;
	if (options.images === undefined) {
		const message = `what the firmware keeps is in '${nvram}', as it was in the VMX: without that file it starts with nothing`;
		const remedy = `${nvram} beside the VMX`;
		if (isEfi) tell('NVRAM_NOT_CONVERTED', 'firmware', message, { action: 'none', severity: 'info', remedy });
		return nvram;
	}
	if (!isEfi) tell('NVRAM_IGNORED', 'firmware', `the settings in the BIOS, in '${nvram}', are not carried over`, { action: 'dropped' });
	return undefined;
};

/** What starts the guest, without the boot order. */
export const planFirmware = (isEfi: boolean, m: Migration): Firmware => {
	const { type, secureBoot, enrolledKeys, loader, nvram, smbios, bootDelay, bootRetry } = m.spec.firmware;
	if (!isEfi && type !== undefined && type !== 'bios') {
		m.tell('FIRMWARE_UNKNOWN', 'firmware', `the firmware '${type}' is none of VMware's: it has a BIOS`, { keys: ['os/@firmware'] });
	}
	const file = keptNvram(isEfi, m);
	if (isEfi && file === undefined) {
		const files = [loader, nvram].filter((file) => file !== undefined).join(' and ');
		const message = `EFI starts with empty variables${files && `; ${files} stay behind`}: the guest starts from \\EFI\\BOOT\\BOOTX64.EFI`;
		const remedy = 'add its boot entries again in the firmware, if it does not start';
		m.tell('NVRAM_NOT_CONVERTED', 'firmware', message, { keys: ['os/loader', 'os/nvram'], action: 'dropped', remedy });
	} else if (loader !== undefined || nvram !== undefined) {
		const message = `VMware has a firmware of its own, and not ${[loader, nvram].filter((file) => file !== undefined).join(' and ')}`;
		m.tell('BOOT_OPTION_LOST', 'firmware', message, { keys: ['os/loader', 'os/nvram'], action: 'dropped' });
	}
	if (secureBoot && isEfi) {
		m.tell('SECUREBOOT_KEYS_LOST', 'firmware', 'secure boot has the keys of vendors, and no others', {
			keys: ['os/firmware', 'os/loader'],
		});
	} else if (secureBoot) {
		m.tell('SECUREBOOT_LOST', 'secure boot', 'secure boot is on, and a BIOS has none', {
			keys: ['os/firmware', 'os/loader'],
			action: 'dropped',
		});
	} else if (secureBoot !== undefined || enrolledKeys !== undefined) {
		const message = `secure boot is off (keys enrolled: ${enrolledKeys === true})`;
		m.tell('BOOT_OPTION_LOST', 'secure boot', message, { keys: ['os/firmware', 'os/loader'], action: 'none' });
	}
	if (smbios !== undefined && smbios !== 'host' && smbios !== 'emulate') {
		m.tell('SMBIOS_PARTIAL', 'identity', `a VMX has no place for the SMBIOS mode '${smbios}'`, { keys: ['os/smbios'], action: 'dropped' });
	}
	return {
		// A BIOS is what a VMX without the key has, and libvirt's driver takes no other word for it.
		type: isEfi ? 'efi' : undefined,
		secureBoot: (secureBoot && isEfi) || undefined,
		nvram: file,
		smbios: smbios === 'host' ? smbios : undefined,
		bootDelay: bootDelay || undefined,
		bootRetry,
	};
};

/** What VMware's clock shows at the start, where that is not the host's time. */
export const planClock = (m: Migration): Pick<VmSpec, 'clockOffset' | 'clockStart'> =>
	m.origin && m.options.clock === undefined && m.isAsWritten('clock')
		? { clockOffset: m.origin.clockOffset, clockStart: m.origin.clockStart }
		: { clockOffset: planClockOffset(m) };

/** What it is ahead of UTC; undefined where it shows the host's time. */
const planClockOffset = (m: Migration): number | undefined => {
	const { clock = 'utc', clockOffset } = m.spec;
	if (clock === 'utc') return 0;
	if (clock === 'variable') return clockOffset ?? 0;
	if (clock === 'localtime' && m.product === 'hosted') return undefined;
	const message =
		clock === 'localtime' ? "ESXi's clock shows UTC, and the guest expects local time" : `a VMX does not say a clock of '${clock}'`;
	m.tell('CLOCK_LOST', 'clock', message, { keys: ['clock/@offset', 'clock/@adjustment', 'clock/@start'], action: 'dropped' });
	return undefined;
};
