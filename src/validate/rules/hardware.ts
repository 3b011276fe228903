import { humanSize } from '../../bytes/size.ts';
import { isHostScsi } from '../../machine/hard-disks.ts';
import { NEWEST_HARDWARE } from '../../machine/migrate/hardware-version.ts';
import type { CharBackend, Network } from '../../machine/spec.ts';
import { unclearMemory } from '../../machine/unclear-memory.ts';
import type { Facts } from '../facts.ts';
import type { Evidence, Rule } from '../rule.ts';
import { coded, keyIn, sizeAgainst, startsByEfi, staysWithVmware } from './describe.ts';
import { keyed } from './devices.ts';

/** What the machine has besides its disks and network cards, and the target has not, or has in another way. */
export const hardwareRules: readonly Rule[] = [
	{
		id: 'vmware.tpm.detected',
		category: 'Warning',
		label: 'Virtual TPM',
		assessment: 'What the TPM holds stays behind: disks that are unlocked by it (BitLocker, LUKS) ask for their recovery key.',
		remedy: 'Have the recovery keys at hand, or suspend BitLocker before the move.',
		find: ({ machine }) =>
			(machine?.spec.tpms ?? []).map(({ model, version }) =>
				at(machine, `a TPM${version ? ` ${version}` : ''}${model ? ` (${model})` : ''}`),
			),
	},
	{
		id: 'vmware.secure_boot.detected',
		category: 'Warning',
		label: 'Secure Boot',
		assessment: 'Keys and boot entries in the firmware stay behind. The guest starts at the target with the keys that the target enrols.',
		remedy: 'See that the boot loader is signed for the usual keys, and enrol your own again.',
		find: ({ machine }) => (machine?.spec.firmware.secureBoot ? [at(machine, 'Secure Boot is on', 'uefi.secureBoot.enabled')] : []),
	},
	{
		id: 'vconv.secure_boot.absent',
		category: 'Critical',
		label: 'Secure Boot on a target without it',
		assessment: 'The target starts machines without Secure Boot, and the guest may refuse to.',
		remedy: 'Switch it off in the guest first, or choose another target.',
		find: ({ machine }, { secureBoot, name }) =>
			machine?.spec.firmware.secureBoot && !secureBoot ? [at(machine, `${name} has none`)] : [],
	},
	{
		id: 'vconv.boot.direct',
		category: 'Critical',
		label: 'Kernel that is a file of the host',
		assessment: 'The host starts the guest with a kernel of its own, which the target cannot: the machine needs a boot loader on its disk.',
		remedy: 'Install a boot loader in the guest, with this kernel and command line, before the move.',
		find: ({ machine }, { has }) => (has.includes('direct-boot') ? [] : coded(machine, 'DIRECT_BOOT_LOST')),
	},
	{
		id: 'vconv.firmware.absent',
		category: 'Critical',
		label: 'Firmware that the target has not',
		assessment: 'The guest is made to start with a firmware that the target does not have.',
		remedy: 'Choose another target.',
		find: ({ machine }, { firmware, name }) => {
			const type = machine?.spec.firmware.type?.toLowerCase();
			return type !== undefined && (type === 'efi' || type === 'bios') && !firmware.includes(type)
				? [at(machine, `${type}, and ${name} has ${firmware.join(' and ')}`, 'firmware')]
				: [];
		},
	},
	{
		id: 'vconv.firmware.unknown',
		category: 'Warning',
		label: 'Firmware of an unknown kind',
		assessment: 'The description names a firmware that vconv does not know; the disks tell which one the guest wants.',
		remedy: 'Correct the key.',
		find: ({ machine }) => {
			const type = machine?.spec.firmware.type;
			return type !== undefined && !/^(efi|bios|uefi)$/i.test(type) ? [at(machine, `'${type}'`, 'firmware')] : [];
		},
	},
	{
		id: 'vconv.firmware.variables',
		category: 'Information',
		label: 'Variables of the firmware stay behind',
		assessment: 'Boot entries and settings in NVRAM are not converted. The guest starts from the default path on its EFI system partition.',
		remedy: 'See that EFI/BOOT/BOOTX64.EFI is there, which vconv inspect tells.',
		find: ({ machine }, target) =>
			machine && startsByEfi(machine) && !staysWithVmware({ machine }, target)
				? [
						at(
							machine,
							`the machine starts by EFI${machine.spec.firmware.nvram ? `, its variables are in ${machine.spec.firmware.nvram}` : ''}`,
							'nvram',
						),
					]
				: [],
	},
	{
		id: 'vmware.passthrough_device.detected',
		category: 'Critical',
		label: 'Device of the host passed through',
		assessment: 'The machine works with a device of its host, which is not at the target under that address, or not at all.',
		remedy: 'Remove the device before the move, and pass one of the target through after it.',
		find: ({ machine }) => [
			...coded(machine, 'PASSTHROUGH'),
			...(machine?.spec.disks ?? [])
				.filter(isHostScsi)
				.map(({ id, fileName = '' }) => at(machine, `${id}: the SCSI device '${fileName}' of the host`, `${id}.fileName`)),
		],
	},
	{
		id: 'vmware.device.sriov.detected',
		category: 'Warning',
		label: 'Network card by SR-IOV',
		assessment: 'The card is a function of a card of the host; the target gives the machine an ordinary one.',
		remedy: 'Set it up at the target after the move.',
		find: ({ machine }) =>
			(machine?.spec.nics ?? [])
				.filter(({ model, network }) => /sriov|pcipassthru/i.test(model ?? '') || isHostCard(network))
				.map(({ index, model, network }) => at(machine, isHostCard(network) ? 'a card of the host' : `${model}`, `ethernet${index}`)),
	},
	{
		id: 'vmware.usb_controller.detected',
		category: 'Warning',
		label: 'USB on a target without it',
		assessment: 'The target has no USB controllers for machines; what is plugged into them is gone.',
		remedy: 'Find another way for licence keys and the like.',
		find: ({ machine }, { has }) => {
			const usb = machine?.spec.usb;
			return usb && (usb.uhci || usb.ehci || usb.xhci) && !has.includes('usb') ? [at(machine, 'a USB controller', 'usb')] : [];
		},
	},
	{
		id: 'vconv.usb.devices',
		category: 'Warning',
		label: 'USB devices of the host',
		assessment: 'Devices plugged into the host of the source do not come along.',
		remedy: 'Plug them into the host of the target and attach them there.',
		find: ({ machine }) => coded(machine, 'USB_PASSTHROUGH'),
	},
	{
		id: 'vmware.cpu_memory.hotplug.enabled',
		category: 'Information',
		label: 'CPUs or memory can be added while it runs',
		assessment: 'The target does this in another way or not at all; the machine has what it has now.',
		remedy: 'Set it up at the target after the move.',
		find: ({ machine }) => [
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
		find: ({ machine }) =>
			machine?.spec.cpu.affinity ? [at(machine, `to ${machine.spec.cpu.affinity.join(', ')}`, 'sched.cpu.affinity')] : [],
	},
	{
		id: 'vmware.numa_affinity.detected',
		category: 'Warning',
		label: 'Bound to NUMA nodes of the host',
		assessment: 'The nodes mean others at the target, so that the binding is left out.',
		remedy: 'Bind it anew at the target where that is needed.',
		find: ({ machine }) => {
			const keys = /^(numa\.nodeAffinity|sched\.mem\.affinity|numatune\b.*)$/i;
			const found = machine?.spec.extras.find(({ key, value }) => keys.test(key) && !/^(all)?$/i.test(value));
			return found ? [at(machine, found.value, found.key)] : [];
		},
	},
	{
		id: 'vconv.cpu.shares',
		category: 'Information',
		label: 'Shares, limits or reservations',
		assessment: 'What the machine gets when machines compete is set up in another way at the target.',
		remedy: 'Set it up at the target after the move.',
		find: ({ machine }) => {
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
		assessment: 'The machine hides or shows features of the CPU by masks that mean nothing at the target.',
		remedy: 'Choose a CPU model at the target that the guest has run on.',
		find: ({ machine }) => coded(machine, 'CPUID_MASK_DROPPED'),
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
	{
		id: 'vconv.serial',
		category: 'Warning',
		label: 'Serial port to something of the host',
		assessment: 'The port is connected to a file, a pipe, a device or an address of the host, which is not at the target.',
		remedy: 'Connect it anew at the target.',
		find: ({ machine }) =>
			(machine?.spec.serials ?? []).flatMap(({ index, backend }) =>
				isOfHost(backend) ? [at(machine, backend.type === 'other' ? backend.said : backend.type, `serial${index}`)] : [],
			),
	},
	{
		id: 'vconv.parallel',
		category: 'Warning',
		label: 'Parallel port',
		assessment: 'Parallel ports are connected to the host, and few targets have them.',
		remedy: 'Find another way for what is on it.',
		find: ({ machine }) => (machine?.spec.parallels ?? []).map(({ index, backend }) => at(machine, backend.type, `parallel${index}`)),
	},
	{
		id: 'vconv.sound',
		category: 'Information',
		label: 'Sound card on a target without one',
		assessment: 'The target has no sound cards.',
		remedy: 'Nothing.',
		find: ({ machine }, { has }) =>
			(machine?.spec.sounds?.length ?? 0) > 0 && !has.includes('sound') ? [at(machine, 'a sound card', 'sound')] : [],
	},
	{
		id: 'vconv.shared_folders',
		category: 'Warning',
		label: 'Folders shared with the host',
		assessment: 'What is in them is on the host of the source, in no disk of the machine.',
		remedy: 'Copy what is needed, and share folders anew at the target where it can.',
		find: ({ machine }) => (machine?.spec.sharedFolders ?? []).map(({ hostPath, guestName }) => at(machine, `${guestName} is ${hostPath}`)),
	},
	{
		id: 'vconv.video.3d',
		category: 'Information',
		label: 'Display',
		assessment: 'The display adapter is another one at the target, and the guest needs its driver for more than a plain screen.',
		remedy: "Install the target's guest tools after the move.",
		find: ({ machine }) => {
			const found = machine && keyed(machine.spec, /^mks\.enable3d$/i);
			return found && /^true$/i.test(found.value) ? [at(machine, 'it is accelerated', found.key)] : [];
		},
	},
	{
		id: 'vconv.watchdog',
		category: 'Information',
		label: 'Watchdog, I/O threads and other ways of running it',
		assessment: 'Settings of the source host about how the machine is run do not come along.',
		remedy: 'Set them up at the target where they are needed.',
		find: ({ machine }) => {
			const found = machine && keyed(machine.spec, /(^|\/)(watchdog|iothreads?|blkiotune|cputune)\b/i);
			return found ? [at(machine, found.value || 'it is there', found.key)] : [];
		},
	},
	{
		id: 'vconv.hardware_version',
		category: 'Warning',
		label: 'Virtual hardware of a version that vconv does not know',
		assessment: 'The description may say things that vconv does not understand; the report names each key that it does not know.',
		remedy: 'Read the report of vconv config, and see that nothing that matters is in it.',
		find: ({ machine }) => {
			const version = machine?.spec.platform.hardwareVersion;
			if (version === undefined || (version >= OLDEST_HARDWARE && version <= NEWEST_HARDWARE)) return [];
			const known = version < OLDEST_HARDWARE ? `older than ${OLDEST_HARDWARE}` : `newer than ${NEWEST_HARDWARE}`;
			return [at(machine, `version ${version}, ${known}`, 'virtualHW.version')];
		},
	},
	{
		id: 'vconv.keys.unknown',
		category: 'Information',
		label: 'Keys that vconv does not know',
		assessment: 'They are not translated. They are in the report, and kept in the metadata of the result.',
		remedy: 'Look whether any of them matters.',
		find: ({ machine }) => coded(machine, 'VMX_UNKNOWN_KEYS'),
	},
];

/** What reading the description tells of parts of the host that are set aside, beyond what the model has. */
const RESERVED = ['CPU_RESERVATION_LOST', 'CPU_LIMIT_LOST', 'MEM_RESERVATION_LOST'] as const;

/** libvirt's `<interface type='hostdev'>`. */
const isHostCard = (network: Network): boolean => network.type === 'other' && network.said === 'hostdev';

/** What a port is connected to that every host has: a terminal, a console that is seen from afar, VMware's way to its printers. */
const EVERYWHERE = ['pty', 'vc', 'stdio', 'spicevmc', 'spiceport', 'qemu-vdagent', 'dbus', 'thinprint'];

const isOfHost = (backend: CharBackend): boolean =>
	backend.type !== 'null' && !(backend.type === 'other' && EVERYWHERE.includes(backend.said));

/** The oldest version of VMware's virtual hardware that is known. */
const OLDEST_HARDWARE = 3;

const at = (machine: Facts['machine'], what: string, key?: string): Evidence => ({
	what,
	file: machine?.path,
	key: key === undefined ? undefined : keyIn(machine, key),
});
