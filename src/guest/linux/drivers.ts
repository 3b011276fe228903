import type { DiskBus, DriverFact, DriverFacts, NicModel } from '../facts.ts';
import type { Kept } from './blacklist.ts';

/** Drivers of which any one set will do; of a set all are needed. Names as modules have them, with underscores. */
type Needs = readonly (readonly string[])[];

export const DISK_DRIVERS: Readonly<Record<DiskBus, Needs>> = {
	'virtio-blk': [['virtio_pci', 'virtio_blk']],
	'virtio-scsi': [['virtio_pci', 'virtio_scsi', 'sd_mod']],
	sata: [['ahci', 'sd_mod']],
	// ata_generic leaves Intel's controllers alone unless all_generic_ide is set; pata_acpi asks for ACPI methods that QEMU's has not.
	ide: [
		['ata_piix', 'sd_mod'],
		['piix', 'ide_disk'],
	],
	nvme: [['nvme']],
	pvscsi: [['vmw_pvscsi', 'sd_mod']],
	lsilogic: [['mptspi', 'sd_mod']],
	lsisas1068: [['mptsas', 'sd_mod']],
	'hyperv-scsi': [['hv_vmbus', 'hv_storvsc', 'sd_mod']],
	'hyperv-nvme': [['hv_vmbus', 'pci_hyperv', 'nvme']],
	xen: [['xen_blkfront']],
};

const NIC_DRIVERS: Readonly<Record<NicModel, Needs>> = {
	virtio: [['virtio_pci', 'virtio_net']],
	e1000: [['e1000']],
	e1000e: [['e1000e']],
	vmxnet3: [['vmxnet3']],
	hyperv: [['hv_vmbus', 'hv_netvsc']],
	pcnet: [['pcnet32']],
	rtl8139: [['8139cp'], ['8139too']],
};

/** What kernels without a list of what is built in call the drivers in their configuration, where it is not the module's name in capitals. */
export const CONFIG_NAMES: Readonly<Record<string, string>> = {
	virtio_scsi: 'SCSI_VIRTIO',
	sd_mod: 'BLK_DEV_SD',
	ahci: 'SATA_AHCI',
	ide_disk: 'BLK_DEV_IDEDISK',
	piix: 'BLK_DEV_PIIX',
	nvme: 'BLK_DEV_NVME',
	vmw_pvscsi: 'VMWARE_PVSCSI',
	mptspi: 'FUSION_SPI',
	mptsas: 'FUSION_SAS',
	hv_vmbus: 'HYPERV',
	hv_storvsc: 'HYPERV_STORAGE',
	hv_netvsc: 'HYPERV_NET',
	xen_blkfront: 'XEN_BLKDEV_FRONTEND',
	'8139cp': '8139CP',
	'8139too': '8139TOO',
};

/** Every driver of the tables. */
export const ALL_DRIVERS: readonly string[] = [...new Set([...Object.values(DISK_DRIVERS), ...Object.values(NIC_DRIVERS)].flat(2))];

/** What a kernel has, by the names of modules. */
export type KernelModules = {
	/** Built into it. */
	readonly builtIn: ReadonlySet<string>;
	/** In /lib/modules, with the modules that each needs. */
	readonly installed: ReadonlyMap<string, readonly string[]>;
	/** In its initramfs; `none` if it boots without one, undefined if what it holds is not known. */
	readonly early: ReadonlySet<string> | 'none' | undefined;
	/** What its command line or modprobe's settings keep from loading. */
	readonly kept: readonly Kept[];
};

type Standing = { readonly state: 'boot' | 'installed' | 'disabled' | 'absent' | 'unknown'; readonly evidence: string };

const ORDER = ['boot', 'installed', 'unknown', 'disabled', 'absent'] as const;

type Judge = (kernel: KernelModules, name: string) => Standing;

/** Which hardware a kernel can boot from and use. Network cards may come later, from /lib/modules: the initramfs is not asked for them. */
export const kernelDrivers = (kernel: KernelModules): DriverFacts => ({
	disk: judged(DISK_DRIVERS, (needs) => best(kernel, needs, standing)),
	network: judged(NIC_DRIVERS, (needs) => best(kernel, needs, presence)),
});

const judged = <Key extends string>(table: Readonly<Record<Key, Needs>>, judge: (needs: Needs) => DriverFact): Record<Key, DriverFact> =>
	Object.fromEntries(Object.entries<Needs>(table).map(([key, needs]) => [key, judge(needs)])) as Record<Key, DriverFact>;

/** The set that does best; the least that is there of it decides. */
const best = (kernel: KernelModules, needs: Needs, judge: Judge): DriverFact => {
	const sets = needs.map((set) => {
		const standings = set.map((name) => judge(kernel, name));
		const state = ORDER[Math.max(...standings.map((one) => ORDER.indexOf(one.state)))] ?? 'unknown';
		return { state, evidence: standings.map(({ evidence }) => evidence).join(', ') };
	});
	return sets.reduce((left, right) => (ORDER.indexOf(right.state) < ORDER.indexOf(left.state) ? right : left));
};

const presenceAt = ({ builtIn, installed, kept }: KernelModules, name: string, time: 'early' | 'late'): Standing => {
	if (builtIn.has(name)) return { state: 'boot', evidence: `${name} is built in` };
	const needed = installed.get(name);
	if (!needed) return { state: 'absent', evidence: `${name} is not there` };
	const isNeeded = ({ module, how }: Kept): boolean => how === 'refused' && needed.includes(module) && !builtIn.has(module);
	const reason = kept.find((one) => one[time] && (one.module === name || isNeeded(one)));
	return reason
		? { state: 'disabled', evidence: `${name} is kept from loading by ${reason.evidence}` }
		: { state: 'installed', evidence: `${name} is in /lib/modules` };
};

const presence: Judge = (kernel, name) => presenceAt(kernel, name, 'late');

const standing: Judge = (kernel, name) => {
	const { builtIn, installed, early } = kernel;
	const present = presenceAt(kernel, name, early === 'none' ? 'late' : 'early');
	if (present.state !== 'installed') return present;
	if (early === undefined) return { state: 'unknown', evidence: `${name} is in /lib/modules, and what the initramfs holds is not known` };
	if (early === 'none') return { state: 'installed', evidence: `${name} is in /lib/modules, and there is no initramfs` };
	if (!early.has(name)) return { state: 'installed', evidence: `${name} is in /lib/modules and not in the initramfs` };
	const missing = installed.get(name)?.find((other) => !early.has(other) && !builtIn.has(other));
	if (missing !== undefined) return { state: 'installed', evidence: `${name} is in the initramfs without ${missing}, which it needs` };
	return { state: 'boot', evidence: `${name} is in the initramfs` };
};
