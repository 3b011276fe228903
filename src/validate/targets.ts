import { type Profile, profiles } from '../convert/profiles.ts';
import type { DiskBus, NicModel } from '../guest/facts.ts';
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
	/** The buses that the guest's system disk can be on there, the fastest first. */
	readonly buses: readonly DiskBus[];
	/** The network cards that it has, the fastest first. */
	readonly nics: readonly NicModel[];
	readonly firmware: readonly ('bios' | 'efi')[];
	readonly secureBoot: boolean;
	readonly tpm: boolean;
	/** Things that it has for a machine. */
	readonly has: readonly Ability[];
	/** Names of machines are DNS labels of at most 63 characters. */
	readonly dnsNames: boolean;
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
	| 'persistent-memory';

const TiB = 2 ** 40;

/** When the sources were last looked at. */
export const TARGETS_AS_OF = '2026-08';

const sizeFor = (id: string): Profile['size'] =>
	profiles.find((profile) => profile.id === id)?.size ?? { multipleOf: 1, least: 512, most: 64 * TiB };

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
		buses: ['virtio-scsi', 'virtio-blk', 'sata', 'pvscsi', 'nvme', 'ide', 'lsilogic'],
		nics: ['virtio', 'vmxnet3', 'e1000e', 'e1000', 'rtl8139', 'pcnet'],
		firmware: ['bios', 'efi'],
		secureBoot: true,
		tpm: true,
		has: [...QEMU, 'shared-folders', 'direct-boot', 'persistent-memory'],
		dnsNames: false,
		source: 'https://libvirt.org/formatdomain.html',
	},
	{
		id: 'kubevirt',
		name: 'KubeVirt',
		size: sizeFor('kubevirt'),
		sectors4K: true,
		most: { disks: 165, nics: 28, cpus: 710, memory: 16 * TiB },
		buses: ['virtio-blk', 'virtio-scsi', 'sata'],
		nics: ['virtio', 'e1000e', 'e1000'],
		firmware: ['bios', 'efi'],
		secureBoot: true,
		tpm: true,
		has: ['hot-add', 'passthrough', 'serial', 'sound', 'optical', 'shared-disks', 'nested'],
		dnsNames: true,
		source: 'https://kubevirt.io/user-guide/',
	},
	{
		id: 'proxmox',
		name: 'Proxmox VE',
		size: sizeFor('proxmox'),
		sectors4K: true,
		most: { disks: 68, nics: 32, cpus: 8192, memory: 4 * TiB },
		buses: ['virtio-scsi', 'virtio-blk', 'sata', 'pvscsi', 'ide', 'lsilogic'],
		nics: ['virtio', 'vmxnet3', 'e1000e', 'e1000', 'rtl8139', 'pcnet'],
		firmware: ['bios', 'efi'],
		secureBoot: true,
		tpm: true,
		has: ['hot-add', 'passthrough', 'usb', 'serial', 'sound', 'optical', 'cpu-affinity', 'shares', 'snapshots', 'nested'],
		dnsNames: true,
		source: 'https://pve.proxmox.com/pve-docs/chapter-qm.html',
	},
	{
		id: 'esxi',
		name: 'ESXi',
		size: sizeFor('esxi'),
		sectors4K: false,
		most: { disks: 256, nics: 10, ...VMWARE_MOST.esxi },
		buses: ['pvscsi', 'lsilogic', 'lsisas1068', 'sata', 'nvme', 'ide'],
		nics: ['vmxnet3', 'e1000e', 'e1000', 'pcnet'],
		firmware: ['bios', 'efi'],
		secureBoot: true,
		tpm: true,
		has: VMWARE.filter((ability) => ability !== 'sound'),
		dnsNames: false,
		source: 'https://configmax.broadcom.com',
	},
	{
		id: 'workstation',
		name: 'VMware Workstation and Fusion',
		size: { multipleOf: 1, least: 512, most: 8 * TiB },
		sectors4K: false,
		most: { disks: 256, nics: 10, ...VMWARE_MOST.hosted },
		buses: ['lsilogic', 'lsisas1068', 'sata', 'nvme', 'ide', 'pvscsi'],
		nics: ['vmxnet3', 'e1000e', 'e1000', 'pcnet'],
		firmware: ['bios', 'efi'],
		secureBoot: true,
		tpm: true,
		has: [...VMWARE.filter((ability) => ability !== 'passthrough' && ability !== 'hot-add'), 'shared-folders'],
		dnsNames: false,
		source: 'https://techdocs.broadcom.com/us/en/vmware-cis/desktop-hypervisors.html',
	},
	{
		id: 'hyperv',
		name: 'Hyper-V',
		size: sizeFor('hyperv'),
		sectors4K: true,
		most: { disks: 260, nics: 68, cpus: 2048, memory: 240 * TiB },
		buses: ['hyperv-scsi', 'ide'],
		nics: ['hyperv'],
		firmware: ['bios', 'efi'],
		secureBoot: true,
		tpm: true,
		has: ['hot-add', 'passthrough', 'serial', 'optical', 'shares', 'snapshots', 'shared-disks', 'nested'],
		dnsNames: false,
		source: 'https://learn.microsoft.com/windows-server/virtualization/hyper-v/maximum-scale-limits',
	},
	{
		id: 'virtualbox',
		name: 'VirtualBox',
		size: sizeFor('virtualbox'),
		sectors4K: false,
		most: { disks: 255, nics: 8, cpus: 64, memory: 2 * TiB },
		buses: ['sata', 'virtio-scsi', 'nvme', 'lsisas1068', 'lsilogic', 'ide'],
		nics: ['virtio', 'e1000', 'pcnet'],
		firmware: ['bios', 'efi'],
		secureBoot: true,
		tpm: true,
		has: ['usb', 'serial', 'parallel', 'sound', 'floppy', 'optical', 'snapshots', 'shared-disks', 'shared-folders', 'nested'],
		dnsNames: false,
		source: 'https://www.virtualbox.org/manual/',
	},
	{
		id: 'azure',
		name: 'Azure',
		size: sizeFor('azure'),
		sectors4K: false,
		most: { disks: 65, nics: 8, cpus: 416, memory: 12 * TiB },
		buses: ['hyperv-scsi', 'nvme'],
		nics: ['hyperv'],
		firmware: ['bios', 'efi'],
		secureBoot: true,
		tpm: true,
		has: ['serial', 'snapshots', 'shared-disks', 'nested'],
		dnsNames: true,
		source: 'https://learn.microsoft.com/azure/virtual-machines/linux/create-upload-generic',
	},
	{
		id: 'aws',
		name: 'AWS',
		size: sizeFor('aws'),
		sectors4K: false,
		most: { disks: 21, nics: 15, cpus: 448, memory: 24 * TiB },
		buses: ['nvme', 'xen'],
		nics: [],
		firmware: ['bios', 'efi'],
		secureBoot: true,
		tpm: true,
		has: ['serial', 'snapshots', 'shared-disks'],
		dnsNames: false,
		source: 'https://docs.aws.amazon.com/vm-import/latest/userguide/prerequisites.html',
	},
	{
		id: 'gcp',
		name: 'Google Cloud',
		size: sizeFor('gcp'),
		sectors4K: false,
		most: { disks: 128, nics: 8, cpus: 416, memory: 12 * TiB },
		buses: ['virtio-scsi', 'nvme'],
		nics: ['virtio'],
		firmware: ['bios', 'efi'],
		secureBoot: true,
		tpm: true,
		has: ['serial', 'snapshots', 'shared-disks', 'nested'],
		dnsNames: true,
		source: 'https://cloud.google.com/compute/docs/import/import-existing-image',
	},
];
