import type { Disk } from '../core/disk.ts';
import { CorruptError } from '../errors.ts';
import type { Proof } from './file.ts';
import { type HashOptions, hashDisk } from './hash.ts';
import { BLOCK, firstDifference, isSame, type Leaves } from './leaves.ts';
import { treeRoot } from './tree.ts';

/** In what a disk is not what it should be. */
export type Mismatch =
	| { readonly kind: 'size'; readonly size: number; readonly expected: number }
	/** In bytes of the guest, whole blocks of the tree: the first that differ, as far as they adjoin. */
	| { readonly kind: 'content'; readonly guestOffset: number; readonly length: number };

/**
 * In what a disk is not the one that was proved; undefined if it is that.
 * @param path the file of the proof, for messages.
 * @throws CorruptError for a proof that contradicts itself; otherwise as reading the disk does.
 */
export const verifyDisk = async (disk: Disk, proof: Proof, path: string, options: HashOptions): Promise<Mismatch | undefined> => {
	const { sha256 } = options;
	if (proof.leaves && !isSame(await treeRoot(proof.leaves, sha256), proof.root)) {
		throw new CorruptError('its root is not that of its leaves', { path, field: 'tree.root', hint: 'a fresh copy of the proof' });
	}
	if (disk.size !== proof.virtualSize) return { kind: 'size', size: disk.size, expected: proof.virtualSize };
	const leaves = await hashDisk(disk, options);
	if (proof.leaves) return contentMismatch(proof.leaves, leaves);
	return isSame(await treeRoot(leaves, sha256), proof.root) ? undefined : { kind: 'content', guestOffset: 0, length: disk.size };
};

/** Where two disks of one size differ first. */
export const contentMismatch = (expected: Leaves, leaves: Leaves): (Mismatch & { readonly kind: 'content' }) | undefined => {
	const range = firstDifference(expected, leaves);
	if (!range) return undefined;
	const guestOffset = range.block * BLOCK;
	return { kind: 'content', guestOffset, length: Math.min(range.count * BLOCK, leaves.size - guestOffset) };
};
