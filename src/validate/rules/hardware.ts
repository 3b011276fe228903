import { humanSize } from '../../bytes/size.ts';
import { startsByEfi } from '../../machine/firmware.ts';
import { isHostScsi } from '../../machine/hard-disks.ts';
import { NEWEST_HARDWARE } from '../../machine/migrate/hardware-version.ts';
import type { CharBackend, Network } from '../../machine/spec.ts';
import type { Facts } from '../facts.ts';
import type { Rule } from '../rule.ts';
import { inDescription as at, coded, keepsDescription, keyed, pieces, staysWithVmware } from './describe.ts';

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
		find: ({ machine }, target) =>
			machine?.spec.firmware.secureBoot && !staysWithVmware({ machine }, target)
				? [at(machine, 'Secure Boot is on', 'uefi.secureBoot.enabled')]
				: [],
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
			const type = machine && startsByEfi(machine.spec) ? 'efi' : machine?.spec.firmware.type?.toLowerCase();
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
			machine && startsByEfi(machine.spec) && !staysWithVmware({ machine }, target)
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
			...coded(machine, 'PASSTHROUGH').filter(({ key }) => !isUsb(machine, key)),
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
		find: ({ machine }) => [
			...coded(machine, 'USB_PASSTHROUGH'),
			...coded(machine, 'PASSTHROUGH').filter(({ key }) => isUsb(machine, key)),
		],
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
		find: ({ machine }, target) => {
			const found = machine && keyed(machine.spec, /^mks\.enable3d$/i);
			return found && /^true$/i.test(found.value) && !staysWithVmware({ machine }, target)
				? [at(machine, 'it is accelerated', found.key)]
				: [];
		},
	},
	{
		id: 'vconv.watchdog',
		category: 'Information',
		label: 'Watchdog, I/O threads, ballooning and other ways of running it',
		assessment: 'Settings of the source host about how the machine is run do not come along.',
		remedy: 'Set them up at the target where they are needed.',
		find: ({ machine }, target) => {
			if (keepsDescription({ machine }, target)) return [];
			const { size = 0, current = size } = machine?.spec.memory ?? {};
			const menu = pieces(machine, /^os\/bootmenu\/@enable$/).filter(({ value }) => value === 'yes');
			return [
				...pieces(machine, RUN).map(({ key, value }) => at(machine, value || 'it is there', key)),
				...menu.map(({ key }) => at(machine, 'a boot menu is shown', key)),
				...(current < size ? [at(machine, `${humanSize(current)} of ${humanSize(size)} of memory at the start`, 'currentMemory')] : []),
			];
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
		label: 'Parts of the description that vconv does not know',
		assessment: 'They are not translated. They are in the report of the move; of a VMX, the domain keeps them in its metadata.',
		remedy: 'Look whether any of them matters.',
		find: ({ machine }, { id }) => [
			...coded(machine, 'VMX_UNKNOWN_KEYS'),
			// libvirt's own stay as they are there.
			...(id === 'libvirt' ? [] : coded(machine, 'XML_UNKNOWN_PARTS')),
		],
	},
];

/** How the host runs a machine: in libvirt's elements, and attributes of its drives. What binds to CPUs has a rule of its own. */
const RUN = /(^|\/)(watchdog|iothreads?|blkiotune|cputune\/(?!\w*pin\b)|iotune)\b|\/driver\/@(error_policy|rerror_policy|iothread)$/i;

/** Whether a device of the host that libvirt hands through is one of its USB. */
const isUsb = (machine: Facts['machine'], device = ''): boolean =>
	(machine?.spec.extras ?? []).some(({ key, value }) => key === `${device}/@type` && value === 'usb');

/** libvirt's `<interface type='hostdev'>`. */
const isHostCard = (network: Network): boolean => network.type === 'other' && network.said === 'hostdev';

/** What a port is connected to that every host has: a terminal, a console that is seen from afar, VMware's way to its printers. */
const EVERYWHERE = ['pty', 'vc', 'stdio', 'spicevmc', 'spiceport', 'qemu-vdagent', 'dbus', 'thinprint'];

const isOfHost = (backend: CharBackend): boolean =>
	backend.type !== 'null' && !(backend.type === 'other' && EVERYWHERE.includes(backend.said));

/** The oldest version of VMware's virtual hardware that is known. */
const OLDEST_HARDWARE = 3;
