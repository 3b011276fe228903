import zlib from 'node:zlib';
import type { Codec } from '../core/codec.ts';
import type { PackMethod } from '../core/disk.ts';
import type { Packing } from '../core/format.ts';
import { type Deflater, deflater } from '../deflate/deflater.ts';
import { packRoom } from '../engine/frame.ts';
import { unpackZstd as unpackAnywhere, zstdFrame } from '../engine/zstd.ts';
import { UnsupportedError } from '../errors.ts';
import { systemInflate } from './inflate.ts';
import { zstd } from './zstd.ts';

/** Compression between places of buffers, without an allocation for each block. One packer serves one thread. */
export type Packer = {
	/**
	 * Unpack `length` bytes at `from` of `input` to exactly `size` bytes at `to` of `output`, which must have a byte to spare behind them.
	 * Gives how many bytes the stream took.
	 * @throws Error if it is damaged or yields fewer or more bytes.
	 */
	unpack(method: PackMethod, input: Buffer, from: number, length: number, output: Buffer, to: number, size: number): number;
	/** Pack `length` bytes; gives how many came of it, or 0 if they are more than `room`. */
	pack(packing: Packing, input: Buffer, from: number, length: number, output: Buffer, to: number, room: number): number;
};

export const nodePacker = (): Packer => {
	const inflaters = new Map<PackMethod, Stream>();
	let deflate: Deflater | undefined;

	return {
		unpack(method, input, from, length, output, to, size) {
			if (method === 'zstd') return unpackZstd(input.subarray(from, from + length), output, to, size);
			const fast = systemInflate()?.(method, input.subarray(from, from + length), output.subarray(to, to + size));
			if (fast !== undefined) return fast;
			const stream = got(inflaters, method, () => reusable(method === 'zlib' ? zlib.createInflate() : zlib.createInflateRaw()));
			// One byte more than there should be: a stream that fills it is too long.
			const { roomLeft, inputLeft } = stream.run(input, from, length, output, to, size + 1);
			if (roomLeft === 0) throw new Error(`it yields more than ${size} bytes`);
			if (roomLeft > 1) throw new Error(`it yields ${size + 1 - roomLeft} of ${size} bytes`);
			return length - inputLeft;
		},
		pack(packing, input, from, length, output, to, room) {
			if (!packing.always && incompressible(input, from, length)) return 0;
			const { method, windowBits, level } = packing;
			if (method === 'zstd') {
				const fast = zstd();
				if (!fast) {
					throw new UnsupportedError('this Node has no zstd to compress with', { hint: 'compression_type=zlib, or Node 22.15 or later' });
				}
				return fast.pack(input.subarray(from, from + length), output.subarray(to, to + room), level);
			}
			deflate ??= bestDeflater();
			return deflate.pack({ method, windowBits, level }, input, from, length, output, to, room);
		},
	};
};

/** Our own, or Node's where it was started without WebAssembly (--jitless). */
const bestDeflater = (): Deflater => {
	try {
		return deflater();
	} catch {
		return nodeDeflater();
	}
};

const nodeDeflater = (): Deflater => {
	const streams = new Map<string, Stream>();
	return {
		pack({ method, windowBits, level }, input, from, length, output, to, room) {
			const options = { level, windowBits, memLevel: 9 };
			const key = `${method} ${level} ${windowBits}`;
			const stream = got(streams, key, () => reusable(method === 'zlib' ? zlib.createDeflate(options) : zlib.createDeflateRaw(options)));
			const { roomLeft } = stream.run(input, from, length, output, to, room + 1);
			return roomLeft === 0 ? 0 : room + 1 - roomLeft;
		},
	};
};

const got = <K, V>(map: Map<K, V>, key: K, make: () => V): V => {
	const found = map.get(key) ?? make();
	map.set(key, found);
	return found;
};

type Stream = {
	run(
		input: Uint8Array,
		from: number,
		length: number,
		output: Uint8Array,
		to: number,
		room: number,
	): { readonly roomLeft: number; readonly inputLeft: number };
};

/** What is behind Node's zlib streams, in every version so far. */
type Handle = {
	reset(): void;
	writeSync(flush: number, input: Uint8Array, from: number, length: number, output: Uint8Array, to: number, room: number): void;
	onerror(message: string): void;
};

/**
 * One zlib state used again for every block: 1.3 to 1.6 times as fast as the one-shot calls, which set up a new one each time. Node has no
 * public call for that.
 */
const reusable = (stream: unknown): Stream => {
	const { _handle: handle, _writeState: left } = stream as { _handle: Handle; _writeState: Uint32Array };
	let failure: string | undefined;
	handle.onerror = (message) => {
		failure = message;
	};
	return {
		run(input, from, length, output, to, room) {
			failure = undefined;
			handle.reset();
			handle.writeSync(zlib.constants.Z_FINISH, input, from, length, output, to, room);
			if (failure !== undefined) throw new Error(failure);
			return { roomLeft: left[0] ?? 0, inputLeft: left[1] ?? 0 };
		},
	};
};

const counts = new Int32Array(256);

/**
 * Whether a block looks like noise: the bytes of 16 samples of 256 are spread as evenly as chance would. Such blocks are not worth an
 * attempt: a sixth less time on a disk with a fifth of them, for 0.03 % more size (docs/performance.md).
 */
const incompressible = (input: Buffer, from: number, length: number): boolean => {
	if (length < 8192) return false;
	counts.fill(0);
	const stride = Math.floor((length - 256) / 15);
	for (let sample = 0; sample < 16; sample++) {
		const start = from + sample * stride;
		for (let at = start; at < start + 256; at++) counts[input[at] as number] = (counts[input[at] as number] as number) + 1;
	}
	let squares = 0;
	for (const count of counts) squares += count * count;
	return squares < 72_000; // 69,600 on average for 4,096 random bytes
};

const unpackZstd = (stored: Buffer, output: Buffer, to: number, size: number): number => {
	const { length, content } = zstdFrame(stored);
	const frame = stored.subarray(0, length);
	if (content !== undefined && content !== size) throw new Error(`it yields ${content} of ${size} bytes`);
	const fast = zstd();
	if (fast) fast.unpack(frame, output.subarray(to, to + size));
	else output.set(unpackAnywhere(frame, size), to);
	return length;
};

/** node:zlib as a codec, for everything that is not on the mover's path. */
export const nodeCodec = (): Codec => {
	const packer = nodePacker();
	const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	return {
		unpack(method, bytes, size) {
			const output = Buffer.allocUnsafeSlow(size + 1);
			packer.unpack(method, asBuffer(bytes), 0, bytes.byteLength, output, 0, size);
			return output.subarray(0, size);
		},
		pack(packing, bytes) {
			const room = packing.always ? packRoom(bytes.byteLength) : packing.atMost;
			const output = Buffer.allocUnsafeSlow(room + 1);
			const length = packer.pack(packing, asBuffer(bytes), 0, bytes.byteLength, output, 0, room);
			return length === 0 ? undefined : output.subarray(0, length);
		},
	};
};
