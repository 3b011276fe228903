import { type Profile, profiles } from '../convert/profiles.ts';
import type { DiskBus, NicModel } from '../guest/facts.ts';
import { BOOT_PREFERENCE, NOT_BY_EFI } from '../machine/migrate/storage-policy.ts';
import { VMWARE_MOST } from '../machine/migrate/vmware-limits.ts';

/** What a hypervisor or a cloud can run: data, with where it says so. */
export type Target = {
	/** What `--to` says. */
	readonly id: string;
	/** For people. */
	readonly name: string;
	/** Of its virtual disks, in bytes; as `--for` has them where it knows the target. */
	readonly size: Profile['size'];
	/** Sectors of 4096 bytes can be shown to the guest. */
	readonly sectors4K: boolean;
	/** Most disks of one machine, most network cards, most virtual CPUs, and most memory in bytes. */
	readonly most: { readonly disks: number; readonly nics: number; readonly cpus: number; readonly memory: number };
	/** The kinds of CPU that its machines can have, as uname says them, or `any`; `x86_64` has `i686` in it. */
	readonly architectures: readonly string[];
	/** The buses that the guest's system disk can be on there, the fastest first. */
	readonly buses: readonly DiskBus[];
	/** Most disks of one machine on a bus, where that is few. */
	readonly mostOn?: Readonly<Partial<Record<'ide' | 'sata', number>>> | undefined;
	/** Those of them that its EFI firmware does not start from; none where left out. */
	readonly notByEfi?: readonly DiskBus[] | undefined;
	/** The network cards that it has, the fastest first. */
	readonly nics: readonly NicModel[];
	readonly firmware: readonly ('bios' | 'efi')[];
	readonly secureBoot: boolean;
	readonly tpm: boolean;
	/** Things that it has for a machine. */
	readonly has: readonly Ability[];
	/** The names that machines can have there, where not all can be; `said` in words. */
	readonly names?: { readonly pattern: RegExp; readonly said: string } | undefined;
	/** What it is for a machine that starts by BIOS, where that differs; `has` in addition. */
	readonly withBios?:
		| (Pick<Target, 'name'> & Partial<Pick<Target, 'buses' | 'has'>> & { readonly most?: Partial<Target['most']> | undefined })
		| undefined;
	/** Where it says so. */
	readonly source: string;
};

/** What not every target has. */
export type Ability =
	| 'hot-add'
	| 'passthrough'
	| 'usb'
	| 'serial'
	| 'parallel'
	| 'sound'
	| 'floppy'
	| 'optical'
	| 'cpu-affinity'
	| 'shares'
	| 'snapshots'
	| 'shared-disks'
	| 'shared-folders'
	| 'long-serials'
	| 'nested'
	| 'direct-boot'
	| 'persistent-memory'
	| 'import-drivers';

const GiB = 2 ** 30;
const TiB = 2 ** 40;

/** When the sources were last looked at. */
export const TARGETS_AS_OF = '2026-08';

const sizeFor = (id: string): Profile['size'] =>
	profiles.find((profile) => profile.id === id)?.size ?? { multipleOf: 1, least: 512, most: 64 * TiB };

/** libvirt refuses slashes and line breaks; the name is in names of files too. */
const DOMAIN_NAMES: Target['names'] = { pattern: /^[^/\p{Cc}]*$/u, said: 'no slashes, line breaks and other control characters' };

/** vSphere, "New Virtual Machine wizard". */
const VSPHERE_NAMES: Target['names'] = { pattern: /^.{1,80}$/su, said: 'at most 80 characters' };

/** Kubernetes: a DNS subdomain by RFC 1123, which is a label of pods too. */
const SUBDOMAINS: Target['names'] = {
	pattern: /^(?=.{1,63}$)(?!-)[a-z0-9-]+(?<!-)(\.(?!-)[a-z0-9-]+(?<!-))*$/,
	said: 'small letters, digits, and hyphens and dots between them, at most 63 in all',
};

/** The format dns-name of PVE::JSONSchema. */
const DNS_NAMES: Target['names'] = {
	pattern: /^(?!-)[A-Za-z0-9-]+(?<!-)(\.(?!-)[A-Za-z0-9-]+(?<!-))*$/,
	said: 'letters, digits, and hyphens and dots between them',
};

/** https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules, as of Linux: Windows takes 15 and no dots. */
const AZURE_NAMES: Target['names'] = {
	pattern: /^(?=.{1,64}$)[A-Za-z0-9.-]+(?<![.-])$/,
	said: 'letters, digits, hyphens and dots, the last one a letter or digit, at most 64 in all',
};

/** RFC 1035: https://cloud.google.com/compute/docs/naming-resources. */
const LABELS: Target['names'] = {
	pattern: /^(?=.{1,63}$)[a-z][a-z0-9-]*(?<!-)$/,
	said: 'a small letter, then small letters, digits, and hyphens between them, at most 63 in all',
};

const QEMU: readonly Ability[] = [
	'hot-add',
	'passthrough',
	'usb',
	'serial',
	'parallel',
	'sound',
	'floppy',
	'optical',
	'cpu-affinity',
	'shares',
	'snapshots',
	'shared-disks',
	'nested',
];
const VMWARE: readonly Ability[] = [...QEMU, 'long-serials'];

export const targets: readonly Target[] = [
	{
		id: 'libvirt',
		name: 'libvirt and QEMU',
		size: sizeFor('libvirt'),
		sectors4K: true,
		most: { disks: 254, nics: 28, cpus: 4096, memory: 16 * TiB },
		mostOn: { ide: 4 },
		architectures: ['any'],
		buses: BOOT_PREFERENCE,
		notByEfi: NOT_BY_EFI,
		nics: ['virtio', 'vmxnet3', 'e1000e', 'e1000', 'rtl8139', 'pcnet'],
		firmware: ['bios', 'efi'],
		names: DOMAIN_NAMES,
		secureBoot: true,
		tpm: true,
		has: [...QEMU, 'shared-folders', 'direct-boot', 'persistent-memory'],
		source: 'https://libvirt.org/formatdomain.html',
	},
	{
		id: 'kubevirt',
		name: 'KubeVirt',
		size: sizeFor('kubevirt'),
		sectors4K: true,
		most: { disks: 165, nics: 28, cpus: 710, memory: 16 * TiB },
		architectures: ['x86_64', 'aarch64', 's390x'],
		buses: ['virtio-blk', 'virtio-scsi', 'sata'],
		// And ne2k_pci and igb: validInterfaceModels in its source, looked at in 2026-11.
		nics: ['virtio', 'e1000e', 'e1000', 'rtl8139', 'pcnet'],
		firmware: ['bios', 'efi'],
		secureBoot: true,
		tpm: true,
		has: ['hot-add', 'passthrough', 'serial', 'sound', 'optical', 'shared-disks', 'nested'],
		names: SUBDOMAINS,
		source: 'https://kubevirt.io/user-guide/',
	},
	{
		id: 'proxmox',
		name: 'Proxmox VE',
		size: sizeFor('proxmox'),
		sectors4K: true,
		// scsi0 to 30, virtio0 to 15, sata0 to 5, ide0 to 3: PVE::QemuServer::Drive, looked at in 2026-11. CPUs as QEMU has them.
		mostOn: { ide: 4, sata: 6 },
		most: { disks: 57, nics: 32, cpus: 4096, memory: 4 * TiB },
		architectures: ['x86_64', 'aarch64'],
		// Its own build of the firmware starts from pvscsi; its `lsi` is a 53C895A, which is not VMware's LSI Logic.
		buses: ['virtio-scsi', 'virtio-blk', 'sata', 'pvscsi', 'ide'],
		nics: ['virtio', 'vmxnet3', 'e1000e', 'e1000', 'rtl8139', 'pcnet'],
		firmware: ['bios', 'efi'],
		secureBoot: true,
		tpm: true,
		has: ['hot-add', 'passthrough', 'usb', 'serial', 'sound', 'optical', 'cpu-affinity', 'shares', 'snapshots', 'nested'],
		names: DNS_NAMES,
		source: 'https://pve.proxmox.com/pve-docs/chapter-qm.html',
	},
	{
		id: 'esxi',
		name: 'ESXi',
		size: sizeFor('esxi'),
		sectors4K: false,
		most: { disks: 256, nics: 10, ...VMWARE_MOST.esxi },
		architectures: ['x86_64'],
		buses: ['pvscsi', 'lsilogic', 'lsisas1068', 'sata', 'nvme', 'ide'],
		nics: ['vmxnet3', 'e1000e', 'e1000', 'pcnet'],
		firmware: ['bios', 'efi'],
		names: VSPHERE_NAMES,
		secureBoot: true,
		tpm: true,
		has: VMWARE.filter((ability) => ability !== 'sound'),
		source: 'https://configmax.broadcom.com',
	},
	{
		id: 'workstation',
		name: 'VMware Workstation and Fusion',
		size: { multipleOf: 1, least: 512, most: 8 * TiB },
		sectors4K: false,
		most: { disks: 256, nics: 10, ...VMWARE_MOST.hosted },
		// Fusion has aarch64 on Apple's hosts alone, and vconv makes no VMX for it.
		architectures: ['x86_64'],
		buses: ['pvscsi', 'lsilogic', 'lsisas1068', 'sata', 'nvme', 'ide'],
		nics: ['vmxnet3', 'e1000e', 'e1000', 'pcnet'],
		firmware: ['bios', 'efi'],
		secureBoot: true,
		tpm: true,
		has: [...VMWARE.filter((ability) => ability !== 'passthrough' && ability !== 'hot-add'), 'shared-folders'],
		source: 'https://techdocs.broadcom.com/us/en/vmware-cis/desktop-hypervisors.html',
	},
	{
		id: 'hyperv',
		name: 'Hyper-V',
		size: sizeFor('hyperv'),
		sectors4K: true,
		// From Windows Server 2019 on, 64 adapters of its own, before it 8; and for generation 1 four of legacy, and four disks on IDE: looked at in 2026-11.
		mostOn: { ide: 4 },
		most: { disks: 256, nics: 64, cpus: 2048, memory: 240 * TiB },
		architectures: ['x86_64', 'aarch64'],
		buses: ['hyperv-scsi', 'ide'],
		notByEfi: ['ide'],
		nics: ['hyperv'],
		firmware: ['bios', 'efi'],
		secureBoot: true,
		tpm: true,
		has: ['hot-add', 'passthrough', 'serial', 'optical', 'shares', 'snapshots', 'shared-disks', 'nested'],
		withBios: { name: 'Hyper-V (generation 1)', most: { disks: 260, nics: 68, cpus: 64, memory: TiB }, has: ['floppy'] },
		source: 'https://learn.microsoft.com/windows-server/virtualization/hyper-v/maximum-scale-limits',
	},
	{
		id: 'virtualbox',
		name: 'VirtualBox',
		size: sizeFor('virtualbox'),
		sectors4K: false,
		// https://www.virtualbox.org/manual/ch05.html, looked at in 2026-11.
		mostOn: { ide: 4, sata: 30 },
		most: { disks: 255, nics: 8, cpus: 64, memory: 2 * TiB },
		architectures: ['x86_64', 'aarch64'],
		buses: ['sata', 'virtio-scsi', 'nvme', 'lsisas1068', 'lsilogic', 'ide'],
		nics: ['virtio', 'e1000', 'pcnet'],
		firmware: ['bios', 'efi'],
		secureBoot: true,
		tpm: true,
		has: ['usb', 'serial', 'parallel', 'sound', 'floppy', 'optical', 'snapshots', 'shared-disks', 'shared-folders', 'nested'],
		source: 'https://www.virtualbox.org/manual/',
	},
	{
		id: 'azure',
		name: 'Azure',
		size: sizeFor('azure'),
		sectors4K: false,
		// Standard_M1792ixds_32_v3, and a disk of the system beside the data: learn.microsoft.com/azure/virtual-machines/sizes, looked at in 2026-11.
		most: { disks: 65, nics: 8, cpus: 1792, memory: 30400 * GiB },
		architectures: ['x86_64', 'aarch64'],
		// https://learn.microsoft.com/azure/virtual-machines/nvme-linux, looked at in 2026-11.
		buses: ['hyperv-scsi', 'hyperv-nvme'],
		nics: ['hyperv'],
		firmware: ['bios', 'efi'],
		secureBoot: true,
		tpm: true,
		has: ['serial', 'snapshots', 'shared-disks', 'nested'],
		// DiskControllerType in its API, looked at in 2026-11.
		withBios: { name: 'Azure (generation 1)', buses: ['hyperv-scsi'] },
		names: AZURE_NAMES,
		source: 'https://learn.microsoft.com/azure/virtual-machines/linux/create-upload-generic',
	},
	{
		id: 'aws',
		name: 'AWS',
		size: sizeFor('aws'),
		sectors4K: false,
		// u7inh-32tb.480xlarge: docs.aws.amazon.com/ec2/latest/instancetypes/mo.html, looked at in 2026-11; disks as ImportImage takes them.
		most: { disks: 21, nics: 15, cpus: 1920, memory: 32 * TiB },
		// ImportImage takes no other, though there are machines with Arm.
		architectures: ['x86_64'],
		buses: ['nvme', 'xen'],
		nics: [],
		firmware: ['bios', 'efi'],
		secureBoot: true,
		tpm: true,
		// https://docs.aws.amazon.com/vm-import/latest/userguide/import-modify-vm.html
		has: ['serial', 'snapshots', 'shared-disks', 'import-drivers'],
		source: 'https://docs.aws.amazon.com/vm-import/latest/userguide/prerequisites.html',
	},
	{
		id: 'gcp',
		name: 'Google Cloud',
		size: sizeFor('gcp'),
		sectors4K: false,
		// m2-ultramem-416, the largest that is no bare metal: cloud.google.com/compute/docs/memory-optimized-machines; cards by its release notes of 2025-06: looked at in 2026-11.
		most: { disks: 128, nics: 10, cpus: 416, memory: 11776 * GiB },
		architectures: ['x86_64', 'aarch64'],
		buses: ['virtio-scsi', 'nvme'],
		nics: ['virtio'],
		firmware: ['bios', 'efi'],
		secureBoot: true,
		tpm: true,
		has: ['serial', 'snapshots', 'shared-disks', 'nested'],
		names: LABELS,
		source: 'https://cloud.google.com/compute/docs/import/import-existing-image',
	},
];
