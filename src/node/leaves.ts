import type { LeafRun } from '../core/proof.ts';
import { BLOCK, blockLength, HASH, LEAF } from '../proof/leaves.ts';
import { chunkOf, type Slot } from './board.ts';
import { newSha256 } from './sha256.ts';
import { isZero, ZEROS } from './zeros.ts';

const PREFIX = Uint8Array.of(LEAF);

/**
 * Puts the leaves of a chunk into its slot, from the chunk's bytes. The blocks of the tree that it has a part of hold nothing but zeros around it.
 * @param size virtual size in bytes of the disk that is hashed.
 */
export const leafHasher =
	(size: number) =>
	(slot: Slot, bytes: Buffer): void => {
		const { guest, length } = chunkOf(slot);
		const first = Math.floor(guest / BLOCK);
		slot.leaves.fill(0);
		for (let block = first; block * BLOCK < guest + length; block++) {
			const start = Math.max(guest, block * BLOCK);
			const end = Math.min(guest + length, (block + 1) * BLOCK);
			if (isZero(bytes, start - guest, end - start)) continue;
			const hash = newSha256().update(PREFIX);
			const zeros = (count: number): void => {
				for (let left = count; left > 0; left -= ZEROS.length) hash.update(ZEROS.subarray(0, Math.min(left, ZEROS.length)));
			};
			zeros(start - block * BLOCK);
			hash.update(bytes.subarray(start - guest, end - guest));
			zeros(block * BLOCK + blockLength(size, block) - end);
			slot.leaves.set(hash.digest(), (block - first) * HASH);
		}
	};

/** The leaves of a chunk that is read. */
export const leavesOf = (slot: Slot): readonly LeafRun[] => {
	const { guest, length } = chunkOf(slot);
	const first = Math.floor(guest / BLOCK);
	const runs: LeafRun[] = [];
	for (let block = first, at = 0; block * BLOCK < guest + length; block++, at += HASH) {
		const hashes = slot.leaves.slice(at, at + HASH);
		if (hashes.some((byte) => byte !== 0)) runs.push({ block, hashes });
	}
	return runs;
};
