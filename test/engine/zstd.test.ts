import { expect, test } from 'vitest';
import { unpackZstd, zstdFrame } from '../../src/engine/zstd.ts';

/** A frame of raw and run-length blocks, with the descriptor and the fields that follow it as given. */
const frame = (fields: readonly number[], ...blocks: readonly (readonly [type: 0 | 1, size: number, ...bytes: number[]])[]): Uint8Array =>
	Uint8Array.from([
		...[0x28, 0xb5, 0x2f, 0xfd, ...fields],
		...blocks.flatMap(([type, size, ...bytes], i) => {
			const header = (size << 3) | (type << 1) | (i === blocks.length - 1 ? 1 : 0);
			return [header & 0xff, (header >> 8) & 0xff, header >> 16, ...bytes];
		}),
	]);
const STREAMED = [0x00, 0x58]; // no content size, a window of 2 MiB: as QEMU writes them

test('a streamed frame unpacks to its bytes, whatever follows it', () => {
	const bytes = frame(STREAMED, [0, 3, 1, 2, 3], [1, 509, 7]);
	const padded = Uint8Array.from([...bytes, 0, 0, 9]);
	expect(zstdFrame(padded)).toMatchObject({ length: bytes.length, content: undefined });
	expect(unpackZstd(padded, 512)).toEqual(Uint8Array.from([1, 2, 3, ...new Array(509).fill(7)]));
});

test('a frame that says its size, and has a checksum, unpacks too', () => {
	const bytes = frame([0x64, 0x00, 0x01], [1, 512, 7]);
	expect(unpackZstd(Uint8Array.from([...bytes, 1, 2, 3, 4]), 512)).toEqual(new Uint8Array(512).fill(7));
});

test.for([
	['too few bytes', frame(STREAMED, [1, 511, 7]), /511 of 512/],
	['too many bytes', frame(STREAMED, [1, 512, 7], [1, 512, 7]), /more than 512/],
	['another size in its header', frame([0x60, 0x00, 0x02], [1, 512, 7]), /768 of 512/],
	['a dictionary', frame([0x01, 0x58, 9], [1, 512, 7]), /dictionary/],
	['no end', frame(STREAMED, [0, 512, 7]), /cut short/],
	['another magic', new Uint8Array(64), /no zstd frame/],
] as const)('a frame with %s is refused', ([, bytes, message]) => {
	expect(() => unpackZstd(bytes, 512)).toThrow(message);
});

test('the window that a frame asks for is not allocated', () => {
	const huge = frame([0x00, 0xa8], [1, 512, 7]); // 2 GiB
	expect(unpackZstd(huge, 512)).toEqual(new Uint8Array(512).fill(7));
});
