import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { VconvError } from '../../src/errors.ts';
import { sha256 } from '../../src/node/sha256.ts';
import { type Proof, parseProof, printProof } from '../../src/proof/file.ts';
import { BLOCK, HASH, leafCollector } from '../../src/proof/leaves.ts';
import { effort } from '../helpers/effort.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

const proofWith = (virtualSize: number, runs: readonly (readonly [block: number, count: number])[]): Proof => {
	const collector = leafCollector(virtualSize, sha256);
	for (const [block, count] of runs) collector.add({ block, hashes: new Uint8Array(count * HASH).fill(1 + (block % 251)) });
	return {
		tool: 'vconv 1.0.0',
		created: '2026-01-02T03:04:05.000Z',
		source: 'web.vmdk',
		target: { name: 'web.qcow2', format: 'qcow2' },
		virtualSize,
		root: new Uint8Array(HASH).fill(7),
		leaves: collector.leaves(),
	};
};

test('what is printed is read again', () => {
	fc.assert(
		fc.property(
			fc.integer({ min: 1, max: 3000 * BLOCK }),
			fc.array(fc.tuple(fc.nat(2999), fc.nat(900)), { maxLength: 5 }),
			(size, some) => {
				const blocks = Math.ceil(size / BLOCK);
				let next = 0;
				const runs: [number, number][] = [];
				for (const [block, count] of some.sort(([a], [b]) => a - b)) {
					const fits = Math.min(count, blocks - block);
					if (block < next || fits <= 0) continue;
					runs.push([block, fits]);
					next = block + fits + 1;
				}
				const proof = proofWith(size, runs);
				const read = parseProof(bytesOf(printProof(proof)), 'p');
				expect({ ...read, leaves: undefined }).toEqual({ ...proof, leaves: undefined });
				const joined = leafCollector(size, sha256);
				for (const run of read.leaves?.runs ?? []) joined.add(run);
				const asText = (p: Proof['leaves']) => p?.runs.map(({ block, hashes }) => [block, Buffer.from(hashes).toString('hex')]);
				expect(asText(joined.leaves())).toEqual(asText(proof.leaves));
			},
		),
		{ numRuns: 20 },
	);
});

test('a disk with more data than a proof has room for has a proof without its leaves', () => {
	const size = 2 ** 41;
	const printed = printProof(proofWith(size, [[5, 2 ** 20 + 1]]));
	expect(printed.length).toBeLessThan(1000);
	expect(parseProof(bytesOf(printed), 'p').leaves).toBeUndefined();
	const scattered = proofWith(
		size,
		Array.from({ length: 2 ** 16 }, (_, i) => [2 * i, 1] as const),
	);
	expect(parseProof(bytesOf(printProof(scattered)), 'p').leaves).toBeUndefined();
});

describe('refused, with the field:', () => {
	const good = JSON.parse(printProof(proofWith(10 * BLOCK, [[2, 2]])));
	test.for<[string, (proof: typeof good) => unknown, { field: string; exitCode: number }]>([
		['a later version', (p) => ({ ...p, v: 2 }), { field: 'v', exitCode: 3 }],
		['no version', ({ v, ...p }) => p, { field: 'v', exitCode: 4 }],
		['another tree', (p) => ({ ...p, tree: { ...p.tree, algorithm: 'blake3' } }), { field: 'tree.algorithm', exitCode: 3 }],
		['a field too many', (p) => ({ ...p, more: 1 }), { field: 'more', exitCode: 4 }],
		['a name that is none', (p) => ({ ...p, source: { name: 5 } }), { field: 'source.name', exitCode: 4 }],
		['a size that is none', (p) => ({ ...p, virtualSize: 1.5 }), { field: 'virtualSize', exitCode: 4 }],
		['a size beyond 2^53', (p) => ({ ...p, virtualSize: 2 ** 60 }), { field: 'virtualSize', exitCode: 4 }],
		['a short root', (p) => ({ ...p, tree: { ...p.tree, root: 'ab' } }), { field: 'tree.root', exitCode: 4 }],
		['too few leaves', (p) => ({ ...p, tree: { ...p.tree, leaves: [['z', 9]] } }), { field: 'tree.leaves', exitCode: 4 }],
		['too many leaves', (p) => ({ ...p, tree: { ...p.tree, leaves: [['z', 2 ** 50]] } }), { field: 'tree.leaves', exitCode: 4 }],
		['half a leaf', (p) => ({ ...p, tree: { ...p.tree, leaves: [['h', 'AAAA']] } }), { field: 'tree.leaves', exitCode: 4 }],
		['no base64', (p) => ({ ...p, tree: { ...p.tree, leaves: [['h', '%']] } }), { field: 'tree.leaves', exitCode: 4 }],
		['a list', () => [], { field: '', exitCode: 4 }],
	])('%s', ([, change, error]) => {
		let thrown: unknown;
		try {
			parseProof(bytesOf(JSON.stringify(change(good))), 'p.vconv.json');
		} catch (caught) {
			thrown = caught;
		}
		expect(thrown).toMatchObject({ ...error, path: 'p.vconv.json' });
	});
});

test('whatever is damaged in it, it is a proof or it is refused', () => {
	const good = bytesOf(printProof(proofWith(10 * BLOCK, [[2, 2]])));
	fc.assert(
		fc.property(fc.nat(good.length - 1), fc.integer({ min: 0, max: 255 }), fc.boolean(), (at, byte, cut) => {
			const damaged = cut ? good.slice(0, at) : good.slice();
			if (!cut) damaged[at] = byte;
			try {
				parseProof(damaged, 'p');
			} catch (error) {
				expect(error).toBeInstanceOf(VconvError);
			}
		}),
		{ numRuns: 500 },
	);
});

test.for([
	['64 MiB of brackets', '[', 64 * BLOCK],
	['more than 64 MiB', ' ', 64 * BLOCK + 1],
] as const)('%s are refused soon', ([, character, length]) => {
	const spent = effort();
	expect(() => parseProof(new Uint8Array(length).fill(character.charCodeAt(0)), 'p')).toThrow(VconvError);
	expect(spent()).toBeLessThan(2000);
});
