import type { Bus } from '../machine/spec.ts';

const KiB = 2 ** 10;
const MiB = 2 ** 20;
const GiB = 2 ** 30;
const TiB = 2 ** 40;

/** What a hypervisor or a cloud can run: data, with where it says so. */
export type Target = {
	/** What `--to` says. */
	readonly id: string;
	/** For people. */
	readonly name: string;
	/** The disk formats that it takes, by id; a conversion makes one of them. */
	readonly formats: readonly string[];
	/** Of a virtual disk, in bytes. */
	readonly disk: {
		readonly least: number;
		readonly most: number;
		readonly multipleOf: number;
		readonly sectorSizes: readonly (512 | 4096)[];
	};
	/** Most disks of one machine. */
	readonly disks: number;
	/** The buses that a guest's disk can be on there. */
	readonly buses: readonly (Bus | 'virtio' | 'hyperv' | 'xen')[];
	readonly nicModels: readonly string[];
	/** Most network cards of one machine. */
	readonly nics: number;
	/** Most virtual CPUs, and most memory in bytes. */
	readonly cpus: number;
	readonly memory: number;
	readonly firmware: readonly ('bios' | 'efi')[];
	readonly secureBoot: boolean;
	readonly tpm: boolean;
	/** The longest name that it takes, and whether it must be a DNS label. */
	readonly name63?: boolean | undefined;
	/** The family of its virtual hardware, whose drivers the guest must have. */
	readonly drivers: 'kvm' | 'kubevirt' | 'vmware' | 'hyperv' | 'xen' | 'aws' | 'gcp' | 'virtualbox';
	/** Where it says so. */
	readonly source: string;
};

/** When the sources were last looked at. */
export const TARGETS_AS_OF = '2026-08';
