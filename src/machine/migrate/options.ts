import type { NetRule } from './net-map.ts';

/** How devices are chosen. Hardware specification, section 7.5.2. */
export const DEVICE_POLICIES = ['auto', 'compat', 'safe', 'virtio', 'preserve'] as const;

/**
 * `auto`: by the guest and its boot disk. `compat`: what the guest's own driver drives. `safe`: what every system since 2007 drives.
 * `virtio`: the fastest, for guests that have its drivers. `preserve`: what is called most like it.
 */
export type DevicePolicy = (typeof DEVICE_POLICIES)[number];

export const UUID_MODES = ['verbatim', 'guest-bytes', 'new'] as const;

/**
 * `verbatim`: the domain has the UUID that vCenter shows. `guest-bytes`: the guest reads the bytes that it read before. `new`: a copy,
 * which libvirt gives an id. Hardware specification, appendix C.
 */
export type UuidMode = (typeof UUID_MODES)[number];

/** Where a guest stands with a driver: it has it when it looks for its disk, it has it later, it has not. */
export type DriverState = 'boot' | 'installed' | 'absent' | 'unknown';

/** What a disk can be attached to in QEMU, each by the driver that it needs. */
export type DiskAttachment = 'virtio-scsi' | 'virtio-blk' | 'sata' | 'pvscsi' | 'lsisas1068' | 'nvme' | 'ide';

/**
 * What an inspection of the guest's disks found. It is a fact where the policy has a guess, so that it decides before any rule of
 * thumb: the first attachment of the target's preference that the guest can boot from is taken.
 */
export type GuestFacts = {
	readonly disk?: Readonly<Partial<Record<DiskAttachment | 'lsilogic', DriverState>>> | undefined;
	/** By libvirt's model: `virtio`, `vmxnet3`, `e1000e`, `e1000`, `rtl8139`. */
	readonly nic?: Readonly<Partial<Record<string, DriverState>>> | undefined;
	/** What the boot loader on the disk was installed for. */
	readonly firmware?: 'bios' | 'efi' | undefined;
	/** Of the loaders on its EFI system partition: 64 where one of them is, undefined where none tells by its name. */
	readonly loaderBits?: 32 | 64 | undefined;
	/** The disk that it is on, by its VMX name: `scsi0:0`. */
	readonly bootDisk?: string | undefined;
	/** Of the system, whatever the processor has. */
	readonly bits?: 32 | 64 | undefined;
	/** libosinfo's id. */
	readonly osinfo?: string | undefined;
};

/** What is there for a drive of the source on the host that will run it. */
export type DriveTarget = {
	/** Absolute. */
	readonly path: string;
	/** `qcow2`, `raw`; for an optical drive nothing. */
	readonly format?: string | undefined;
	/** The id of the VMDK, `ddb.uuid`, as hexadecimal digits. */
	readonly uuid?: string | undefined;
	/** Whether it is made of an image with others beneath it; by the name of the source where left out. */
	readonly delta?: boolean | undefined;
};

export type MigrateOptions = {
	/** `auto` where left out. */
	readonly devices?: DevicePolicy | undefined;
	/** The Windows guest has virtio drivers that start at boot. */
	readonly assumeVirtio?: boolean | undefined;
	/** The host's UEFI firmware has drivers for pvscsi and SAS-1068; most builds have not. */
	readonly uefiScsi?: boolean | undefined;
	readonly machine?: 'q35' | 'pc' | undefined;
	readonly firmware?: 'bios' | 'efi' | undefined;
	readonly secureBoot?: boolean | undefined;
	readonly tpm?: boolean | undefined;
	/** `verbatim` where left out, but for a VMX that was made from a domain: that has its own again. */
	readonly uuid?: UuidMode | undefined;
	/** `utc`, `localtime`. */
	readonly clock?: 'utc' | 'localtime' | undefined;
	/** Which network of the host stands for which of VMware's; the first that fits. */
	readonly netMap?: readonly NetRule[] | undefined;
	/** Whether a Linux guest's cards keep the names that VMware's slots give them; yes where left out. */
	readonly nicNames?: boolean | undefined;
	/** Folder on the host for images that `drives` does not have; `/var/lib/libvirt/images` where left out. */
	readonly imageFolder?: string | undefined;
	/** By VMX name, `scsi0:0`. */
	readonly drives?: ReadonlyMap<string, DriveTarget> | undefined;
	/** Names of snapshots, which are not carried over. */
	readonly snapshots?: readonly string[] | undefined;
	readonly guest?: GuestFacts | undefined;
	/** Go on with a suspended machine, whose memory is lost as if it had lost its power. */
	readonly discardSuspend?: boolean | undefined;
	/** Keep what the source says in the result, for the way back; yes where left out. */
	readonly keepSource?: boolean | undefined;
};
