import type { Evidence, Rule } from '../rule.ts';
import { inDescription } from './describe.ts';
import { marked } from './guest-state.ts';

const CLOUDS = ['azure', 'aws', 'gcp', 'kubevirt'];

/** What single targets, and the tools of their import, want of a guest. */
export const targetRules: readonly Rule[] = [
	{
		id: 'vconv.guest.windows.sha2',
		category: 'Warning',
		label: 'Windows that does not know signatures with SHA-2',
		assessment:
			'Drivers of the target are signed with SHA-2. Without the update Windows 7 and 2008 refuse them, and do not start with them.',
		remedy: 'Install KB4474419 (Windows 7 and 2008 R2: or KB3033929) before the move.',
		targets: ['libvirt', 'kubevirt', 'proxmox', 'gcp', 'aws'],
		find: ({ guest }) => marked(guest, 'sha2-signing-absent'),
	},
	{
		id: 'vconv.guest.windows.powershell.old',
		category: 'Warning',
		label: 'PowerShell older than 3',
		assessment: 'The scripts that set a guest up after the import want PowerShell 3 or later.',
		remedy: 'Install Windows Management Framework 3 or later.',
		targets: ['kubevirt', 'gcp'],
		find: ({ guest }) => marked(guest, 'powershell-old'),
	},
	{
		id: 'vconv.guest.windows.secure_boot.import',
		category: 'Critical',
		label: 'Windows with Secure Boot',
		assessment: 'The import of AWS does not support Windows with UEFI Secure Boot.',
		remedy: 'Suspend BitLocker and switch Secure Boot off at the source, and see that the guest starts without it, before the move.',
		// https://docs.aws.amazon.com/AWSEC2/latest/WindowsGuide/launch-instance-with-uefi-sb.html, looked at in 2026-11.
		targets: ['aws'],
		find: ({ guest, machine }) => {
			if (guest?.os?.family !== 'windows') return [];
			if (!machine) return marked(guest, 'secure-boot');
			return machine.spec.firmware.secureBoot ? [inDescription(machine, 'Secure Boot is on', 'uefi.secureBoot.enabled')] : [];
		},
	},
	{
		id: 'vconv.guest.kernel.xen',
		category: 'Critical',
		label: 'No kernel but those for Xen',
		assessment: 'All kernels of the guest are paravirtualised ones of Xen, which start on no other hypervisor.',
		remedy: 'Install a kernel that is not for Xen, and make it the default.',
		targets: ['libvirt', 'kubevirt', 'proxmox', 'esxi', 'workstation', 'hyperv', 'virtualbox', 'azure', 'gcp'],
		find: ({ guest }) => {
			const kernels = guest?.os?.kernels ?? [];
			return kernels.length > 0 && kernels.every(({ version }) => XEN_KERNEL.test(version))
				? [{ what: kernels.map(({ version }) => version).join(', '), key: '/lib/modules' }]
				: [];
		},
	},
	{
		id: 'vconv.guest.resolv_conf.immutable',
		category: 'Warning',
		label: 'resolv.conf that nobody may change',
		assessment: 'Tools that set the guest up during a move replace resolv.conf, and fail at one that is marked immutable.',
		remedy: '`chattr -i /etc/resolv.conf` before the move.',
		targets: ['kubevirt'],
		find: ({ guest }) => marked(guest, 'resolv-conf-immutable'),
	},
	{
		id: 'vconv.guest.azure.filesystems',
		category: 'Warning',
		label: 'Kernel without UDF or VFAT',
		assessment: 'Azure hands a new machine its settings on a disc with UDF: without it neither the agent nor cloud-init gets them.',
		remedy: 'Remove the lines that keep udf and vfat from being loaded, or install the modules.',
		targets: ['azure'],
		find: ({ guest }) => marked(guest, 'filesystem-absent', 'filesystem-blocked'),
	},
	{
		id: 'vconv.guest.azure.swap',
		category: 'Information',
		label: 'Swap on the disk of the system',
		assessment: 'Azure advises against swap on the system disk: its agent makes it on the resource disk.',
		remedy: 'Remove the line from fstab, and let the agent make swap.',
		targets: ['azure'],
		find: ({ guest }) =>
			(guest?.os?.mounts ?? []).filter(({ type }) => type === 'swap').map(({ device, where }) => ({ what: device, key: where })),
	},
	{
		id: 'vconv.guest.azure.lvm',
		category: 'Information',
		label: 'System on LVM',
		assessment:
			'Azure advises plain partitions for the system disk: names of groups clash when it is attached to another machine for repair.',
		remedy: 'Nothing; know it when the disk is to be repaired.',
		targets: ['azure'],
		find: ({ guest }) =>
			(guest?.volumes ?? [])
				.filter(({ id, mountpoint }) => mountpoint === '/' && id.startsWith('lv:'))
				.map(({ id }) => ({ what: '/ is a logical volume', key: id })),
	},
	{
		id: 'vconv.guest.network.subnet',
		category: 'Warning',
		label: 'Fixed address where the target gives one',
		assessment: 'The target gives addresses by DHCP, out of its own networks. With another one the guest is not reached.',
		remedy: 'Set the card to DHCP before the move, or ask the target for a network and an address that are the same.',
		targets: CLOUDS,
		find: ({ guest }) =>
			(guest?.network ?? [])
				.filter(({ method }) => method === 'static')
				.map(({ name, addresses, source }): Evidence => ({ what: [name ?? 'a card', ...(addresses ?? [])].join(', '), key: source })),
	},
	{
		id: 'vconv.guest.network.unknown',
		category: 'Information',
		label: 'Addresses of the guest that are not known',
		assessment: 'The guest has cards, and no settings for them were found: whether it keeps its addresses is not known.',
		remedy: 'Note the addresses before the move.',
		find: ({ guest, machine }) => {
			const cards = machine?.spec.nics.length ?? 0;
			return guest?.os && cards > 0 && guest.network.length === 0 ? [{ what: `settings for none of ${cards}`, file: machine?.path }] : [];
		},
	},
];

/** As Red Hat, SUSE and Debian call them. */
const XEN_KERNEL = /xen(u|pae|0)?$/i;
