import type { DiskBus, GuestReport, NetworkFacts } from '../../guest/facts.ts';
import type { Facts } from '../facts.ts';
import type { Evidence, Rule } from '../rule.ts';
import type { Target } from '../targets.ts';
import { staysWithVmware } from './describe.ts';
import { marked } from './guest-state.ts';

/** What the guest's own settings say that hold for its present hardware. */
export const systemRules: readonly Rule[] = [
	{
		id: 'vmware.os.unsupported',
		category: 'Information',
		label: 'No operating system found',
		assessment:
			'Whether the guest starts at the target is not known. The move takes the devices that suit the system of the description (guestOS), and those that every system has drivers for where that names none.',
		remedy: 'See to the drivers in the guest, or give all of its disks.',
		find: ({ guest }) => (guest && guest.os === null ? [{ what: 'none of the volumes that could be read has one' }] : []),
	},
	{
		id: 'vconv.guest.grub.device',
		category: 'Warning',
		label: 'The kernel is told its root by a device name',
		assessment: 'On another bus the disk has another name (sda becomes vda), and the kernel does not find its root.',
		remedy: 'Put root=UUID=… on the command line, or keep the bus.',
		find: (facts, target) => markedElsewhere(facts, target, 'root-device-name'),
	},
	{
		id: 'vconv.guest.grub.map',
		category: 'Information',
		label: "GRUB's list of disks names them by hardware",
		assessment:
			'The guest starts as before. If GRUB is installed again, by hand or with its package, it looks for disks that have other names at the target.',
		remedy: 'Correct device.map after the move; GRUB 2 does without it.',
		find: ({ guest }) => marked(guest, 'grub-device-map'),
	},
	{
		id: 'vconv.guest.root.missing',
		category: 'Warning',
		label: 'The kernel is told a root that is not there',
		assessment: 'No disk given has the volume that root= names: a disk is missing, or the start stops in the initramfs.',
		remedy: 'Give all disks of the machine, or correct root= in the menu of the boot loader.',
		find: ({ guest }) => marked(guest, 'root-missing'),
	},
	{
		id: 'vconv.guest.fstab.device',
		category: 'Warning',
		label: 'fstab names disks by device',
		assessment:
			'On another bus the disks have other names. A mount without nofail that is not found stops the start in an emergency shell.',
		remedy: 'Name them by UUID, which blkid tells.',
		find: (facts, target) => markedElsewhere(facts, target, 'device-name'),
	},
	{
		id: 'vconv.guest.fstab.hardware',
		category: 'Warning',
		label: 'fstab names disks by their place or serial number',
		assessment: 'Names under /dev/disk/by-path and by-id are made of the hardware, which is another at the target.',
		remedy: 'Name them by UUID, which blkid tells.',
		find: (facts, target) => markedElsewhere(facts, target, 'device-by-path', 'device-by-id'),
	},
	{
		id: 'vconv.guest.fstab.optional',
		category: 'Information',
		label: 'fstab names disks that the guest can do without by device, place or serial number',
		assessment: 'On other hardware they are not found: swap is not used, and what is marked nofail or noauto is not mounted.',
		remedy: 'Name them by UUID, which blkid tells.',
		find: (facts, target) => markedElsewhere(facts, target, 'device-name-optional', 'device-by-path-optional', 'device-by-id-optional'),
	},
	{
		id: 'vconv.guest.fstab.missing',
		category: 'Warning',
		label: 'fstab names a volume that is not there',
		assessment: 'No disk given has it: a disk is missing, or the line is out of date.',
		remedy: 'Give all disks of the machine; mark the line nofail where it is no matter.',
		find: ({ guest }) => marked(guest, 'volume-missing'),
	},
	{
		id: 'vconv.guest.fstab.hidden',
		category: 'Information',
		label: 'fstab names a volume that vconv did not see',
		assessment: 'It may be within a volume that is encrypted or was not put together, or on a disk that was not given.',
		remedy: 'See that all disks of the machine are given.',
		find: ({ guest }) => marked(guest, 'volume-hidden'),
	},
	{
		id: 'vconv.guest.resume',
		category: 'Warning',
		label: 'Wakes up from a device that may not be there',
		assessment: 'The kernel looks for a hibernated system on this device and may wait for it at every start.',
		remedy: 'Remove resume= from the command line, or name the device by UUID.',
		find: ({ guest }) =>
			marked(guest, 'resume-device').filter(({ what }) => !/=((PART)?(UUID|LABEL)=|\/dev\/(mapper|disk\/by-uuid)\/)/.test(what)),
	},
	{
		id: 'vconv.guest.lvm.devices',
		category: 'Warning',
		label: 'LVM goes by a list of devices',
		assessment: 'The list names disks by serial numbers of the source, and LVM does not open others.',
		remedy: 'Remove /etc/lvm/devices/system.devices before the move, or run `lvmdevices --update` after it.',
		find: (facts, target) => markedElsewhere(facts, target, 'lvm-devices-file', 'lvm-filter'),
	},
	{
		id: 'vconv.guest.network.names',
		category: 'Warning',
		label: 'Network settings go by the name of the card',
		assessment:
			'The name comes from the place of the card (ens192) and may be another at the target, where these settings then do nothing.',
		remedy: 'The move keeps the name where it can; a .link file or `match: macaddress:` keeps it for sure.',
		find: ({ guest, machine }, target) => {
			if (staysWithVmware({ machine }, target)) return [];
			// Without predictable names, or with a list of them, ethN is what it is by its order or its address.
			const keepsEth = marked(guest, 'net-ifnames-off', 'udev-persistent-net').length > 0;
			const byPlace = keepsEth ? /^en[sop]\w*\d/ : /^(en[sop]|eth)\w*\d/;
			return networks(guest, ({ name, mac }) => guest?.os?.family === 'linux' && mac === undefined && byPlace.test(name ?? ''));
		},
	},
	{
		id: 'vconv.guest.network.static',
		category: 'Warning',
		label: 'Windows with a fixed address',
		assessment: 'A new card is a new adapter: the old one is hidden and keeps the address.',
		remedy: 'Note the settings, and set the new adapter up after the move.',
		find: ({ guest, machine }, target) =>
			networks(guest, ({ method }) => guest?.os?.family === 'windows' && method === 'static' && !staysWithVmware({ machine }, target)),
	},
	{
		id: 'vconv.guest.network.persistent',
		category: 'Information',
		label: 'Cards are named by their MAC addresses',
		assessment: 'The names hold as long as the addresses do, which the move keeps.',
		remedy: 'Nothing.',
		find: ({ guest }) => marked(guest, 'udev-persistent-net'),
	},
	{
		id: 'vmware.hostname.empty',
		category: 'Information',
		label: 'Guest without a name of its own',
		assessment: 'The guest has no host name, or the one that everybody has.',
		remedy: 'Nothing, unless something gives it a name by its hardware.',
		find: ({ guest }) => {
			const name = guest?.os?.hostname;
			return guest?.os && (name === undefined || name === '' || /^localhost(\.|$)/.test(name))
				? [{ what: name ? `'${name}'` : 'none is set' }]
				: [];
		},
	},
	{
		id: 'vconv.guest.tools.vmware.windows',
		category: 'Warning',
		label: 'VMware Tools in Windows',
		assessment: 'They cannot be removed at another hypervisor: their uninstaller refuses.',
		remedy: 'Remove them before the move, as the last thing.',
		targets: ['libvirt', 'kubevirt', 'proxmox', 'hyperv', 'virtualbox', 'azure', 'aws', 'gcp'],
		find: ({ guest }) =>
			guest?.os?.family === 'windows' && guest.software.vmwareTools !== undefined
				? [{ what: guest.software.vmwareTools || 'installed' }]
				: [],
	},
	{
		id: 'vconv.guest.tools.vmware.linux',
		category: 'Information',
		label: 'Tools of VMware in Linux',
		assessment: 'They do nothing at another hypervisor.',
		remedy: "Remove them after the move, and install the target's.",
		targets: ['libvirt', 'kubevirt', 'proxmox', 'hyperv', 'virtualbox', 'azure', 'aws', 'gcp'],
		find: ({ guest }) =>
			guest?.os?.family === 'linux' && guest.software.vmwareTools !== undefined
				? [{ what: guest.software.vmwareTools || 'installed' }]
				: [],
	},
	{
		id: 'vconv.guest.agent',
		category: 'Information',
		label: 'No agent of the target in the guest',
		assessment: 'Without it the target cannot shut the guest down in order everywhere, nor tell its addresses.',
		remedy: 'Install qemu-guest-agent before or after the move.',
		targets: ['libvirt', 'kubevirt', 'proxmox'],
		find: ({ guest }) => (guest?.os && guest.software.qemuAgent === undefined ? [{ what: 'qemu-guest-agent is not installed' }] : []),
	},
	{
		id: 'vconv.guest.agent.azure',
		category: 'Information',
		label: 'No agent of Azure in the guest',
		assessment: 'Azure sets the guest up, and reports of it, by its agent or by cloud-init.',
		remedy: 'Install walinuxagent or cloud-init.',
		targets: ['azure'],
		find: ({ guest }) =>
			guest?.os?.family === 'linux' && marked(guest, 'azure-agent').length === 0 && guest.software.cloudInit === undefined
				? [{ what: 'neither walinuxagent nor cloud-init is installed' }]
				: [],
	},
	{
		id: 'vconv.guest.azure.console',
		category: 'Information',
		label: 'No console on the serial port',
		assessment: "The target's console is the first serial port; without it nobody sees why a guest does not start.",
		remedy: 'Put console=ttyS0 on the kernel command line; on Arm, at Azure and Google Cloud, console=ttyAMA0.',
		targets: ['azure', 'gcp', 'aws'],
		find: ({ guest }) => {
			const line = guest?.os?.bootloader?.commandLine;
			return guest?.os?.family === 'linux' && line !== undefined && !/\bconsole=tty(S|AMA)0\b/.test(line)
				? [{ what: line, key: guest.os.bootloader?.file }]
				: [];
		},
	},
	{
		id: 'vconv.guest.antivirus',
		category: 'Warning',
		label: 'Antivirus program',
		assessment: 'Such programs keep new drivers from starting, which ends in 0x7B.',
		remedy: 'Switch it off, or remove it, for the move.',
		find: ({ guest }) => (guest?.os?.family === 'windows' ? (guest.software.antivirus ?? []).map((name) => ({ what: name })) : []),
	},
	{
		id: 'vconv.guest.device_policy',
		category: 'Warning',
		label: 'Group policies about devices',
		assessment: 'A policy keeps Windows from taking new devices, among them the disk that it starts from.',
		remedy: 'Lift the policy for the move.',
		find: ({ guest }) => marked(guest, 'device-install-restrictions'),
	},
	{
		id: 'vconv.guest.powershell',
		category: 'Information',
		label: 'PowerShell takes signed scripts alone',
		assessment: 'Scripts that set the guest up after a move are not run.',
		remedy: 'Allow them for the move.',
		find: ({ guest }) => marked(guest, 'powershell-all-signed'),
	},
	{
		id: 'vconv.guest.pending_reboot',
		category: 'Warning',
		label: 'Windows waits for a reboot',
		assessment: 'An update is half done. On other hardware it may not get to its end.',
		remedy: 'Restart it at the source before the move.',
		find: ({ guest }) => marked(guest, 'pending-reboot'),
	},
	{
		id: 'vconv.guest.san_policy',
		category: 'Warning',
		label: 'Windows leaves new disks offline',
		assessment: 'Data disks on another controller count as new, and stay offline after the move.',
		remedy: '`diskpart`: `san policy=OnlineAll` before the move, or bring them online after it.',
		find: (facts, target) => (facts.disks.length > 1 ? markedElsewhere(facts, target, 'san-policy') : []),
	},
	{
		id: 'vconv.guest.vbs',
		category: 'Information',
		label: 'Security by virtualisation in Windows',
		assessment: 'The target must let the guest run virtual machines itself, or Windows goes without it.',
		remedy: 'Switch nested virtualisation on at the target where that matters.',
		find: ({ guest }) => marked(guest, 'vbs', 'memory-integrity', 'credential-guard'),
	},
	{
		id: 'vconv.guest.registry.damaged',
		category: 'Warning',
		label: 'Registry that was not written whole',
		assessment: 'What was read of it may be older than what Windows last had, so that its drivers and settings may be judged wrongly.',
		remedy: 'Start Windows at the source once more and shut it down in order.',
		find: ({ guest }) => marked(guest, 'hive-dirty'),
	},
	{
		id: 'vconv.guest.kernel.guessed',
		category: 'Information',
		label: 'Which kernel starts is not known',
		assessment: 'No boot menu says which kernel starts by default; drivers are judged by the newest.',
		remedy: 'See that the newest kernel is the one that starts.',
		find: ({ guest }) => marked(guest, 'default-kernel-guessed'),
	},
	{
		id: 'vconv.guest.secure_boot',
		category: 'Information',
		label: 'Windows that started with Secure Boot',
		assessment: 'BitLocker and other protections may be bound to Secure Boot, which the machine needs at the target too.',
		remedy: 'Keep Secure Boot on at the target.',
		find: ({ guest }) => marked(guest, 'secure-boot'),
	},
	{
		id: 'vconv.guest.role',
		category: 'Warning',
		label: 'Domain controller or member of a cluster',
		assessment: 'Such a guest must not see its past again: the generation id has to come along, and the source must not be started again.',
		remedy: 'Move it once, keep the source off, and see that the target shows a generation id.',
		find: ({ guest }) => (guest?.os?.role === undefined ? [] : [{ what: guest.os.role.replace('-', ' ') }]),
	},
	{
		id: 'vconv.guest.wof',
		category: 'Warning',
		label: 'Windows with compressed system files',
		assessment: 'Tools that put drivers in while the guest is off cannot write to them.',
		remedy: '`compact /compactos:never` before the move.',
		find: ({ guest }) => marked(guest, 'compact-os'),
	},
	{
		id: 'vconv.guest.old',
		category: 'Warning',
		label: 'Guest older than the drivers for it',
		assessment: 'Drivers of the target are made for newer systems, and none for its disks was found in this one.',
		remedy: 'Choose old hardware where the target has it (IDE, e1000, a PC of the i440FX kind), or another target.',
		targets: ['libvirt', 'kubevirt', 'proxmox', 'gcp', 'azure', 'hyperv', 'aws'],
		find: ({ guest }, { buses }) => {
			const os = guest?.os;
			if (buses.some((bus) => NEW_BUSES.includes(bus) && guest?.drivers?.disk[bus]?.state === 'boot')) return [];
			if (os?.family === 'windows' && Number.parseFloat(os.version ?? '10') < 6) return [{ what: os.name }];
			const kernel = os?.kernels?.find((candidate) => candidate.default)?.version ?? '9';
			return os?.family === 'linux' && Number.parseFloat(kernel) < 2.7 && kernel.startsWith('2.') ? [{ what: `kernel ${kernel}` }] : [];
		},
	},
	{
		id: 'vconv.guest.arch32',
		category: 'Warning',
		label: 'Guest of 32 bits',
		assessment: 'The target runs systems of 64 bits alone, or supports others no more.',
		remedy: 'Choose another target.',
		targets: ['azure', 'aws', 'gcp'],
		find: ({ guest }) => (/^(i[3-6]86|x86)$/.test(guest?.os?.arch ?? '') ? [{ what: `${guest?.os?.name}, ${guest?.os?.arch}` }] : []),
	},
	{
		id: 'vconv.guest.cloud_init',
		category: 'Information',
		label: 'cloud-init',
		assessment: 'It may take the machine for a new one at the target, and set its name, keys and network anew.',
		remedy: 'See its list of data sources, or switch it off (`touch /etc/cloud/cloud-init.disabled`).',
		find: ({ guest }) => (guest?.software.cloudInit === undefined ? [] : [{ what: guest.software.cloudInit || 'installed' }]),
	},
];

/** Those that came with virtualisation: whatever starts from one of them has drivers made for it. */
const NEW_BUSES: readonly DiskBus[] = ['virtio-blk', 'virtio-scsi', 'nvme', 'hyperv-scsi', 'hyperv-nvme', 'xen'];

/** The same as `marked` for what goes by the hardware, which stays as it is at VMware. */
const markedElsewhere = (facts: Facts, target: Target, ...codes: readonly string[]): Evidence[] =>
	staysWithVmware(facts, target) ? [] : marked(facts.guest, ...codes);

const networks = (guest: GuestReport | undefined, seen: (network: NetworkFacts) => boolean): Evidence[] =>
	(guest?.network ?? []).filter(seen).map(({ name, method, source }) => ({ what: `${name ?? 'a card'}, ${method}`, key: source }));
