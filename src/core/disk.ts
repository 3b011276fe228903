import type { VconvError } from '../errors.ts';
import type { Source } from './source.ts';

/** What the guest sees: a size and a map. A layer and a whole chain are both disks. */
export interface Disk {
	/** Virtual size in bytes. */
	readonly size: number;
	readonly sectorSize: 512 | 4096;
	/** The image that this one is a delta of. Its bytes show through wherever this one is absent. */
	readonly parent?: ParentReference | undefined;
	/** What a child of this image names to be sure of it: a VMDK's CID, a VHD's unique id, a VHDX's data write GUID. */
	readonly id?: string | undefined;
	/** What else a child may name for that: VirtualBox's UUIDs of a VMDK. */
	readonly otherIds?: readonly string[] | undefined;
	readonly info: ImageInfo;
	/** Its map comes with its bytes, from a pipe: ranges are asked for in ascending order, and each once. */
	readonly once?: boolean | undefined;
	/** Why there is no map, though the rest can be told: the image is encrypted. Only who asks for such images gets any. */
	readonly unreadable?: VconvError | undefined;
	/**
	 * The status of every byte of the range: ascending, adjoining, covering it exactly. Asked for lazily: a map of any
	 * size costs no more memory than one table of it.
	 * @throws CorruptError where a table contradicts the format.
	 */
	extents(guestOffset: number, length: number, signal?: AbortSignal): AsyncIterable<Extent>;
	close(): Promise<void>;
}

/** A run of guest bytes of one status. */
export type Extent = {
	/** Guest offset in bytes. */
	readonly offset: number;
	readonly length: number;
	/** How many layers beneath the top of the chain it was found; left out by a layer on its own. */
	readonly depth?: number;
} & Status;

export type Status = Zero | Absent | Data | Packed | Computed;

/** Reads as zeros. `beyond`: no image has it, for the parent that would ends before. `place`: what is kept for it, which nobody reads. */
export type Zero = { readonly kind: 'zero'; readonly beyond?: true; readonly place?: Place };

/** A place in a file, from host offset `at` of `source` on. */
type Place = { readonly source: Source; readonly at: number };

/** Nothing here: ask the parent; without one it reads as zeros. */
export type Absent = { readonly kind: 'absent' };

/** Stored as it is, in one piece, from host offset `at` of `source`. */
export type Data = { readonly kind: 'data' } & Place;

/** Stored compressed. The extent is the part from `skip` of a unit that unpacks to `unpacked` bytes. */
export type Packed = {
	readonly kind: 'packed';
	readonly source: Source;
	/** Host offset of the compressed bytes. */
	readonly at: number;
	/** How many bytes are stored; the stream may end before. */
	readonly stored: number;
	readonly method: PackMethod;
	/** What the whole unit unpacks to, in bytes. */
	readonly unpacked: number;
	/** Where in the unpacked unit this extent begins. */
	readonly skip: number;
};

/** What no map can say: a decryption, a block of a replayed log. */
export type Computed = {
	readonly kind: 'computed';
	/** The bytes of a part of the extent, by guest offset. */
	read(guestOffset: number, length: number, signal?: AbortSignal): Promise<Uint8Array>;
};

/** `deflate` is a raw stream (RFC 1951, QCOW2), `zlib` a wrapped one (RFC 1950, VMDK), `zstd` a frame (RFC 8878, QCOW2). */
export type PackMethod = 'deflate' | 'zlib' | 'zstd';

/** What a child knows of its parent. The id is what must match; the names are only where it last was. */
export type ParentReference = {
	/** As stored, the likeliest first. None where the format says only ids (VDI): it is then looked for in the image's folder. */
	readonly names: readonly string[];
	/** The parent's format by its id or alias here; left out where the child does not say it. */
	readonly format?: string | undefined;
	/** Any of these is the right parent. Empty where the format does not say. */
	readonly ids: readonly string[];
};

/** What `info` tells of an image beyond its size. Values are printed, never trusted. */
export type ImageInfo = {
	/** The format's name in qemu-img's output: `vpc` for VHD. */
	readonly format: string;
	/** The unit of allocation in bytes. */
	readonly clusterSize?: number | undefined;
	/** Units may be stored compressed, so that a mover does well to read whole ones. */
	readonly compressed?: boolean | undefined;
	readonly dirty?: boolean | undefined;
	readonly encrypted?: boolean | undefined;
	readonly snapshots?: readonly SnapshotInfo[] | undefined;
	/** What its dirty bitmaps would take in a QCOW2 of this cluster size, in bytes; left out where the format has none. */
	bitmapsSize?(clusterSize: number): number;
	/** The internal snapshot that is shown instead of the disk's present state. */
	readonly snapshot?: string | undefined;
	/** Fields of this format alone, named as qemu-img names them where it has them. */
	readonly specific?: { readonly type: string; readonly data: Readonly<Record<string, unknown>> } | undefined;
};

export type SnapshotInfo = {
	readonly id: string;
	readonly name: string;
	/** Size of the saved machine state in bytes. */
	readonly vmStateSize: number;
	readonly dateSeconds: number;
	readonly dateNanoseconds: number;
	/** Guest time since start, in nanoseconds. */
	readonly vmClockNanoseconds: bigint;
	/** Instructions executed, where the image says so. */
	readonly icount?: bigint | undefined;
};
