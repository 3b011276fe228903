import type { Disk } from '../../../src/core/disk.ts';
import type { DiskFormat } from '../../../src/core/format.ts';
import { type WriteOptions, writeImage } from '../../helpers/image.ts';

export const MiB = 1 << 20;

/** Contents of files, by their names. */
export type Files = Readonly<Record<string, Uint8Array | string>>;

/** An image that a converter may read wrongly without a word. */
export type Case = {
	/** By this name docs/never-silently-wrong.md has it too. */
	readonly image: string;
	/** What the guest's disk holds; where an image names a file that is none of its business, what that file holds. */
	readonly disk: Disk;
	/** The image, and what it needs beside it. */
	files(): Promise<Files>;
	readonly vconv: 'right' | { readonly code: number; readonly says: string };
	readonly qemu: Outcome;
	/** What comes out after `qemu-img check -r all` of a copy. */
	readonly repaired?: Outcome;
};

/**
 * What `qemu-img convert` 7.2 makes of it: with exit code 0 a disk of this size, and the guest offset of its first wrong sector, if there
 * is one; or what it says when it refuses.
 */
type Outcome = { readonly size: number; readonly wrongAt?: number } | { readonly says: string };

/** The first file of a disk written by vconv. */
export const imageOf = async (format: DiskFormat, disk: Disk, options: WriteOptions = {}): Promise<Uint8Array> => {
	const [sink] = (await writeImage(format, disk, options)).values();
	if (!sink) throw new Error('nothing was written');
	return sink.source().read(0, sink.size);
};

/** A copy with changes. */
export const edited = (bytes: Uint8Array, edit: (view: DataView, bytes: Uint8Array) => void): Uint8Array => {
	const copy = bytes.slice();
	edit(new DataView(copy.buffer), copy);
	return copy;
};
