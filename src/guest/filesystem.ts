import type { BlockDevice } from './device.ts';

export type FileKind = 'file' | 'directory' | 'symlink' | 'other';

/** A file, directory or link of a file system, as it is stored; readers of file systems add what they need. */
export type FileNode = {
	/** What tells it from every other of its file system: the inode's number, the MFT record's, the first cluster's. */
	readonly id: number;
	readonly kind: FileKind;
	/** In bytes. */
	readonly size: number;
	/** Why its contents cannot be read, where that is known beforehand: `compressed by the Windows overlay filter (LZX)`. */
	readonly unreadable?: string | undefined;
	/** It may not be changed, whoever asks: `chattr +i`. */
	readonly immutable?: boolean | undefined;
};

/** What a directory says of something in it. */
export type DirectoryEntry = {
	readonly name: string;
	readonly id: number;
	/** Where the directory itself says it, as most do. */
	readonly kind?: FileKind | undefined;
};

/**
 * An opened file system, read only. Nothing of it is trusted: every method throws CorruptError for what contradicts the format and
 * UnsupportedError for what is not read (an encrypted directory), and does so within bounds of its own on depth, entries and lengths.
 * `.` and `..` are never listed.
 */
export type FileSystem<Node extends FileNode = FileNode, Entry extends DirectoryEntry = DirectoryEntry> = {
	/** As blkid says it: `ext4`, `vfat`, `ntfs`. */
	readonly type: string;
	readonly label?: string | undefined;
	/** As blkid and fstab spell it. */
	readonly uuid?: string | undefined;
	/** What the file system spans, in bytes. */
	readonly size: number;
	/** In bytes. */
	readonly blockSize: number;
	/** Bytes that are free, where that is cheap to know. */
	readonly free?: number | undefined;
	readonly freeInodes?: number | undefined;
	/** Whether it was unmounted in order; null where that is not known. */
	readonly clean: boolean | null;
	/** Why it is not clean and what else is peculiar, as short stable words: `needs-recovery`, `errors`, `hibernated`. */
	readonly state?: readonly string[] | undefined;
	/** Why some of its newest changes are not seen, where they are not. */
	readonly unseen?: string | undefined;
	/** Names are found whatever their case. */
	readonly caseInsensitive: boolean;
	root(): Promise<Node>;
	/** Everything in a directory, at most 250,000 entries. */
	list(directory: Node): Promise<readonly Entry[]>;
	/** Faster than listing, for file systems with an index; `list` is used where it is absent. */
	find?(directory: Node, name: string): Promise<Entry | undefined>;
	node(entry: Entry): Promise<Node>;
	/** Exactly `length` bytes of a file, which must be within its size and at most `LARGEST_READ`; holes are zeros. */
	read(file: Node, offset: number, length: number): Promise<Uint8Array>;
	/** What a symbolic link says, as stored. */
	readlink(link: Node): Promise<string>;
};

/** A kind of file system that vconv reads. */
export type FileSystemReader = {
	/** The types of volumes, as `signatures` says them, that it opens. */
	readonly types: readonly string[];
	/** @throws CorruptError or UnsupportedError if it cannot be read at all. */
	open(device: BlockDevice): Promise<FileSystem>;
};
