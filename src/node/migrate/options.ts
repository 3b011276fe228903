import type { OptionValues } from '../../core/format.ts';
import type { Progress } from '../../core/mover.ts';
import type { Note } from '../../core/note.ts';
import type { MigrateOptions } from '../../machine/migrate/options.ts';
import type { ToVmxOptions } from '../../machine/migrate/to-vmx-context.ts';
import type { ReadingOptions } from './disks.ts';
import type { MachineOptions } from './machine.ts';

/** Where a machine can go: what its description becomes, and what its disks do. */
export const DESTINATIONS = {
	libvirt: { form: 'libvirt', profile: 'libvirt', format: 'qcow2', product: undefined },
	esxi: { form: 'vmx', profile: 'esxi', format: 'vmdk', product: 'esxi' },
	workstation: { form: 'vmx', profile: undefined, format: 'vmdk', product: 'hosted' },
} as const;

export type Destination = keyof typeof DESTINATIONS;

export type PlanOptions = Omit<ReadingOptions, 'formats'> &
	Pick<MachineOptions, 'allowRunning' | 'discardSuspend'> & {
		readonly to: Destination;
		/** What the machine is called there; as it is called now, where left out. The names of files follow. */
		readonly name?: string | undefined;
		/** Of its disks, as `ConvertOptions` has them; what the destination likes best where left out. */
		readonly format?: string | undefined;
		readonly options?: OptionValues | undefined;
		readonly compress?: boolean | undefined;
		/** How a machine of KVM is made. `imageFolder` is where the disks will be on the host; the target folder where left out. */
		readonly kvm?: Omit<MigrateOptions, 'drives' | 'guest' | 'snapshots' | 'discardSuspend'> | undefined;
		/** How a machine of VMware's is made. */
		readonly vmware?: Omit<ToVmxOptions, 'images' | 'product'> | undefined;
		/** Look at what is on the disks, and choose devices by that; true where left out. */
		readonly inspect?: boolean | undefined;
		/** Ids of rules whose concerns do not stop the move, critical as they are: see `vconv validate`. */
		readonly accept?: readonly string[] | undefined;
		/** Read every copy again and compare it with what was read of its source; true where left out. */
		readonly verify?: boolean | undefined;
	};

export type RunOptions = {
	/** Replace what has one of the names already. */
	readonly force?: boolean | undefined;
	/** Forget what an interrupted migration has left. */
	readonly restart?: boolean | undefined;
	/** Begin even if the disks may not fit. */
	readonly skipSpaceCheck?: boolean | undefined;
	/** How many threads work on a disk. */
	readonly threads?: number | undefined;
	/** Bytes of all disks: half of a disk counts when it is written, and the other when it is compared. */
	onProgress?(progress: Progress): void;
	/** What the user should know, though it stops nothing. */
	onNote?(note: Note): void;
	/** Hears that a folder with what is done was left, for the same call to go on with. */
	onKept?(folder: string): void;
};
