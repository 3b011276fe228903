import { identityOf } from '../identity.ts';
import type { Rule } from '../rule.ts';
import { keyIn, pieces } from './describe.ts';

/** Who the machine is, and in what state it lies there. */
export const stateRules: readonly Rule[] = [
	{
		id: 'vconv.vm.running',
		category: 'Critical',
		label: 'The machine runs',
		assessment: 'Its disks change while they are copied: the copy would mix several points in time.',
		remedy: 'Shut it down. If it is not running, remove the lock that was left behind.',
		find: ({ machine }) => (machine?.locks ?? []).map((file) => ({ what: 'it is locked by a running program', file })),
	},
	{
		id: 'vconv.vm.suspended',
		category: 'Critical',
		label: 'The machine is suspended',
		assessment: 'Its memory is in a file that no other hypervisor can read; without it, its disks are as after a power failure.',
		remedy: 'Resume it at the source, and shut it down.',
		find: ({ machine }) => (machine?.suspended ?? []).map((file) => ({ what: 'its memory is here', file })),
	},
	{
		id: 'vconv.vm.unclean',
		category: 'Warning',
		label: 'Machine that was not shut down',
		assessment:
			'The source lost it while it ran, or it runs on another host. Its disks are as after a power failure: file systems are repaired at the next start, and what programs had not written is lost.',
		remedy: 'Start it at the source and shut it down; or see that no host runs it, and have backups of its databases at hand.',
		find: ({ machine }) =>
			machine && machine.locks.length + machine.suspended.length > 0
				? [] // told of already
				: pieces(machine, /^cleanshutdown$/i)
						.filter(({ value }) => /^false$/i.test(value))
						.map(({ key, value }) => ({ what: `${key} is ${value}, and no lock tells that it runs`, file: machine?.path, key })),
	},
	{
		id: 'vmware.snapshot.detected',
		category: 'Warning',
		label: 'Snapshots',
		assessment: 'The move takes the present state of the machine. Its snapshots stay behind.',
		remedy: 'Keep the source while they are needed, or remove them there first.',
		find: ({ machine }) => (machine?.snapshots ?? []).map(({ name }) => ({ what: `'${name}'`, file: machine?.path })),
	},
	{
		id: 'ovirt.snapshot.online_memory.detected',
		category: 'Information',
		label: 'Snapshots with memory',
		assessment: 'The memory of a running machine cannot be taken to another hypervisor.',
		remedy: 'Nothing, where the present state is what matters.',
		find: ({ machine }) =>
			(machine?.snapshots ?? []).filter(({ memory }) => memory).map(({ name }) => ({ what: `'${name}'`, file: machine?.path })),
	},
	{
		id: 'vconv.snapshot.consolidation',
		category: 'Warning',
		label: 'Removed snapshots that still wait to be merged',
		assessment:
			'Disks are chains of deltas that belong to no snapshot any more. The move takes the present state of what the machine names.',
		remedy: 'Consolidate the disks at the source (vSphere: Snapshots, Consolidate), and see that the machine names the newest delta.',
		find: ({ machine }) =>
			machine?.unconsolidated === undefined
				? []
				: [{ what: 'its disks need consolidation', file: machine.unconsolidated, key: 'snapshot.needConsolidate' }],
	},
	{
		id: 'vconv.vm.files.unread',
		category: 'Warning',
		label: 'A file beside the description cannot be read',
		assessment: 'What it says of the machine, as of its snapshots, is not known.',
		remedy: 'Look at the file.',
		find: ({ machine }) =>
			(machine?.unread ?? []).map(({ message, path, offset, field }) => ({ what: message, file: path, offset, key: field })),
	},
	{
		id: 'vmware.vm.name.invalid',
		category: 'Warning',
		label: 'Name that the target does not take',
		assessment: 'The target has rules for the names of machines, and this one has to be called otherwise there.',
		remedy: 'Give it another name, by --name of vconv migrate or where the machine is made at the target.',
		find: ({ machine }, { names, name: target }) => {
			const name = machine?.spec.identity.name;
			return names && name !== undefined && !names.pattern.test(name)
				? [{ what: `'${name}', and ${target} takes ${names.said}`, file: machine?.path, key: keyIn(machine, 'displayName') }]
				: [];
		},
	},
	{
		id: 'vconv.vm.name.missing',
		category: 'Information',
		label: 'Machine without a name',
		assessment: 'It is called by its file.',
		remedy: 'Give it a name with --name.',
		find: ({ machine }) =>
			machine && !machine.spec.identity.name ? [{ what: 'no name is said', file: machine.path, key: keyIn(machine, 'displayName') }] : [],
	},
	{
		id: 'vconv.vm.uuid.missing',
		category: 'Information',
		label: 'Machine without a UUID',
		assessment: 'The guest is shown a new one at the target, which licences and inventories may notice.',
		remedy: 'Write the one that it had into its description, as uuid.bios or uuid, if the guest must keep it.',
		find: ({ machine }) =>
			machine && !machine.spec.identity.biosUuid ? [{ what: 'no UUID is said', file: machine.path, key: keyIn(machine, 'uuid.bios') }] : [],
	},
	{
		id: 'vconv.vm.name.duplicate',
		category: 'Critical',
		label: 'Two machines of one name',
		assessment: 'Another of the machines that are looked at is called the same: the second finds its name taken.',
		remedy: 'Give one of them another name with --name.',
		find: ({ machine, others }) => {
			const name = machine?.spec.identity.name;
			return (others ?? [])
				.filter((other) => name !== undefined && other.name === name)
				.map(({ path }) => ({
					what: `'${name}' is ${path} too`,
					file: machine?.path,
					named: [path],
					key: keyIn(machine, 'displayName'),
				}));
		},
	},
	{
		id: 'vconv.vm.uuid.duplicate',
		category: 'Warning',
		label: 'Two machines with one UUID',
		assessment: 'One was copied from the other. A host takes the second for the first, and licences and inventories count one.',
		remedy: 'Move the copy with --uuid new.',
		find: ({ machine, others }) => {
			const uuid = machine && identityOf(machine).uuid;
			return (others ?? [])
				.filter((other) => uuid !== undefined && other.uuid === uuid)
				.map(({ path }) => ({ what: `${path} has it too`, file: machine?.path, named: [path], key: keyIn(machine, 'uuid.bios') }));
		},
	},
	{
		id: 'vconv.vm.mac.duplicate',
		category: 'Critical',
		label: 'Two machines with one MAC address',
		assessment: 'On one network they cut each other off.',
		remedy: 'Give one of them another address, or keep them on networks of their own.',
		find: ({ machine, others }) => {
			const macs = machine ? identityOf(machine).macs : [];
			return (others ?? []).flatMap((other) =>
				other.macs
					.filter((mac) => macs.includes(mac))
					.map((mac) => ({ what: `${other.path} has ${mac} too`, file: machine?.path, named: [other.path] })),
			);
		},
	},
	{
		id: 'vconv.vm.disks.none',
		category: 'Warning',
		label: 'Machine without a disk',
		assessment: 'There is nothing to move but the description.',
		remedy: 'See whether the description is the right one.',
		find: ({ machine, disks }) => (machine && disks.length === 0 ? [{ what: 'no hard disk has an image', file: machine.path }] : []),
	},
	{
		id: 'vconv.vm.text',
		category: 'Information',
		label: 'Oddities of the description',
		assessment: 'The text of the description was not quite in order; it was read as the product itself reads it.',
		remedy: 'See that it was meant so: vconv config lint shows the lines.',
		find: ({ machine }) =>
			(machine?.report ?? [])
				.filter(({ severity }) => severity === 'warning') // errors have rules of their own
				.map(({ message, keys }) => ({ what: message, file: machine?.path, key: keys[0] })),
	},
	{
		id: 'vmware.fault_tolerance.enabled',
		category: 'Information',
		label: 'Fault tolerance',
		assessment: 'The machine runs twice at the source, and once at the target.',
		remedy: 'Switch it off before the move, and use what the target has for it.',
		find: ({ machine }) =>
			(machine?.spec.extras ?? [])
				.filter(({ key, value }) => /^(ftcpt|faultTolerance|replay\.(?!supported$))/i.test(key) && /^true$/i.test(value))
				.slice(0, 1)
				.map(({ key, value }) => ({ what: value, file: machine?.path, key })),
	},
];
