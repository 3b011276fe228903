import { humanSize } from '../../bytes/size.ts';
import { unclearMemory } from '../../machine/unclear-memory.ts';
import type { Facts } from '../facts.ts';
import type { Evidence, Rule } from '../rule.ts';
import { inDescription as at, coded, keepsDescription, pieces, sizeAgainst, staysWithVmware } from './describe.ts';

/** What the machine has of CPUs and memory, and how it is bound to those of its host. */
export const processorRules: readonly Rule[] = [
	{
		id: 'vmware.cpu_memory.hotplug.enabled',
		category: 'Warning',
		label: 'CPUs or memory can be added while it runs',
		assessment: 'The target does this in another way or not at all; the machine has what it has now.',
		remedy: 'Set it up at the target after the move.',
		find: ({ machine }, target) =>
			keepsDescription({ machine }, target) && target.has.includes('hot-add')
				? []
				: [
						...(machine?.spec.cpu.hotAdd ? [at(machine, 'CPUs', 'vcpu.hotadd')] : []),
						...(machine?.spec.memory.hotAdd ? [at(machine, 'memory', 'mem.hotadd')] : []),
					],
	},
	{
		id: 'vmware.cpu_affinity.detected',
		category: 'Warning',
		label: 'Bound to CPUs of the host',
		assessment: 'The numbers of the CPUs mean others at the target, so that the binding is left out.',
		remedy: 'Bind it anew at the target where that is needed.',
		find: ({ machine }) => [
			...(machine?.spec.cpu.affinity ? [at(machine, `to ${machine.spec.cpu.affinity.join(', ')}`, 'sched.cpu.affinity')] : []),
			...pieces(machine, /^cputune\/(vcpu|emulator|iothread)pin(\[\d+\])?\/@cpuset$/).map(({ key, value }) =>
				at(machine, `to ${value}`, key),
			),
		],
	},
	{
		id: 'vmware.numa_affinity.detected',
		category: 'Warning',
		label: 'Bound to NUMA nodes of the host',
		assessment: 'The nodes mean others at the target, so that the binding is left out.',
		remedy: 'Bind it anew at the target where that is needed.',
		find: ({ machine }) => {
			const keys = /^(numa\.nodeAffinity|sched\.mem\.affinity|numatune\b.*)$/i;
			const found = (machine?.spec.extras ?? []).filter(({ key, value }) => keys.test(key) && !/^(all)?$/i.test(value));
			// libvirt says how it is bound beside the nodes.
			const nodes = found.filter(({ key }) => key.endsWith('/@nodeset'));
			return (nodes.length > 0 ? nodes : found.slice(0, 1)).map(({ key, value }) => at(machine, value, key));
		},
	},
	{
		id: 'vconv.cpu.shares',
		category: 'Information',
		label: 'Shares, limits or reservations',
		assessment: 'What the machine gets when machines compete is set up in another way at the target.',
		remedy: 'Set it up at the target after the move.',
		find: ({ machine }, target) => {
			if (keepsDescription({ machine }, target)) return [];
			const { cpu, memory } = machine?.spec ?? {};
			return [
				...(cpu?.shares !== undefined && cpu.shares !== 'normal' ? [at(machine, `shares: ${cpu.shares}`, 'sched.cpu.shares')] : []),
				...(typeof memory?.limit === 'number' ? [at(machine, `at most ${humanSize(memory.limit)} of memory`, 'sched.mem.max')] : []),
				...((memory?.reservation ?? 0) > 0
					? [at(machine, `${humanSize(memory?.reservation ?? 0)} of memory reserved`, 'sched.mem.minsize')]
					: []),
				...(memory?.locked ? [at(machine, 'all of its memory is kept in the host', 'sched.mem.pin')] : []),
				...RESERVED.flatMap((code) => coded(machine, code)),
			];
		},
	},
	{
		id: 'vconv.cpu.masks',
		category: 'Warning',
		label: 'CPU made to look like another',
		assessment:
			'The machine is shown a model of CPU, or hides or shows features, in a way that means nothing at the target: the guest sees the CPU of its host there.',
		remedy: 'Choose a CPU model or hosts at the target on which the guest has the features that it needs, and none that it must not see.',
		find: ({ machine }, target) => {
			if (staysWithVmware({ machine }, target)) return [];
			const model = QEMU.includes(target.id)
				? []
				: pieces(machine, /^cpu\/model$/).filter(({ value }) => !/^(qemu|kvm)(32|64)$/.test(value));
			return [
				...coded(machine, 'CPUID_MASK_DROPPED'),
				...model.map(({ key, value }) => at(machine, `it is shown a ${value}`, key)),
				...(QEMU.includes(target.id) ? [] : cpuFeatures(machine)),
			];
		},
	},
	{
		id: 'vconv.memory.protected',
		category: 'Warning',
		label: 'Memory that the CPU protects from the host',
		assessment: 'The machine runs in memory that its host cannot read (SEV, TDX), or has enclaves (SGX). At the target it does not.',
		remedy: 'Set it up at the target, on a host that has it, before secrets are given to the guest again.',
		find: ({ machine }, { id }) =>
			// libvirt's own stays as it is there.
			machine?.format === 'libvirt' && id === 'libvirt'
				? []
				: pieces(machine, /^(launchSecurity\/@type|sev\.enable|sgx\.epcsize)$/i)
						.filter(({ value }) => !/^(false|0|)$/i.test(value))
						.map(({ key, value }) => at(machine, value, key)),
	},
	{
		id: 'vconv.cpu.nested',
		category: 'Warning',
		label: 'Runs virtual machines itself',
		assessment: 'The target, or its CPUs, must allow virtual machines within virtual machines.',
		remedy: 'Switch nested virtualisation on at the target.',
		find: ({ machine }, { has, name }) =>
			machine?.spec.cpu.nested
				? [at(machine, has.includes('nested') ? 'it is switched on' : `it is switched on, and ${name} has it not`, 'vhv.enable')]
				: [],
	},
	{
		id: 'vconv.cpu.limit',
		category: 'Critical',
		label: 'More CPUs than the target gives',
		assessment: 'The target has no machines of that many CPUs.',
		remedy: 'Take some away, or choose another target.',
		find: ({ machine }, { most, name }) => {
			const count = machine?.spec.cpu.count ?? 0;
			return count > most.cpus ? [at(machine, `${count}, and ${name} gives at most ${most.cpus}`, 'numvcpus')] : [];
		},
	},
	{
		id: 'vconv.memory.limit',
		category: 'Critical',
		label: 'More memory than the target gives',
		assessment: 'The target has no machines of that much memory.',
		remedy: 'Take some away, or choose another target.',
		find: ({ machine }, { most, name }) => {
			const size = machine?.spec.memory.size ?? 0;
			return size > most.memory ? [at(machine, sizeAgainst(size, `${name} gives at most`, most.memory), 'memsize')] : [];
		},
	},
	{
		id: 'vconv.memory.unclear',
		category: 'Critical',
		label: 'Memory that is not understood',
		assessment: 'What the description says of the memory makes no sense, so nobody knows how much the machine has.',
		remedy: 'Correct memsize: a whole number of MiB in quotes.',
		find: ({ machine }) => {
			const unclear = machine && unclearMemory(machine);
			return unclear === undefined ? [] : [at(machine, unclear, 'memsize')];
		},
	},
];

/** What reading the description tells of parts of the host that are set aside, beyond what the model has. */
const RESERVED = ['CPU_RESERVATION_LOST', 'CPU_LIMIT_LOST', 'MEM_RESERVATION_LOST'] as const;

/** Targets that take a domain's own CPU. */
const QEMU: readonly string[] = ['libvirt', 'kubevirt', 'proxmox'];

/** The features that a domain's CPU has or lacks by its description, but for those of nested machines and of hypervisors. */
const cpuFeatures = (machine: Facts['machine']): readonly Evidence[] => {
	const names = pieces(machine, /^cpu\/feature(\[\d+\])?\/@name$/).filter(({ value }) => !/^(vmx|svm|hypervisor)$/.test(value));
	const said = names.map(({ key, value }) => {
		const policy = machine?.spec.extras.find((extra) => extra.key === key.replace(/name$/, 'policy'))?.value ?? 'require';
		return `${value} (${policy})`;
	});
	return said.length === 0 ? [] : [at(machine, `features: ${said.join(', ')}`, 'cpu/feature')];
};
