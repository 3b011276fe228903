import zlib from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { systemInflate } from '../../src/node/inflate.ts';
import { nodePacker } from '../../src/node/packer.ts';
import { patternBytes } from '../helpers/pattern.ts';
import { requires } from '../helpers/programs.ts';

const inflate = systemInflate();
const isThere = requires(inflate !== undefined, "koffi or the system's libdeflate is not installed");

const pack = { zlib: zlib.deflateSync, deflate: zlib.deflateRawSync };

const block = fc.oneof(
	fc.uint8Array({ minLength: 1, maxLength: 3000 }),
	fc.integer({ min: 1, max: 70_000 }).map((length) => new Uint8Array(length)),
	fc.tuple(fc.nat(1 << 20), fc.integer({ min: 1, max: 70_000 })).map(([at, length]) => Uint8Array.from(patternBytes(at, length))),
);
const packing = fc.record({
	level: fc.integer({ min: 0, max: 9 }),
	windowBits: fc.constantFrom(12, 15),
	strategy: fc.constantFrom(0, 2, 3, 4),
});
const method = fc.constantFrom('zlib' as const, 'deflate' as const);

test.skipIf(!isThere)('what Node packs comes out as it was, with as many bytes taken as it has, whatever follows', () => {
	fc.assert(
		fc.property(method, block, packing, fc.uint8Array({ maxLength: 9 }), (by, bytes, how, behind) => {
			const packed = pack[by](bytes, how);
			const output = new Uint8Array(bytes.length);
			expect(inflate?.(by, Buffer.concat([packed, behind]), output)).toBe(packed.length);
			expect(Buffer.compare(output, bytes)).toBe(0);
		}),
	);
});

test.skipIf(!isThere)('what fills too much or too little, or is cut, is left to Node', () => {
	const packed = zlib.deflateSync(Buffer.alloc(1000, 'abc'));
	const gives = (bytes: Uint8Array, size: number) => inflate?.('zlib', bytes, new Uint8Array(size));
	expect([gives(packed, 999), gives(packed, 1001), gives(packed.subarray(0, -1), 1000), gives(packed, 1000)]).toEqual([
		undefined,
		undefined,
		undefined,
		packed.length,
	]);
});

/** What Node gives; undefined where it refuses. It does so for two length symbols that libdeflate reads, whose bytes the checksum then proves. */
const given = (packed: Uint8Array): Buffer | undefined => {
	try {
		return zlib.inflateSync(packed);
	} catch {
		return undefined;
	}
};

test.skipIf(!isThere)('of what is damaged comes what Node gives, or what was packed, and nothing beyond the block', () => {
	const changes = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 3 });
	fc.assert(
		fc.property(block, packing, changes, (bytes, how, changed) => {
			const packed = pack.zlib(bytes, how);
			for (const [at, by] of changed) packed[at % packed.length] = (packed[at % packed.length] as number) ^ by;
			const output = new Uint8Array(bytes.length + 16).fill(0xa5);
			const taken = inflate?.('zlib', packed, output.subarray(0, bytes.length));
			expect(output.subarray(bytes.length)).toEqual(new Uint8Array(16).fill(0xa5));
			if (taken === undefined) return;
			expect(Buffer.compare(given(packed) ?? bytes, output.subarray(0, bytes.length))).toBe(0);
		}),
		{ numRuns: 300, examples: [[new Uint8Array(1550), { level: 1, windowBits: 12, strategy: 0 }, [[16, 192]]]] },
	);
});

test('a packer tells what is wrong with a stream, whichever way it unpacks', () => {
	const { unpack } = nodePacker();
	const packed = zlib.deflateSync(Buffer.alloc(1000, 'abc'));
	const damaged = Buffer.from(packed);
	damaged[packed.length - 1] = (damaged[packed.length - 1] as number) ^ 1;
	const unpacked = (bytes: Buffer, size: number) => unpack('zlib', bytes, 0, bytes.length, Buffer.alloc(size + 1), 0, size);
	expect(unpacked(packed, 1000)).toBe(packed.length);
	expect(() => unpacked(packed, 999)).toThrow('more than 999 bytes');
	expect(() => unpacked(packed, 1001)).toThrow('1000 of 1001 bytes');
	expect(() => unpacked(damaged, 1000)).toThrow('incorrect data check');
});
