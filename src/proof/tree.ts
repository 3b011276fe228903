import type { Sha256 } from '../core/proof.ts';
import { BLOCK, blockLength, eachLeaf, HASH, LEAF, type Leaves } from './leaves.ts';

/** The name of the tree: SHA-256 over blocks of 1 MiB. */
export const TREE = 'vconv-tree-sha256-1m';

/** What the bytes of a node begin with. */
const NODE = 0x01;

/** The nodes of one level that are not the root of zeros alone, by their numbers; the last one of the level is always among them. */
type Level = { readonly numbers: readonly number[]; readonly hashes: Uint8Array };

/**
 * The root of the tree over a disk: a leaf is SHA-256(0x00 ‖ block), a node SHA-256(0x01 ‖ left ‖ right), and the last node of an odd number goes
 * up as it is. It does not depend on how the disk is stored, and costs nothing for zeros; a disk of no bytes has SHA-256 of nothing. 32 bytes.
 */
export const treeRoot = async (leaves: Leaves, sha256: Sha256): Promise<Uint8Array> => {
	let count = Math.ceil(leaves.size / BLOCK);
	if (count === 0) return sha256(new Uint8Array());
	/** The root of a whole tree of zeros, as high as the level. */
	let zeros = await sha256(zeroLeaf(BLOCK));
	let level = await bottom(leaves, count, sha256);
	while (count > 1) {
		level = await above(level, count, zeros, sha256);
		zeros = await sha256(node(zeros, zeros));
		count = Math.ceil(count / 2);
	}
	return level.hashes;
};

const zeroLeaf = (length: number): Uint8Array => new Uint8Array(1 + length).fill(LEAF, 0, 1);

const node = (left: Uint8Array, right: Uint8Array): Uint8Array => {
	const bytes = new Uint8Array(1 + 2 * HASH);
	bytes[0] = NODE;
	bytes.set(left, 1);
	bytes.set(right, 1 + HASH);
	return bytes;
};

const bottom = async (leaves: Leaves, count: number, sha256: Sha256): Promise<Level> => {
	const numbers: number[] = [];
	const hashes: Uint8Array[] = [];
	for (const { block, hash } of eachLeaf(leaves)) {
		numbers.push(block);
		hashes.push(hash);
	}
	// The last block may be shorter, and then its zeros have another hash.
	if (numbers.at(-1) !== count - 1) {
		numbers.push(count - 1);
		hashes.push(await sha256(zeroLeaf(blockLength(leaves.size, count - 1))));
	}
	const joined = new Uint8Array(hashes.length * HASH);
	for (const [i, hash] of hashes.entries()) joined.set(hash, i * HASH);
	return { numbers, hashes: joined };
};

const above = async ({ numbers, hashes }: Level, count: number, zeros: Uint8Array, sha256: Sha256): Promise<Level> => {
	const hashOf = (i: number): Uint8Array => hashes.subarray(i * HASH, (i + 1) * HASH);
	const parents: number[] = [];
	const joined = new Uint8Array(hashes.length);
	for (let i = 0; i < numbers.length; i++) {
		const number = numbers[i] as number;
		const isLeft = number % 2 === 0;
		const paired = isLeft && numbers[i + 1] === number + 1;
		const own = hashOf(i);
		const hash = isLeft && number === count - 1 ? own : await sha256(isLeft ? node(own, paired ? hashOf(i + 1) : zeros) : node(zeros, own));
		joined.set(hash, parents.length * HASH);
		parents.push(Math.floor(number / 2));
		if (paired) i++;
	}
	return { numbers: parents, hashes: joined.subarray(0, parents.length * HASH) };
};
