import zlib from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { deflater } from '../../src/deflate/deflater.ts';
import { packRoom } from '../../src/engine/frame.ts';

const own = deflater();
const MOST = 2 ** 21;

const pack = (
	bytes: Uint8Array,
	windowBits = 12,
	level = 4,
	room = packRoom(bytes.length),
	method: 'deflate' | 'zlib' = 'deflate',
): Buffer => {
	const output = Buffer.alloc(room);
	return output.subarray(0, own.pack({ method, windowBits, level }, bytes, 0, bytes.length, output, 0, room));
};

/** By zlib, which keeps no more than its window from one chunk to the next. */
const unpacked = (bytes: Buffer, windowBits: number): Buffer => zlib.inflateRawSync(bytes, { windowBits, chunkSize: 512 });

const noise = (length: number, symbols = 256): Buffer => {
	const bytes = Buffer.alloc(length);
	for (let at = 0, state = 1; at < length; at++) {
		state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
		bytes[at] = (state >>> 8) % symbols;
	}
	return bytes;
};

/** Each sequence of `order` symbols once: nothing repeats until all have been there. */
const deBruijn = (symbols: number, order: number): Buffer => {
	const word = new Array<number>(order + 1).fill(0);
	const bytes: number[] = [];
	const extend = (length: number, period: number): void => {
		if (length > order) {
			if (order % period === 0) bytes.push(...word.slice(1, period + 1));
			return;
		}
		word[length] = word[length - period] as number;
		extend(length + 1, period);
		for (let symbol = (word[length - period] as number) + 1; symbol < symbols; symbol++) {
			word[length] = symbol;
			extend(length + 1, length);
		}
	};
	extend(1, 1);
	return Buffer.from(bytes);
};

/** Bytes of which byte `n` occurs as often as the nth Fibonacci number: codes for them would be as long as they can be. */
const fibonacci = (): Buffer => {
	const parts: Buffer[] = [];
	for (let [now, next, byte] = [1, 1, 0]; byte < 24; [now, next, byte] = [next, now + next, byte + 1]) parts.push(Buffer.alloc(now, byte));
	const runs = Buffer.concat(parts);
	const mixed = Buffer.alloc(runs.length);
	for (let at = 0; at < runs.length; at++) mixed[(at * 75_011) % runs.length] = runs[at] as number;
	return mixed;
};

const text = Buffer.from(
	Array.from({ length: 20_000 }, (_, line) => `line ${line * line}: ${'the quick brown fox'.slice(line % 17)}\n`).join(''),
);

const SAMPLES: readonly (readonly [string, Buffer])[] = [
	['nothing', Buffer.alloc(0)],
	['a byte', Buffer.from([7])],
	['three bytes', Buffer.from('abc')],
	['seven bytes', Buffer.from('abcabca')],
	['all bytes', Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))],
	['64 KiB of one byte', Buffer.alloc(65536, 'x')],
	['2 MiB of one byte', Buffer.alloc(MOST, 255)],
	['two bytes in turn', Buffer.alloc(65536, 'ab')],
	['a period of the window', Buffer.alloc(200_000, noise(4096))],
	['a period one longer than the window', Buffer.alloc(200_000, noise(4097))],
	['a period of 32 KiB', Buffer.alloc(200_000, noise(32768))],
	['a period of 64 KiB', Buffer.alloc(400_000, noise(65536))],
	['noise', noise(65536)],
	['2 MiB of noise', noise(MOST)],
	['noise of four symbols', noise(100_000, 4)],
	['2 MiB of noise of two symbols', noise(MOST, 2)],
	['a de Bruijn sequence of bits', deBruijn(2, 16)],
	['a de Bruijn sequence of bytes', deBruijn(256, 2)],
	['Fibonacci counts', fibonacci()],
	['text', text],
	['text between noise and zeros', Buffer.concat([noise(30_000), text.subarray(0, 20_000), Buffer.alloc(15_000), noise(9_000, 7)])],
	['2 MiB of text', Buffer.alloc(MOST, text)],
];

describe('our own deflate', () => {
	test.each(SAMPLES)('of %s is what zlib inflates', (_name, bytes) => {
		for (const windowBits of [12, 15]) {
			for (const level of [1, 4, 9]) {
				if (level === 9 && bytes.length > 500_000) continue;
				expect(unpacked(pack(bytes, windowBits, level), windowBits).equals(bytes)).toBe(true);
			}
		}
	});

	test('is right for any bytes, window and level', () => {
		const piece = fc.oneof(
			fc.uint8Array({ maxLength: 300 }),
			fc
				.tuple(fc.uint8Array({ minLength: 1, maxLength: 20 }), fc.integer({ min: 1, max: 6000 }))
				.map(([unit, size]) => Buffer.alloc(size, unit)),
			fc.tuple(fc.integer({ min: 0, max: 9000 }), fc.integer({ min: 1, max: 256 })).map(([size, symbols]) => noise(size, symbols)),
			fc.integer({ min: 0, max: 9000 }).map((size) => text.subarray(size, 2 * size)),
		);
		fc.assert(
			fc.property(
				fc.array(piece, { maxLength: 12 }),
				fc.integer({ min: 9, max: 15 }),
				fc.integer({ min: 1, max: 9 }),
				(pieces, windowBits, level) => {
					const bytes = Buffer.concat([...pieces, ...pieces]);
					expect(unpacked(pack(bytes, windowBits, level), windowBits).equals(bytes)).toBe(true);
				},
			),
			{ numRuns: 300 },
		);
	});

	test('finds what is as far away as the window goes, and nothing further', () => {
		for (const windowBits of [9, 12, 15]) {
			const packed = (distance: number): number => pack(Buffer.alloc(4 * distance, noise(distance)), windowBits, 4).length;
			expect(packed(2 ** windowBits)).toBeLessThan(1.2 * 2 ** windowBits);
			expect(packed(2 ** windowBits + 1)).toBeGreaterThan(3.9 * 2 ** windowBits);
		}
	});

	test('does not depend on what was deflated before', () => {
		const alone = (): Buffer => {
			const output = Buffer.alloc(70_000);
			return output.subarray(0, deflater().pack({ method: 'deflate', windowBits: 15, level: 4 }, text, 0, 65536, output, 0, 70_000));
		};
		for (const [, bytes] of SAMPLES) pack(bytes, 15, 1);
		expect(pack(text.subarray(0, 65536), 15, 4).equals(alone())).toBe(true);
	});

	test('writes nothing outside the room it is given, and says so where that is too little', () => {
		for (const [, bytes] of SAMPLES.filter(([, { length }]) => length <= 65536)) {
			for (const method of ['deflate', 'zlib'] as const) {
				const needed = pack(bytes, 12, 4, packRoom(bytes.length), method).length;
				const output = Buffer.alloc(needed + 40, 0xaa);
				const within = (room: number): number => own.pack({ method, windowBits: 12, level: 4 }, bytes, 0, bytes.length, output, 20, room);
				expect(within(needed)).toBe(needed);
				for (const room of [0, 1, needed >> 1, needed - 1]) expect(within(room)).toBe(0);
				expect(output.subarray(0, 20).equals(Buffer.alloc(20, 0xaa))).toBe(true);
				expect(output.subarray(needed + 20).equals(Buffer.alloc(20, 0xaa))).toBe(true);
			}
		}
	});

	test('never takes more room than movers give it', () => {
		for (const length of [1, 511, 512, 4096, 65536, 131072, MOST]) {
			expect(pack(noise(length), 12, 1)).not.toHaveLength(0);
		}
	});

	test("wraps as zlib does, with the window's size and a checksum", () => {
		for (const [, bytes] of SAMPLES) {
			for (const windowBits of [9, 12, 15]) {
				const packed = pack(bytes, windowBits, 2, packRoom(bytes.length), 'zlib');
				expect(zlib.inflateSync(packed, { windowBits }).equals(bytes)).toBe(true);
			}
		}
		expect(pack(text, 15, 2, 400_000, 'zlib').subarray(0, 2).toString('hex')).toBe('789c');
	});

	test('makes levels smaller as they go up', () => {
		const bytes = text.subarray(100_000, 165_536);
		const sizes = Array.from({ length: 9 }, (_, level) => pack(bytes, 15, level + 1).length);
		expect(sizes.at(-1)).toBeLessThan((sizes[0] as number) * 0.99);
	});

	test('refuses more than it has room for', () => {
		expect(() => pack(Buffer.alloc(MOST + 1))).toThrow(RangeError);
	});
});
