import type { OptionValues } from '../../core/format.ts';
import type { Note } from '../../core/note.ts';
import type { DiskDevice } from '../../machine/spec.ts';

/** A disk, and the image that it becomes. */
export type PlannedDisk = {
	/** As the source has it. */
	readonly device: DiskDevice;
	/** The image and its parents, by name, the top first. */
	readonly chain: readonly string[];
	/** The id of the image's format. */
	readonly from: string;
	/** Virtual size in bytes. */
	readonly size: number;
	/** The names of its files in the folder, the one that the description names first. */
	readonly files: readonly [string, ...string[]];
	readonly format: string;
	readonly options: OptionValues;
	/** Bytes that it takes at the most. */
	readonly bytes: number;
	/** The device that it is in the new machine. */
	readonly becomes?: DiskDevice | undefined;
	/** See `OpenDisk.versions`. */
	readonly versions: readonly string[] | undefined;
	/** The id of the disk, as a VMDK has it. */
	readonly uuid?: string | undefined;
	readonly notes: readonly Note[];
};
