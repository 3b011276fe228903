import { humanSize } from '../../bytes/size.ts';
import type { DomainCapabilities, Facts, HostFacts } from '../facts.ts';
import { plannedForKvm } from '../planned.ts';
import type { Evidence, Rule } from '../rule.ts';
import { cpuOf } from './architecture.ts';
import { cpuFamily, wantsEfi } from './describe.ts';

/** Whether it fits where it is to go, and whether the host there can run it. */
export const hostRules: readonly Rule[] = [
	{
		id: 'vconv.host.space',
		category: 'Critical',
		label: 'Not enough space for the disks',
		assessment: 'The disks do not fit in the folder that they go to.',
		remedy: 'Free space there, or choose another folder.',
		find: ({ host }, { id }) => {
			const { folder, free = Number.POSITIVE_INFINITY } = host ?? {};
			const own = writtenFor(host, id);
			const together = host?.together?.[id] ?? own;
			if (together <= free) return [];
			const needed = own > free ? humanSize(own) : `${humanSize(own)}, and ${humanSize(together)} with the other machines,`;
			return [{ what: `up to ${needed} are needed, and ${humanSize(free)} are free`, file: folder }];
		},
	},
	{
		id: 'vconv.host.largest_file',
		category: 'Critical',
		label: 'Disk larger than a file can be there',
		assessment: 'The file system of the folder takes no files as long as the image would be in the format of the target.',
		remedy: 'Choose a folder on another file system, or a format that is split (-o subformat=twoGbMaxExtentSparse).',
		find: ({ host }, { id }) => {
			const { largestFile = Number.POSITIVE_INFINITY } = host ?? {};
			return (host?.needed?.[id] ?? [])
				.filter(({ length }) => length > largestFile)
				.map(({ path, length }) => ({
					what: `a file of up to ${humanSize(length)}, and one there has at most ${humanSize(largestFile)}`,
					file: path,
				}));
		},
	},
	{
		id: 'vconv.host.machine',
		category: 'Warning',
		label: 'What the host said is about another machine type',
		assessment:
			'Firmware, Secure Boot and the number of CPUs depend on the machine type: whether the host has enough of them was not judged.',
		remedy: 'Ask the host for the machine type that the machine gets.',
		targets: ['libvirt'],
		find: (facts) =>
			otherTypes(facts).map(([described, gets]) => ({
				what: `it describes ${described}, and the machine gets ${gets}`,
				// A domain can say anything here, and this is to be pasted.
				hint: /^[\w.-]+$/.test(gets) ? `virsh domcapabilities --virttype kvm --machine ${gets}` : undefined,
				file: facts.host?.capabilities?.path,
			})),
	},
	{
		id: 'vconv.host.firmware',
		category: 'Critical',
		label: 'The host has no firmware of this kind',
		assessment: 'libvirt there knows no such firmware, and refuses the machine.',
		remedy: 'Install it on the host (the package is called ovmf or edk2-ovmf).',
		targets: ['libvirt'],
		find: (facts) => {
			const wanted = wantsEfi(facts) ? 'efi' : 'bios';
			return capableAsMachine(
				facts,
				({ firmware }) =>
					firmware.length > 0 && !firmware.includes(wanted) && `it has ${firmware.join(', ')}, and the machine wants ${wanted}`,
			);
		},
	},
	{
		id: 'vconv.host.secure_boot',
		category: 'Critical',
		label: 'The host has no Secure Boot',
		assessment: 'libvirt there has no firmware with Secure Boot, and refuses the machine.',
		remedy: 'Install a firmware with it on the host, or switch it off in the guest.',
		targets: ['libvirt'],
		find: (facts) =>
			facts.machine?.spec.firmware.secureBoot
				? capableAsMachine(facts, ({ secureBoot }) => !secureBoot && 'no firmware with it is known there')
				: [],
	},
	{
		id: 'vconv.host.tpm',
		category: 'Critical',
		label: 'The host has no TPM to give',
		assessment: 'libvirt there cannot give machines a TPM, and refuses the machine.',
		remedy: 'Install swtpm on the host, with its swtpm_setup (the package swtpm-tools of Debian and Ubuntu, and of Fedora and RHEL).',
		targets: ['libvirt'],
		find: (facts) =>
			(facts.machine?.spec.tpms.length ?? 0) > 0
				? capable(facts.host, ({ tpmBackends }) => !tpmBackends.includes('emulator') && `it has ${tpmBackends.join(', ') || 'none'}`)
				: [],
	},
	{
		id: 'vconv.host.cpus',
		category: 'Critical',
		label: 'More CPUs than the host gives one machine',
		assessment: 'libvirt there refuses machines of that many CPUs.',
		remedy: 'Take some away.',
		targets: ['libvirt'],
		find: (facts) => {
			const count = facts.machine?.spec.cpu.count ?? 0;
			return capableAsMachine(
				facts,
				({ maxCpus }) => maxCpus !== undefined && count > maxCpus && `${count}, and it gives at most ${maxCpus}`,
			);
		},
	},
	{
		id: 'vconv.host.arch',
		category: 'Critical',
		label: 'The host is of another architecture',
		assessment: 'The host emulates the CPU of the machine at best, at a hundredth of its speed.',
		remedy: 'Choose a host with CPUs of the kind that the guest was made for.',
		targets: ['libvirt'],
		find: (facts) => {
			const arch = cpuOf(facts);
			return capable(
				facts.host,
				(caps) =>
					arch !== undefined &&
					caps.arch !== undefined &&
					cpuFamily(arch) !== cpuFamily(caps.arch) &&
					`${caps.arch}, and the guest is ${arch}`,
			);
		},
	},
	{
		id: 'vconv.host.qemu',
		// What was asked for by a version is that version, on a newer QEMU too: the file does not tell.
		category: 'Warning',
		label: "The host's QEMU may be older than the machine",
		assessment:
			'The domain has a machine type of a newer QEMU than the one that the host described. If that was asked for as q35 or pc, it is the newest there, and libvirt refuses to define the domain.',
		remedy:
			'Ask the host with `virsh domcapabilities --machine q35` (or pc), which names the newest; update QEMU there, or take a machine type that it has.',
		targets: ['libvirt'],
		find: ({ host, machine }) => {
			const type = machine?.format === 'libvirt' ? machine.spec.platform.machine : undefined;
			return capable(
				host,
				(caps) =>
					type !== undefined &&
					caps.machine !== undefined &&
					isNewer(type, caps.machine) &&
					`the host described ${caps.machine}, and the domain has ${type}`,
			);
		},
	},
	{
		id: 'vconv.host.disk_bus',
		category: 'Warning',
		label: 'The host knows no virtio disks',
		assessment: 'QEMU there was built without them, so that the disks come to another bus.',
		remedy: 'Use --devices safe.',
		targets: ['libvirt'],
		find: ({ host }) =>
			capable(host, ({ diskBuses }) => diskBuses.length > 0 && !diskBuses.includes('virtio') && `it has ${diskBuses.join(', ')}`),
	},
];

/** What the images of a machine take at a target, at the most, in bytes. */
export const writtenFor = (host: HostFacts | undefined, target: string): number =>
	(host?.needed?.[target] ?? []).reduce((sum, { written }) => sum + written, 0);

/** The machine type that the host described and that which the machine gets, where they differ. */
const otherTypes = (facts: Facts): readonly (readonly [described: string, gets: string])[] => {
	const described = facts.host?.capabilities?.machine;
	const gets = plannedForKvm(facts)?.machine ?? facts.machine?.spec.platform.machine;
	return described !== undefined && gets !== undefined && boardOf(described) !== boardOf(gets) ? [[described, gets]] : [];
};

/** A machine type without its version: `q35`, `pc`, `virt`. Ubuntu has names of its own for the first two. */
const boardOf = (type: string): string => (type.includes('q35') ? 'q35' : type.replace(/-.*/, '').replace('ubuntu', 'pc'));

/** Whether a machine type is a later one of the same kind: `pc-q35-9.2` and `pc-q35-7.2`, `pc-q35-rhel9.4.0` and `pc-q35-rhel9.2.0`. */
const isNewer = (type: string, other: string): boolean => {
	const parted = (name: string) => /^(.*?)(\d+(?:\.\d+)+)$/.exec(name)?.slice(1) ?? [name, ''];
	const [[kind, version = ''], [otherKind, otherVersion = '']] = [parted(type), parted(other)];
	const inOrder = (one: string) => one.split('.').map((part) => part.padStart(8, '0'));
	return kind === otherKind && version !== '' && inOrder(version).join() > inOrder(otherVersion).join();
};

/** The same as `capable` for what depends on the machine type. */
const capableAsMachine = (facts: Facts, seen: (capabilities: DomainCapabilities) => string | false): Evidence[] =>
	otherTypes(facts).length > 0 ? [] : capable(facts.host, seen);

const capable = (host: HostFacts | undefined, seen: (capabilities: DomainCapabilities) => string | false): Evidence[] => {
	const what = host?.capabilities ? seen(host.capabilities) : false;
	return what === false || !host?.capabilities ? [] : [{ what, file: host.capabilities.path }];
};
