import type { DiskBus, NicModel } from '../facts.ts';

/** A driver that a bus or card may be driven by. */
export type DriverChoice = {
	/** The services that must all start, by the names of their keys. */
	readonly services: readonly string[];
	/** What its package in the driver store is called, where Windows does not bring its service along. */
	readonly packages?: readonly string[];
	/** The devices that Windows 7 and before must find in CriticalDeviceDatabase to start from them. */
	readonly devices?: readonly string[];
};

/** By what each bus can be booted from: any one of the choices is enough. */
export const DISK_DRIVERS: Readonly<Record<DiskBus, readonly DriverChoice[]>> = {
	'virtio-blk': [{ services: ['viostor'], packages: ['viostor.inf'], devices: ['PCI#VEN_1AF4&DEV_1001', 'PCI#VEN_1AF4&DEV_1042'] }],
	'virtio-scsi': [{ services: ['vioscsi'], packages: ['vioscsi.inf'], devices: ['PCI#VEN_1AF4&DEV_1004', 'PCI#VEN_1AF4&DEV_1048'] }],
	sata: [{ services: ['storahci'] }, { services: ['msahci'] }],
	ide: [{ services: ['intelide', 'atapi'] }],
	nvme: [{ services: ['stornvme'] }],
	pvscsi: [{ services: ['pvscsi'], packages: ['pvscsi.inf', 'pvscsii.inf'], devices: ['PCI#VEN_15AD&DEV_07C0'] }],
	lsilogic: [{ services: ['LSI_SCSI'] }, { services: ['symmpi'] }],
	lsisas1068: [{ services: ['LSI_SAS'] }],
	'hyperv-scsi': [{ services: ['vmbus', 'storvsc'] }],
	'hyperv-nvme': [{ services: ['vmbus', 'stornvme'] }],
	xen: [{ services: ['xenvbd'], packages: ['xenvbd.inf'] }],
};

/** The cards, which Windows starts when it finds them: their drivers need only be there. */
export const NETWORK_DRIVERS: Readonly<Record<NicModel, readonly DriverChoice[]>> = {
	virtio: [{ services: ['netkvm'], packages: ['netkvm.inf'] }],
	e1000: [{ services: ['E1G60'], packages: ['nete1g3e.inf', 'nete1g32.inf'] }],
	e1000e: [
		{ services: ['e1iexpress'], packages: ['net1ix64.inf', 'net1ic64.inf'] },
		{ services: ['e1i65x64'] },
		{ services: ['e1i68x64'] },
		{ services: ['e1express'], packages: ['nete1e3e.inf'] },
	],
	vmxnet3: [{ services: ['vmxnet3ndis6'], packages: ['vmxnet3.inf'] }, { services: ['vmxnet3'] }],
	hyperv: [{ services: ['netvsc'], packages: ['wnetvsc.inf'] }],
	pcnet: [{ services: ['PCnet'] }],
	rtl8139: [{ services: ['rtl8139'] }],
};
