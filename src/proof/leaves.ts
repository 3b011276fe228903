import { isZero } from '../bytes/align.ts';
import type { LeafRun, LeafTaker, Sha256 } from '../core/proof.ts';

/** Bytes of the guest's disk that a leaf stands for; the last block may be shorter. */
export const BLOCK = 1024 * 1024;

/** Bytes of a hash. */
export const HASH = 32;

/** What a leaf's bytes begin with, so that no leaf can pass for a node (RFC 9162, section 2.1.1). */
export const LEAF = 0x00;

/** The leaves of a disk; what is not in a run is a block of zeros. */
export type Leaves = {
	/** Virtual size in bytes. */
	readonly size: number;
	/** Ascending, apart from each other. */
	readonly runs: readonly LeafRun[];
};

/** Bytes of the disk that a block has. */
export const blockLength = (size: number, block: number): number => Math.min(BLOCK, size - block * BLOCK);

/** Collects the leaves of a disk of this size. */
export const leafCollector = (size: number, sha256: Sha256): LeafTaker & { leaves(): Leaves } => {
	const runs: { block: number; count: number; hashes: Uint8Array }[] = [];

	const put = (block: number, hash: Uint8Array): void => {
		let last = runs.at(-1);
		// Told again: what was told of it and behind it is of an earlier attempt.
		while (last && last.block + last.count > block) {
			last.count = Math.max(0, block - last.block);
			if (last.count === 0) runs.pop();
			last = runs.at(-1);
		}
		if (last?.block === undefined || last.block + last.count !== block) {
			last = { block, count: 0, hashes: new Uint8Array(4 * HASH) };
			runs.push(last);
		}
		const at = last.count * HASH;
		if (at === last.hashes.length) {
			const more = new Uint8Array(2 * at);
			more.set(last.hashes);
			last.hashes = more;
		}
		last.hashes.set(hash, at);
		last.count++;
	};

	return {
		size,
		sha256,
		add({ block, hashes }) {
			for (let at = 0; at < hashes.length; at += HASH) put(block + at / HASH, hashes.subarray(at, at + HASH));
		},
		leaves: () => ({ size, runs: runs.map(({ block, count, hashes }) => ({ block, hashes: hashes.subarray(0, count * HASH) })) }),
	};
};

/**
 * Hash what was read of a disk: `bytes` from `guestOffset`, around which the blocks that it has a part of hold nothing but zeros. Blocks of zeros
 * are passed over.
 */
export const hashBytes = async ({ sha256, size, add }: LeafTaker, guestOffset: number, bytes: Uint8Array): Promise<readonly LeafRun[]> => {
	const runs: LeafRun[] = [];
	const end = guestOffset + bytes.length;
	for (let block = Math.floor(guestOffset / BLOCK); block * BLOCK < end; block++) {
		const start = Math.max(guestOffset, block * BLOCK);
		const part = bytes.subarray(start - guestOffset, Math.min(end, (block + 1) * BLOCK) - guestOffset);
		if (isZero(part)) continue;
		const whole = new Uint8Array(1 + blockLength(size, block));
		whole[0] = LEAF;
		whole.set(part, 1 + start - block * BLOCK);
		runs.push({ block, hashes: await sha256(whole) });
	}
	for (const run of runs) add(run);
	return runs;
};

/** Blocks that adjoin, by their numbers. */
export type BlockRange = { readonly block: number; readonly count: number };

/** The first blocks in which two disks of one size differ; undefined if there are none. */
export const firstDifference = (a: Leaves, b: Leaves): BlockRange | undefined => {
	const [left, right] = [eachLeaf(a), eachLeaf(b)];
	let [x, y] = [left.next().value, right.next().value];
	let range: { block: number; count: number } | undefined;
	while (x || y) {
		const block = Math.min(x?.block ?? Number.POSITIVE_INFINITY, y?.block ?? Number.POSITIVE_INFINITY);
		const [hash, other] = [x?.block === block ? x.hash : undefined, y?.block === block ? y.hash : undefined];
		if (range && block !== range.block + range.count) return range;
		if (!hash || !other || !isSame(hash, other)) {
			range ??= { block, count: 0 };
			range.count++;
		} else if (range) return range;
		if (hash) x = left.next().value;
		if (other) y = right.next().value;
	}
	return range;
};

/** The leaves that are in runs, one by one. */
export function* eachLeaf({ runs }: Pick<Leaves, 'runs'>): Generator<{ readonly block: number; readonly hash: Uint8Array }, undefined> {
	for (const { block, hashes } of runs) {
		for (let at = 0; at < hashes.length; at += HASH) yield { block: block + at / HASH, hash: hashes.subarray(at, at + HASH) };
	}
}

/** Whether two hashes are the same. */
export const isSame = (a: Uint8Array, b: Uint8Array): boolean => a.every((byte, i) => byte === b[i]);
