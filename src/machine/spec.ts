import type { Code } from './codes.ts';
import type {
	CharPort,
	Chipset,
	Controller,
	DiskDevice,
	Display,
	Input,
	Nic,
	SharedFolder,
	Sound,
	Tpm,
	Usb,
	Video,
} from './spec-devices.ts';

export type * from './spec-devices.ts';

/**
 * What a virtual machine is made of, whatever file says so. Readers put in what their file says and nothing else: what it does not say
 * is undefined. Planners fill in, change and leave out. Writers print what is there. Sizes are in bytes.
 */
export type VmSpec = {
	readonly identity: Identity;
	readonly guest: Guest;
	readonly platform: Platform;
	readonly cpu: Cpu;
	readonly memory: Memory;
	readonly firmware: Firmware;
	/** What the guest's clock shows at the start: `utc`, `localtime`, … */
	readonly clock?: string | undefined;
	/** How many seconds it is ahead of UTC. */
	readonly clockOffset?: number | undefined;
	/** Guests are shown the serial numbers of their disks: VMX's `disk.EnableUUID`. */
	readonly showsSerials?: boolean | undefined;
	/** Seconds since 1970 that it shows at every start. */
	readonly clockStart?: number | undefined;
	readonly timers?: readonly Timer[] | undefined;
	readonly lifecycle: Lifecycle;
	readonly controllers: readonly Controller[];
	/** Hard disks, optical and floppy drives, in the order that whoever reads the file has them in. */
	readonly disks: readonly DiskDevice[];
	readonly nics: readonly Nic[];
	readonly videos: readonly Video[];
	/** Where the guest's screen can be seen from afar. */
	readonly displays: readonly Display[];
	readonly serials: readonly CharPort[];
	readonly parallels: readonly CharPort[];
	readonly sharedFolders: readonly SharedFolder[];
	readonly tpms: readonly Tpm[];
	readonly sounds?: readonly Sound[] | undefined;
	/** USB controllers by what they speak, where the file says them so. */
	readonly usb?: Usb | undefined;
	readonly inputs?: readonly Input[] | undefined;
	/** Names of the channels that programs in the guest answer on: `org.qemu.guest_agent.0`. */
	readonly channels?: readonly string[] | undefined;
	/** Models, as libvirt names them, of what gives memory back to the host, and of what gives random numbers to the guest. */
	readonly balloon?: string | undefined;
	readonly rng?: string | undefined;
	readonly chipset: Chipset;
	readonly management: Management;
	/** The description that this one was made from, as far as it was kept for the way back. */
	readonly origin?: Origin | undefined;
	/** Keys and values that are written as they are, behind everything above. */
	readonly kept?: readonly (readonly [key: string, value: string])[] | undefined;
	/** What the file says and libvirt's own translation has no place for. */
	readonly extras: readonly RawEntry[];
};

export type Identity = {
	/** As a person reads it. */
	readonly name?: string | undefined;
	/** As the file stores it, where that differs between programs. */
	readonly nameStored?: string | undefined;
	/** A short description of one line, beside the name. */
	readonly title?: string | undefined;
	readonly description?: string | undefined;
	/** What the manager knows the machine by, as lower-case 8-4-4-4-12: vCenter's, libvirt's. */
	readonly instanceUuid?: string | undefined;
	/** What the guest reads from SMBIOS, in the notation of the file. */
	readonly biosUuid?: string | undefined;
	/** That of the domain which a VMX was made from, where `biosUuid` has its first three fields the other way round. */
	readonly domainUuid?: string | undefined;
	/** What VMware made of the place of the file. */
	readonly locationUuid?: string | undefined;
	/** The 16 bytes as they lie in the guest's memory. */
	readonly generationId?: Uint8Array | undefined;
};

export type Guest = {
	/** The value of VMX's `guestOS`: `rhel9-64`. */
	readonly vmxGuestOs?: string | undefined;
	/** As libvirt names it: `x86_64`, `i686`. */
	readonly arch?: string | undefined;
	/** As libosinfo names it: `http://debian.org/debian/12`. */
	readonly osinfo?: string | undefined;
	/** What VMware's Tools in the guest said of it, by field: `distroName`, `bitness`. */
	readonly reported?: ReadonlyMap<string, string> | undefined;
};

export type Platform = {
	/** As libvirt's domain type says it: `vmware`, `kvm`, … */
	readonly hypervisor?: string | undefined;
	/** VMware's virtual hardware version. */
	readonly hardwareVersion?: number | undefined;
	/** VMX's `config.version`. */
	readonly configVersion?: number | undefined;
	/** Which of VMware's products it is for: `esxi`, the `hosted` ones, or all of them; none where libvirt translates. */
	readonly product?: 'esxi' | 'hosted' | 'any' | undefined;
	/** QEMU's machine type: `q35`, `pc-i440fx-6.1`. */
	readonly machine?: string | undefined;
	/** The guest is not told that it runs on a hypervisor. */
	readonly hidesHypervisor?: boolean | undefined;
	/** Enlightenments for Windows, as libvirt names them: `relaxed`, `vapic`, and `stimer-direct` for what is within `stimer`. */
	readonly enlightenments?: readonly string[] | undefined;
	/** Features of the board, as libvirt names them: `acpi`, and `vmport` that is off. */
	readonly features?: readonly Feature[] | undefined;
};

/** `on` is undefined for a feature that has no state: to be named is to be there. */
export type Feature = { readonly name: string; readonly on?: boolean | undefined };

export type Timer = { readonly name: string; readonly present?: boolean | undefined; readonly tickPolicy?: string | undefined };

export type Cpu = {
	/** Virtual CPUs. */
	readonly count?: number | undefined;
	/** Of these, how many are there at the start, where not all are. */
	readonly online?: number | undefined;
	/** `custom`, `host-model`, … */
	readonly mode?: string | undefined;
	readonly topology?: Topology | undefined;
	/** Virtual CPUs can be added while it runs. */
	readonly hotAdd?: boolean | undefined;
	/** It can run virtual machines itself. */
	readonly nested?: boolean | undefined;
	/** Instructions and the like that the guest shall see, or not: `optional`, `disable`. */
	readonly features?: readonly { readonly name: string; readonly policy: string }[] | undefined;
	/** Host CPUs that it may run on, in the file's order. */
	readonly affinity?: readonly number[] | undefined;
	readonly shares?: Shares | undefined;
};

export type Topology = {
	readonly sockets?: number | undefined;
	readonly dies?: number | undefined;
	readonly clusters?: number | undefined;
	readonly cores: number;
	readonly threads?: number | undefined;
};

/** How large a part of the host it gets when machines compete: VMware's levels are per CPU, a number is for the machine. */
export type Shares = 'low' | 'normal' | 'high' | number;

export type Memory = {
	readonly size?: number | undefined;
	/** What the guest is left with at first: libvirt's `currentMemory`. */
	readonly current?: number | undefined;
	/** The most of the host's memory that it gets. */
	readonly limit?: number | 'unlimited' | undefined;
	/** What the host keeps free for it; a negative number means nothing. */
	readonly reservation?: number | undefined;
	/** Memory can be added while it runs. */
	readonly hotAdd?: boolean | undefined;
	/** The host never swaps it out. */
	readonly locked?: boolean | undefined;
};

export type Firmware = {
	/** As the file says it: `efi`, `bios`. */
	readonly type?: string | undefined;
	readonly secureBoot?: boolean | undefined;
	readonly enrolledKeys?: boolean | undefined;
	/** Path of the file with its code. */
	readonly loader?: string | undefined;
	/** How that is shown to the guest, as libvirt says it: `rom`, `pflash`. */
	readonly loaderType?: string | undefined;
	/** Path of the file with its variables. */
	readonly nvram?: string | undefined;
	/** What is tried in which order; a device with a `bootOrder` comes first. */
	readonly bootOrder?: readonly BootStep[] | undefined;
	/** Disks in the order in which they are tried, as VMX names them. */
	readonly bootDisks?: readonly string[] | undefined;
	/** How long it waits for somebody to press a key, in milliseconds. */
	readonly bootDelay?: number | undefined;
	/** After how many milliseconds it tries again where nothing boots. */
	readonly bootRetry?: number | undefined;
	/** Where the guest's SMBIOS strings come from: `host`, `emulate`, `sysinfo`. */
	readonly smbios?: string | undefined;
};

export type BootClass = 'hdd' | 'cdrom' | 'floppy' | 'net';

/** All devices of a kind, or one network card as VMX names it. */
export type BootStep = BootClass | `ethernet${number}`;

export type Lifecycle = {
	readonly onPoweroff?: string | undefined;
	readonly onReboot?: string | undefined;
	readonly onCrash?: string | undefined;
};

/** What a server that holds the machine knows about it. */
export type Management = { readonly datacenterPath?: string | undefined; readonly moref?: string | undefined };

/** A description that another was made from. */
export type Origin = {
	/** The id of its format. */
	readonly format: string;
	/** What it said, without secrets. */
	readonly entries: readonly (readonly [key: string, value: string])[];
	/** What else it said, by its keys alone: secrets, and what no domain can hold. */
	readonly withheld?: readonly string[] | undefined;
	/** What became of its devices: `scsi0:0` is `sda`, with the WWN that was made up for it. */
	readonly devices: readonly (readonly [from: string, to: string, wwn?: string | undefined])[];
	/** How the result said what it says in words of its own: `clock` is `utc`. What differs by now, somebody changed. */
	readonly written: readonly (readonly [about: string, words: string])[];
};

/** A piece of a description that the model has no place for. */
export type RawEntry = {
	/** A key of a VMX, or the path of an element or attribute in an XML: `devices/sound[1]/@model`. */
	readonly key: string;
	readonly value: string;
	/** What it is about: the report has one entry for each subject and code. */
	readonly subject: string;
	/** What is lost without it: a code of the catalogue. */
	readonly code: Code;
	/** A field of the model says it too: whoever plans more than libvirt does answers for that field. */
	readonly held?: boolean | undefined;
};
