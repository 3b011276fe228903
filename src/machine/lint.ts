import type { Machine } from './format.ts';
import { entry, leftovers, type ReportEntry } from './report.ts';
import type { VmSpec } from './spec.ts';

/** What is odd about a description, whatever it is made into: oddities of the text, contradictions, and what nobody knows. */
export const lintMachine = ({ spec, report, format }: Machine): ReportEntry[] => [
	...report,
	...macs(spec),
	...drives(spec),
	...images(spec),
	...topology(spec),
	...leftovers(
		spec.extras.filter(({ code }) => code === 'VMX_UNKNOWN_KEYS' || code === 'XML_UNKNOWN_PARTS' || code === 'VM_SUSPENDED'),
		format === 'vmx' ? 'the VMX that vconv knows' : 'the domain that vconv knows',
		'none',
	),
];

/** Values that several have, each with those that have it. */
const shared = <T>(items: readonly T[], of: (item: T) => string | undefined): [string, readonly T[]][] => {
	const groups = new Map<string, T[]>();
	for (const item of items) {
		const value = of(item);
		if (value === undefined) continue;
		const group = groups.get(value);
		if (group) group.push(item);
		else groups.set(value, [item]);
	}
	return [...groups].filter(([, group]) => group.length > 1);
};

const macs = ({ nics }: VmSpec): ReportEntry[] => [
	...shared(nics, ({ mac }) => mac.address).map(([address, group]) =>
		entry('MAC_INVALID', { subject: address, message: `${group.length} network cards have the address ${address}`, action: 'none' }),
	),
	...nics.flatMap(({ mac, index }) => {
		const { address } = mac;
		if (address === undefined || (Number.parseInt(address.slice(0, 2), 16) % 2 === 0 && !/^[0:]+$/.test(address))) return [];
		return [entry('MAC_INVALID', { subject: `ethernet${index}`, message: `${address} is no address of a card`, action: 'none' })];
	}),
];

const drives = ({ disks, platform }: VmSpec): ReportEntry[] => [
	...shared(disks, ({ id }) => id).map(([id, group]) =>
		entry('DISK_TARGET_TWICE', { subject: id, message: `${group.length} drives are at ${id}`, action: 'none' }),
	),
	...shared(disks, ({ bootOrder }) => bootOrder?.toString()).map(([order, group]) =>
		entry('BOOT_ORDER_GUESSED', {
			subject: 'boot',
			message: `${group.map(({ id }) => id).join(' and ')} have the same place ${order} in the boot order`,
			action: 'none',
		}),
	),
	...disks.flatMap(({ id, bus, unit, target }) => {
		if (platform.hypervisor !== 'vmware' || bus !== 'scsi' || unit !== 7 || target !== undefined) return [];
		return [entry('DISK_UNREACHED', { subject: id, message: `${id} is the place of the SCSI adapter itself`, action: 'none' })];
	}),
];

const images = ({ disks }: VmSpec): ReportEntry[] => {
	const written = disks.filter(({ kind, shareable }) => kind === 'disk' && !shareable);
	return shared(written, ({ media }) => (media.type === 'file' || media.type === 'block' ? media.path : undefined)).map(([image, group]) =>
		entry('DISK_SHARED', {
			subject: group[0]?.id ?? image,
			message: `${group.map(({ id }) => id).join(' and ')} write to one image, ${image}`,
			action: 'none',
		}),
	);
};

const topology = ({ cpu }: VmSpec): ReportEntry[] => {
	const { count = 1 } = cpu;
	if (!cpu.topology) return [];
	const { sockets, dies = 1, clusters = 1, cores, threads = 1 } = cpu.topology;
	const each = dies * clusters * cores * threads;
	const fits = sockets === undefined ? each > 0 && count % each === 0 : sockets * each === count;
	if (fits) return [];
	const message = `${sockets === undefined ? '' : `${sockets} sockets of `}${each} cores each are not ${count} virtual CPUs`;
	return [entry('CPU_TOPOLOGY_INCONSISTENT', { subject: 'cpu', message, action: 'none' })];
};
