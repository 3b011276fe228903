import type { ImageInfo } from '../core/disk.ts';
import type { CheckReport } from '../core/format.ts';
import type { GuestReport } from '../guest/facts.ts';
import type { MigrateOptions } from '../machine/migrate/options.ts';
import type { ReportEntry } from '../machine/report.ts';
import type { DiskDevice, VmSpec } from '../machine/spec.ts';

/** Everything that plain files tell of a machine before it moves. What could not be found out is absent, and no rule guesses. */
export type Facts = {
	/** What the user named. */
	readonly subject: string;
	/** Absent where only images were given. */
	readonly machine?: MachineFacts | undefined;
	/** In the machine's order; drives without an image are not among them. */
	readonly disks: readonly DiskState[];
	/** How the move to KVM is to choose devices. */
	readonly choices?: DeviceChoices | undefined;
	/** Of the guest on all these disks together; absent where it was not looked at. */
	readonly guest?: GuestReport | undefined;
	/** Who the other machines are that are to move with it. */
	readonly others?: readonly MachineIdentity[] | undefined;
	/** Where it is to go; absent where nobody said. */
	readonly host?: HostFacts | undefined;
};

/** What was asked of the move to KVM; `inspect`: it goes by what is on the disks, as it does where left out. */
export type DeviceChoices = MigrateOptions & { readonly inspect?: boolean | undefined };

/** What no two machines may share in one place. */
export type MachineIdentity = {
	/** The description. */
	readonly path: string;
	readonly name?: string | undefined;
	readonly uuid?: string | undefined;
	readonly macs: readonly string[];
};

/** A description and what lies beside it. */
export type MachineFacts = {
	readonly path: string;
	/** `vmx` or `libvirt`. */
	readonly format: string;
	readonly spec: VmSpec;
	/** What the description says, piece by piece in its order; absent where only `spec` has it. */
	readonly entries?: readonly (readonly [key: string, value: string])[] | undefined;
	/** What the reader met in the text. */
	readonly report: readonly ReportEntry[];
	/** Signs that it runs: lock files, by name. */
	readonly locks: readonly string[];
	/** Files that hold the state of a suspended machine, by name. */
	readonly suspended: readonly string[];
	/** Snapshots by their names, where a list of them is there. */
	readonly snapshots?: readonly SnapshotFacts[] | undefined;
	/** The file that says that disks are still chains of snapshots which were removed. */
	readonly unconsolidated?: string | undefined;
	/** Files beside it that are of the machine and could not be read. */
	readonly unread?: readonly Problem[] | undefined;
};

export type SnapshotFacts = { readonly name: string; readonly memory: boolean };

/** A disk's image as it lies there. */
export type DiskState = {
	/** As the description names it; the image's own name where there is none. */
	readonly name: string;
	readonly path: string;
	/** What file it is, by whichever name; absent where it could not be opened. */
	readonly identity?: string | undefined;
	/** The device that it is of; absent where only images were given. */
	readonly device?: DiskDevice | undefined;
	/** Absent where it could not be opened: see `problem`. */
	readonly image?: ImageState | undefined;
	/** Why it, or an image of its chain, could not be opened or checked; with an image, what else is against reading it. */
	readonly problem?: Problem | undefined;
	/** Images beside it that are deltas of it, which the description does not name. */
	readonly deltas?: readonly string[] | undefined;
};

export type ImageState = {
	/** The id of its format. */
	readonly format: string;
	/** Virtual size in bytes. */
	readonly size: number;
	readonly sectorSize: 512 | 4096;
	/** Length of the file in bytes. */
	readonly fileSize: number;
	readonly info: ImageInfo;
	/** From the image to its base, at least itself. */
	readonly chain: readonly LayerState[];
};

/** One image of a chain. */
export type LayerState = {
	readonly path: string;
	readonly format: string;
	readonly info: ImageInfo;
	/** What the format's check found; absent where it has none. */
	readonly check?: CheckReport | undefined;
};

/**
 * A failure as data. `changed`: a parent is not what its child was made of; `denied`: the system does not let vconv read it; `device`: it
 * stands for a device of a host.
 */
export type Problem = {
	readonly kind: 'missing' | 'corrupt' | 'unsupported' | 'refused' | 'denied' | 'in-use' | 'changed' | 'device';
	readonly message: string;
	readonly path?: string | undefined;
	readonly offset?: number | undefined;
	readonly field?: string | undefined;
	readonly hint?: string | undefined;
};

/** What is known of the place where the machine is to run. */
export type HostFacts = {
	/** The folder that the disks go to, and what is free there in bytes. */
	readonly folder?: string | undefined;
	readonly free?: number | undefined;
	/** Largest file that its file system takes, in bytes. */
	readonly largestFile?: number | undefined;
	/** What the disks take there in the format that a target gets, by its id; without those that it does not take. */
	readonly needed?: Readonly<Record<string, readonly DiskNeed[]>> | undefined;
	/** What is written there at the most for all machines that move together, in bytes, by the target's id. */
	readonly together?: Readonly<Record<string, number>> | undefined;
	/** From `virsh domcapabilities`. */
	readonly capabilities?: DomainCapabilities | undefined;
};

/** What the image of a disk takes, at the most, in bytes. */
export type DiskNeed = {
	/** The disk's present image. */
	readonly path: string;
	/** Of the file, holes and all. */
	readonly length: number;
	/** Of what is written to it. */
	readonly written: number;
};

/** What a libvirt host says it can do: values by element, as libvirt names them. */
export type DomainCapabilities = {
	readonly path: string;
	readonly arch?: string | undefined;
	/** The machine type that all of it is about: `pc-q35-9.0`. */
	readonly machine?: string | undefined;
	readonly maxCpus?: number | undefined;
	/** `bios`, `efi`. */
	readonly firmware: readonly string[];
	readonly secureBoot: boolean;
	readonly cpuModes: readonly string[];
	readonly diskBuses: readonly string[];
	readonly videoModels: readonly string[];
	/** `emulator`, `passthrough`; empty where it has no TPM to give. */
	readonly tpmBackends: readonly string[];
};
