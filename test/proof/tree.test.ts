import { webcrypto } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hexDigits } from '../../src/bytes/hex.ts';
import { pakoCodec } from '../../src/engine/pako.ts';
import { portableMover } from '../../src/engine/portable.ts';
import { sha256 } from '../../src/node/sha256.ts';
import { hashDisk } from '../../src/proof/hash.ts';
import { decodeLeaves, encodeLeaves } from '../../src/proof/leaf-bytes.ts';
import { BLOCK, eachLeaf, firstDifference, HASH, type Leaves, leafCollector } from '../../src/proof/leaves.ts';
import { treeRoot } from '../../src/proof/tree.ts';
import { effort } from '../helpers/effort.ts';
import { memoryDisk, patternBytes, patternDisk } from '../helpers/pattern.ts';
import { slowNodes, slowRoot } from '../helpers/tree.ts';

const runs = (usual: number) => ({ numRuns: process.env['VCONV_THOROUGH'] ? usual * 20 : usual });
const mover = portableMover(pakoCodec);

const webSha256 = async (bytes: Uint8Array): Promise<Uint8Array> =>
	new Uint8Array(await webcrypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>));

test('the root is that of a tree built by its description, for disks of any size, whoever hashes', async () => {
	const sizes = fc.oneof(
		fc.integer({ min: 0, max: 5 * BLOCK }),
		fc.integer({ min: 0, max: 5 }).map((blocks) => blocks * BLOCK),
	);
	const data = fc.array(fc.tuple(fc.integer({ min: 0, max: 5 * BLOCK }), fc.integer({ min: 1, max: BLOCK })), { maxLength: 3 });
	await fc.assert(
		fc.asyncProperty(sizes, data, fc.boolean(), async (size, runs, web) => {
			const bytes = new Uint8Array(size);
			for (const [at, length] of runs) if (at < size) bytes.set(patternBytes(at, Math.min(length, size - at)), at);
			const hash = web ? webSha256 : sha256;
			expect(hexDigits(await treeRoot(await hashDisk(memoryDisk(bytes), { mover, sha256: hash }), hash))).toBe(slowRoot(bytes));
		}),
		runs(12),
	);
});

/** Leaves of a disk of so many blocks, of which those with these numbers hold data. */
const leavesOf = (size: number, blocks: ReadonlyMap<number, number>): Leaves => {
	const collector = leafCollector(size, sha256);
	for (const [block, mark] of [...blocks].sort(([a], [b]) => a - b)) collector.add({ block, hashes: new Uint8Array(HASH).fill(mark) });
	return collector.leaves();
};

const someLeaves = fc
	.integer({ min: 1, max: 70 })
	.chain((count) =>
		fc.tuple(
			fc.integer({ min: (count - 1) * BLOCK + 1, max: count * BLOCK }),
			fc.array(fc.tuple(fc.nat(count - 1), fc.integer({ min: 1, max: 3 })), { maxLength: count }),
		),
	);

test('where blocks of zeros are is no matter for the root', async () => {
	await fc.assert(
		fc.asyncProperty(someLeaves, async ([size, blocks]) => {
			const leaves = leavesOf(size, new Map(blocks));
			const count = Math.ceil(size / BLOCK);
			const zeros = (length: number) => Buffer.from(sha256(new Uint8Array(1 + length)));
			const whole = zeros(BLOCK);
			const all = Array.from({ length: count }, (_, i) => (i === count - 1 ? zeros(size - i * BLOCK) : whole));
			for (const { block, hash } of eachLeaf(leaves)) all[block] = Buffer.from(hash);
			expect(hexDigits(await treeRoot(leaves, sha256))).toBe(slowNodes(all).toString('hex'));
		}),
		runs(40),
	);
});

test('the first blocks that differ are found, as far as they adjoin', () => {
	fc.assert(
		fc.property(someLeaves, fc.array(fc.tuple(fc.nat(69), fc.nat(3)), { maxLength: 4 }), ([size, blocks], changes) => {
			const before = new Map(blocks);
			const after = new Map(blocks);
			for (const [block, mark] of changes) {
				if (block * BLOCK >= size) continue;
				if (mark === 0) after.delete(block);
				else after.set(block, mark);
			}
			const differs = (block: number) => before.get(block) !== after.get(block);
			const block = Array.from({ length: 70 }, (_, i) => i).find(differs);
			let count = 0;
			while (block !== undefined && differs(block + count)) count++;
			expect(firstDifference(leavesOf(size, before), leavesOf(size, after))).toEqual(block === undefined ? undefined : { block, count });
		}),
	);
});

test('a block that is told again counts as it is told last', () => {
	const collector = leafCollector(9 * BLOCK, sha256);
	const hashes = (...marks: number[]) => Uint8Array.from(marks.flatMap((mark) => Array<number>(HASH).fill(mark)));
	collector.add({ block: 1, hashes: hashes(1, 2, 3, 4, 5) });
	collector.add({ block: 3, hashes: hashes(6) });
	collector.add({ block: 7, hashes: hashes(7) });
	collector.add({ block: 7, hashes: hashes(8) });
	expect(collector.leaves().runs).toEqual([
		{ block: 1, hashes: hashes(1, 2, 6) },
		{ block: 7, hashes: hashes(8) },
	]);
	const { runs } = collector.leaves();
	expect([...decodeLeaves(encodeLeaves(runs))]).toEqual(runs);
});

test('64 TiB cost nothing where they are zeros', async () => {
	const size = 64 * 2 ** 40;
	const spent = effort();
	const sparse = await hashDisk(patternDisk({ size, data: [[2 ** 45 + 5, 4096]] }), { mover, sha256 });
	expect(sparse.runs).toMatchObject([{ block: 2 ** 25 }]);
	expect(hexDigits(await treeRoot(sparse, sha256))).toMatch(/^[0-9a-f]{64}$/);
	expect(spent()).toBeLessThan(2000);
});
