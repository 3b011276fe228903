/**
 * What `inspectGuest` reports. Every text is from the guest and is never trusted: it is cleaned before it is shown, and no secret
 * (a password, a key, cloud-init user data) is ever in it.
 */
export type GuestReport = {
	readonly schema: 'vconv.guest/1';
	readonly cost: { readonly milliseconds: number; readonly reads: number; readonly bytes: number };
	readonly disks: readonly DiskFacts[];
	readonly volumes: readonly VolumeFacts[];
	readonly firmware: FirmwareFacts;
	/** The operating system that the machine boots; null where none was found or could be read. */
	readonly os: OperatingSystem | null;
	/** Further roots that were found. */
	readonly otherSystems: readonly OperatingSystem[];
	/** Of the kernel that boots by default; null where nothing could be known. */
	readonly drivers: DriverFacts | null;
	readonly network: readonly NetworkFacts[];
	readonly software: SoftwareFacts;
	/** What could not be read, and why. */
	readonly incomplete: readonly Incomplete[];
};

export type DiskFlag =
	/** The first GPT header or its entries are damaged or missing; the copy at the end was taken, if the MBR protects it. */
	| 'gpt-primary-bad'
	/** The copy at the end is damaged or missing. */
	| 'gpt-backup-bad'
	/** Both copies are sound, and name other partitions: tools differ in which they take. */
	| 'gpt-copies-differ'
	/** The copy is not in the last sector: the disk was grown. */
	| 'gpt-backup-not-at-end'
	/** The table was made for sectors of another size, and the firmware will not find it. */
	| 'gpt-sector-size-mismatch'
	/** A GPT whose MBR holds partitions of its own. */
	| 'hybrid-mbr'
	/** A GPT without a protective MBR, which nothing else took the place of; systems and firmware do not believe it. */
	| 'no-protective-mbr'
	/** A GPT of an earlier use, or its copy, on a disk that holds something on the whole of it. */
	| 'gpt-leftover'
	/** A chain of logical partitions that comes back to itself, leaves the disk or does not end. */
	| 'ebr-chain-broken'
	/** Partitions that share sectors. */
	| 'partitions-overlap'
	/** A partition that ends after the disk does. */
	| 'partition-outside';

export type DiskFacts = {
	/** From 0, in the order given. */
	readonly index: number;
	/** The image's name. */
	readonly image: string;
	/** In bytes. */
	readonly size: number;
	readonly sectorSize: 512 | 4096;
	readonly scheme: 'gpt' | 'mbr' | 'none';
	/** The GPT's GUID in lower case, or the MBR's signature as eight hexadecimal digits. */
	readonly diskId?: string | undefined;
	readonly flags: readonly DiskFlag[];
	readonly partitions: readonly PartitionFacts[];
	/** Whose code is in the first sector; null for none. */
	readonly biosBootCode: 'grub' | 'windows' | 'other' | null;
};

export type PartitionFacts = {
	/** As the guest numbers it: logical partitions from 5, GPT entries from 1. */
	readonly number: number;
	/** Guest offset in bytes. */
	readonly start: number;
	/** In bytes. */
	readonly size: number;
	/** In words: `esp`, `bios-boot`, `linux`, `lvm`; `unknown` for a type without a name here. */
	readonly type: string;
	/** GPT: in lower case. */
	readonly typeGuid?: string | undefined;
	/** MBR: 0x83 and such. */
	readonly mbrType?: number | undefined;
	/** As PARTUUID has it. */
	readonly uuid?: string | undefined;
	readonly name?: string | undefined;
	/** MBR: marked active. GPT: the legacy BIOS bootable attribute. */
	readonly bootable: boolean;
	readonly logical?: boolean | undefined;
};

export type VolumeFacts = {
	/** `disk0` (the whole of it), `disk0p2`, `lv:vg/root`, `md:uuid`. */
	readonly id: string;
	/** As blkid says it: `ext4`, `vfat`, `LVM2_member`, `crypto_LUKS`, `swap`; `unknown` for bytes that say nothing. */
	readonly type: string;
	readonly uuid?: string | undefined;
	readonly label?: string | undefined;
	/** Of the device, in bytes. */
	readonly size: number;
	/** In bytes. */
	readonly blockSize?: number | undefined;
	/** What the file system, the physical volume or the member of an array spans, in bytes; more than `size` is a volume that was cut off. */
	readonly fileSystemSize?: number | undefined;
	/** Of the file system, in bytes. */
	readonly free?: number | undefined;
	readonly freeInodes?: number | undefined;
	/** Whether it was closed in order; null where that is not known. */
	readonly clean: boolean | null;
	/** Short stable words, as `FileSystem.state` has them: `needs-recovery`, `hibernated`, `tpm2`. */
	readonly state: readonly string[];
	/** Where the guest's own fstab mounts it, or its drive letter. */
	readonly mountpoint?: string | undefined;
	readonly encrypted?: boolean | undefined;
	/** Why vconv does not look inside. */
	readonly unsupported?: string | undefined;
	/** Of a member: the volume group's name, the array's id. */
	readonly memberOf?: string | undefined;
	/** Of a logical volume: what device mapper knows it by, `LVM-` and two ids. */
	readonly mapperUuid?: string | undefined;
	/** Of an array or a logical volume: the ids of the volumes given that hold its data. */
	readonly on?: readonly string[] | undefined;
};

export type FirmwareFacts = {
	/** What the disks are made to boot with. */
	readonly type: 'bios' | 'uefi' | 'dual' | 'unknown';
	/** Whether EFI\BOOT\BOOTX64.EFI, or its sibling for the system's architecture, is there; absent where the ESP was not read. */
	readonly fallbackLoader?: boolean | undefined;
	/** That one is GRUB itself, which is signed by no key that firmware has: under Secure Boot shim has to start it. */
	readonly fallbackIsGrub?: boolean | undefined;
	/** Paths of the loaders on the ESP. */
	readonly loaders?: readonly string[] | undefined;
	/** The volume of the ESP. */
	readonly esp?: string | undefined;
};

export type OperatingSystem = {
	readonly family: 'linux' | 'windows' | 'bsd' | 'other';
	/** os-release's ID: `debian`, `rhel`. */
	readonly distro?: string | undefined;
	/** For people: `Debian GNU/Linux 12 (bookworm)`. */
	readonly name: string;
	readonly version?: string | undefined;
	/** Windows: `19045.3803`. */
	readonly build?: string | undefined;
	readonly edition?: string | undefined;
	/** As uname says it: `x86_64`, `aarch64`, `i686`. */
	readonly arch?: string | undefined;
	readonly hostname?: string | undefined;
	/** The volume of its root. */
	readonly root: string;
	readonly kernels?: readonly KernelFacts[] | undefined;
	readonly bootloader?: BootloaderFacts | undefined;
	readonly initramfsTool?: string | undefined;
	readonly selinux?: string | undefined;
	readonly role?: 'domain-controller' | 'cluster' | undefined;
	readonly mounts?: readonly MountFacts[] | undefined;
	/** What else is worth a rule, as short stable words with their evidence. */
	readonly marks?: readonly Mark[] | undefined;
};

/** A line of fstab or crypttab. */
export type MountFacts = {
	/** As written: `UUID=…`, `/dev/sda1`. */
	readonly device: string;
	readonly mountpoint: string;
	readonly type: string;
	readonly options: readonly string[];
	/** The volume that it names; absent where no disk given has it. */
	readonly volume?: string | undefined;
	/** The file and line that say it. */
	readonly where: string;
};

/** Something found that matters to a move: `resume-device`, `lvm-devices-file`, `fast-startup`, `pending-reboot`. */
export type Mark = {
	readonly code: string;
	/** What was seen. */
	readonly evidence: string;
	/** The guest's file, registry key or volume. */
	readonly where: string;
};

export type KernelFacts = {
	readonly version: string;
	readonly default: boolean;
	readonly image?: string | undefined;
	readonly initramfs?: string | undefined;
	readonly drivers?: DriverFacts | undefined;
};

export type BootloaderFacts = {
	readonly kind: string;
	/** The file that says it. */
	readonly file?: string | undefined;
	/** Of the default entry, secrets left out. */
	readonly commandLine?: string | undefined;
};

/**
 * Whether the guest can boot from a bus or use a card. Linux: `boot` is built in or in the initramfs, `installed` only in /lib/modules,
 * `disabled` is kept from loading by the kernel's command line.
 * Windows: `boot` starts at boot with its file there; `staged` is in the driver store alone; `disabled` does not start at boot.
 */
export type DriverState = 'boot' | 'installed' | 'staged' | 'disabled' | 'file-missing' | 'absent' | 'unknown';

export type DiskBus =
	| 'virtio-blk'
	| 'virtio-scsi'
	| 'sata'
	| 'ide'
	| 'nvme'
	| 'pvscsi'
	| 'lsilogic'
	| 'lsisas1068'
	| 'hyperv-scsi'
	/** NVMe that is passed through by VMBus, as Azure has it. */
	| 'hyperv-nvme'
	| 'xen';

export type NicModel = 'virtio' | 'e1000' | 'e1000e' | 'vmxnet3' | 'hyperv' | 'pcnet' | 'rtl8139';

export type DriverFacts = {
	readonly disk: Readonly<Partial<Record<DiskBus, DriverFact>>>;
	readonly network: Readonly<Partial<Record<NicModel, DriverFact>>>;
};

export type DriverFact = {
	readonly state: DriverState;
	/** What it was judged by: the modules that are missing, the service's start type. */
	readonly evidence: string;
};

export type NetworkFacts = {
	/** The guest's file, or the registry key. */
	readonly source: string;
	/** `ens192`, or the adapter's description. */
	readonly name?: string | undefined;
	readonly mac?: string | undefined;
	readonly method: 'dhcp' | 'static' | 'none' | 'unknown';
	readonly addresses?: readonly string[] | undefined;
	readonly gateway?: string | undefined;
};

export type SoftwareFacts = {
	readonly vmwareTools?: string | undefined;
	readonly hypervTools?: string | undefined;
	readonly virtualboxTools?: string | undefined;
	readonly xenTools?: string | undefined;
	readonly qemuAgent?: string | undefined;
	readonly cloudInit?: string | undefined;
	readonly antivirus?: readonly string[] | undefined;
};

/** A part of the guest that was not read: everything else in the report holds. */
export type Incomplete = {
	/** The volume, disk or file of the guest. */
	readonly where: string;
	/** What is not known for it: `file system`, `kernel modules`. */
	readonly what: string;
	readonly why: string;
};
