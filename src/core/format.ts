import type { Disk, PackMethod } from './disk.ts';
import type { Limits } from './limits.ts';
import type { Note } from './note.ts';
import type { Sink } from './sink.ts';
import type { Source, Stream } from './source.ts';
import type { Stamp } from './stamp.ts';

/** A disk image format. One of these per folder in formats/, listed once in formats/index.ts. */
export interface DiskFormat {
	/** What `-f` and `-O` say. */
	readonly id: string;
	/** Other names that `-f` and `-O` take. */
	readonly aliases: readonly string[];
	/** For people. */
	readonly name: string;
	/** Without the dot; the first is the usual one. */
	readonly extensions: readonly string[];
	/**
	 * Whether these bytes are this format's. Cheap: `head` is the first 4 KiB and `tail` the last 4 KiB (less where the file is
	 * smaller). It may claim a damaged image, so that the reader can say what is wrong with it.
	 */
	probe(head: Uint8Array, tail: Uint8Array, size: number): boolean;
	/**
	 * What a file of this name is, if it is a part of an image of this format and its bytes do not show it; and what to open instead.
	 */
	partOf?(name: string): { readonly what: string; readonly instead: string } | undefined;
	/**
	 * What a file of this name is an extent of, if the descriptor beside it, of this name, says so: an image of its own may be called the same.
	 */
	extentOf?(name: string): { readonly descriptor: string; isNamedIn(descriptor: Uint8Array): boolean } | undefined;
	/**
	 * One layer: the parent is named, not opened.
	 * @throws CorruptError, UnsupportedError, AccessError.
	 */
	open(source: Source, context: OpenContext): Promise<Disk>;
	/**
	 * The same from a pipe, read as it comes; absent: images are read here and there. The disk is read to its end, so that a stream
	 * which ends otherwise than it must is refused then.
	 */
	openStream?(stream: Stream, context: OpenContext): Promise<Disk>;
	/** Absent: this format can only be read. */
	readonly writer?: DiskWriter;
	/** Absent: there is nothing to check beyond opening it. */
	check?(source: Source, context: OpenContext): Promise<CheckReport>;
}

/** Everything an open may reach beyond its own bytes. */
export type OpenContext = {
	/**
	 * The gate to another file that the image names: an extent file, a data file.
	 * @throws AccessError where the reference is refused or the file is not there.
	 */
	follow(reference: string): Promise<Source>;
	/** Something the user should know, though it stops nothing. */
	note(note: Note): void;
	/** Unpack to exactly `size` bytes: for what a reader must look into itself. @throws Error if it yields more or fewer. */
	unpack(method: PackMethod, bytes: Uint8Array, size: number): Uint8Array;
	/** Show this internal snapshot instead of the present state: by its id, its name, or `snapshot.id=…` or `snapshot.name=…`. */
	readonly snapshot?: string | undefined;
	/** What is too much here; the usual limits where left out. */
	readonly limits?: Limits | undefined;
	readonly signal?: AbortSignal | undefined;
};

/** Lays out images of one format. */
export interface DiskWriter {
	/** What `-o name=value` may say. */
	readonly options: OptionTable;
	/**
	 * The sector sizes that its images can say they have, in bytes: 512 alone where left out. `unsaid`: an image has no place for it,
	 * and what the guest sees is up to the machine.
	 */
	readonly sectorSizes?: readonly (512 | 4096)[] | 'unsaid';
	/**
	 * Decide the layout of an image; nothing is written yet.
	 * @throws UsageError for options that cannot be, UnsupportedError for a disk that the format cannot hold.
	 */
	plan(request: WriteRequest): Layout;
}

export type WriteRequest = {
	/** Virtual size of the disk in bytes. */
	readonly size: number;
	readonly sectorSize: 512 | 4096;
	/** The plain name of the target file, for descriptors that name themselves. */
	readonly name: string;
	/** Checked against the option table, defaults filled in. */
	readonly options: OptionValues;
	/** Store blocks compressed where the format can. */
	readonly compress: boolean;
	/** Write a delta of this image: absent blocks are left out, zeros are said. */
	readonly backing?: BackingReference | undefined;
	readonly stamp: Stamp;
};

export type BackingReference = {
	/** What the image will call it. */
	readonly name: string;
	/** The same from the image's own folder, where `name` may be a path from the root. */
	readonly relative?: string | undefined;
	/** Its format's id. */
	readonly format: string;
	/** Virtual size in bytes. */
	readonly size: number;
	/** What identifies it, as `Disk.id` says it. */
	readonly id?: string | undefined;
};

export type OptionTable = Readonly<
	Record<string, { readonly default: string; readonly values?: readonly string[]; readonly help: string }>
>;
export type OptionValues = Readonly<Record<string, string>>;

/**
 * An image being laid out: an allocator and its tables. The mover asks, in guest order, where each block goes; `finish` then writes
 * the tables, and the header last, so that a torn file is never a valid one.
 */
export interface Layout {
	/** Virtual size in bytes of the image to be; at least the disk's. */
	readonly size: number;
	/** In bytes: what is tested for zeros, packed and placed as one. A power of two; the disk's last block may be shorter. */
	readonly block: number;
	/** How blocks are compressed; absent: they are stored as they are. */
	readonly packing?: Packing | undefined;
	/** Names of further files beside the main one (index 0), for the indexes 1, 2, … of `fileOf`. */
	readonly files?: readonly string[] | undefined;
	/** Blocks of zeros are written out too. */
	readonly dense?: boolean | undefined;
	/** Every guest byte is at this distance from its host byte, so that nothing needs placing: `place` is never called. */
	readonly fixedAt?: number | undefined;
	/**
	 * The host offset for a block. Called in guest order, once a block at the most.
	 * @param stored bytes that will be written there, with the frame of `packing` if it is packed.
	 */
	place(guestOffset: number, length: number, stored: number, packed: boolean): number;
	/** Blocks that read as zeros, in the same order. Present where the image must say so: over a backing file. */
	zero?(guestOffset: number, length: number): void;
	/** Which of the files holds this guest offset; absent: all is in the main one. A block is in one file. */
	fileOf?(guestOffset: number): number;
	/**
	 * What the main file begins with, where that does not depend on the guest's data: together with places that only go up, it lets a
	 * packed image be written front to back. `finish` writes the same once more.
	 */
	preface?(): Uint8Array;
	/**
	 * What the length of the files follows from, where that is only how much of the disk holds data, so that a disk of any size is
	 * measured at once; absent: it is laid out. Deltas are always laid out.
	 */
	readonly outline?: Outline | undefined;
	/** Write what is left, the header last. `sinks[0]` is the main file. */
	finish(sinks: readonly Sink[]): Promise<void>;
}

/** An image is room for data, in units, and others: headers, tables, what lies between. All sizes in bytes. */
export type Outline = {
	/** What data gets room in, all of it or none: a cluster, a grain, a block. */
	readonly unit: number;
	/** Every unit of the disk has its room, whether there is data in it or not. */
	readonly reserved?: boolean | undefined;
	/** What one table maps of the disk, where tables of nothing are left out. */
	readonly span?: number | undefined;
	/**
	 * All that is not room for data, in all files, if so many units and tables hold any.
	 * @throws UnsupportedError as `place` and `finish` would.
	 */
	others(units: number, tables: number): number;
};

export type Packing = {
	readonly method: PackMethod;
	/** The codec's own scale. */
	readonly level: number;
	/** The deflate window, 9 … 15: 12 is all that readers of QCOW2 promise. */
	readonly windowBits: number;
	/** Every block is packed, even where that makes it longer. Otherwise one that does not shrink is stored as it is. */
	readonly always: boolean;
	/** A block counts as shrunk if it packs to no more bytes than this. */
	readonly atMost: number;
	/** What goes around the packed bytes: these little-endian fields before, zeros behind up to a multiple of `align`. */
	readonly frame?: { readonly fields: readonly ('guestSector64' | 'length32')[]; readonly align: number } | undefined;
};

/** What `check` found: as data, for a check that finds ten things reports ten. */
export type CheckReport = {
	/** In the order in which they were found: as many of the first ones as a person would read. */
	readonly findings: readonly Finding[];
	/** How many findings there are besides. */
	readonly more: number;
	/** All findings by severity, in units of allocation: the sums of their `count`. */
	readonly counts: Readonly<Record<Finding['severity'], number>>;
	/** The first host byte that nothing uses, where the format can tell. */
	readonly imageEnd?: number | undefined;
	/** In units of allocation. */
	readonly blocks?:
		| { readonly total: number; readonly allocated: number; readonly fragmented: number; readonly compressed: number }
		| undefined;
};

export type Finding = {
	/** `error`: the guest's data is at risk. `leak`: space that nothing uses. `note`: odd, and harmless. */
	readonly severity: 'error' | 'leak' | 'note';
	/** Stable, for scripts, in kebab-case. */
	readonly code: string;
	readonly message: string;
	/** Host offset in bytes. */
	readonly offset?: number | undefined;
	/** How many units of allocation it stands for; 1 where left out. */
	readonly count?: number | undefined;
};
