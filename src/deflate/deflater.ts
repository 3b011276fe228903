import { MODULE } from './module.generated.ts';

/** Deflate for one block of a disk at a time: smaller than Node's at the same speed (docs/decisions/0012). One serves one thread. */
export type Deflater = {
	/**
	 * Deflate `length` bytes at `from` of `input` to `to` of `output`, raw (RFC 1951) or in zlib's wrapping (RFC 1950). The same bytes
	 * always give the same.
	 * @param length at most 2 MiB.
	 * @param windowBits 9 … 15: no match is further away than 2 to this power.
	 * @param level 1 is fast, 9 is small.
	 * @returns how many bytes came of it; 0 if they are more than `room`.
	 */
	pack(
		options: { readonly method: 'deflate' | 'zlib'; readonly windowBits: number; readonly level: number },
		input: Uint8Array,
		from: number,
		length: number,
		output: Uint8Array,
		to: number,
		room: number,
	): number;
};

/** The largest cluster of QCOW2: memory is laid out for it. */
const MOST = 2 ** 21;

/** What src/deflate/assembly/index.ts exports; an address is in its memory. */
type Assembly = {
	readonly memory: { readonly buffer: ArrayBuffer };
	readonly INPUT: { readonly value: number };
	readonly OUTPUT: { readonly value: number };
	deflate(length: number, room: number, windowBits: number, depth: number, nice: number, lazy: number): number;
	adler32(length: number): number;
};

// Neither Node's types nor the language's have it.
declare const WebAssembly: {
	readonly Module: new (bytes: Uint8Array) => object;
	readonly Instance: new (module: object) => { readonly exports: unknown };
};

/** For levels 1 … 9: how many candidates are tried, which length is enough, and below which length the next byte is tried too. */
const LEVELS = [
	[2, 16, 0],
	[4, 16, 0],
	[4, 24, 8],
	[8, 32, 16],
	[12, 32, 32],
	[16, 48, 48],
	[32, 64, 64],
	[128, 128, 128],
	[512, 258, 258],
] as const;

// RFC 1950, section 2.2.
const HEAD = 2;
const TRAILER = 4;

/** @throws Error where WebAssembly is not to be had, or not at once: browsers compile a module this large only beside their main thread. */
export const deflater = (): Deflater => {
	const bytes = Uint8Array.from(atob(MODULE), (char) => char.charCodeAt(0));
	const assembly = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports as Assembly;
	const memory = new Uint8Array(assembly.memory.buffer);
	const inputAt = assembly.INPUT.value;
	const outputAt = assembly.OUTPUT.value;

	const raw = (windowBits: number, level: number, length: number, output: Uint8Array, to: number, room: number): number => {
		const [depth, nice, lazy] = LEVELS[level - 1] ?? LEVELS[8];
		const packed = assembly.deflate(length, Math.max(0, room), windowBits, depth, nice, lazy);
		output.set(memory.subarray(outputAt, outputAt + packed), to);
		return packed;
	};

	return {
		pack({ method, windowBits, level }, input, from, length, output, to, room) {
			if (length > MOST) throw new RangeError(`${length} bytes are more than can be deflated at a time`);
			memory.set(input.subarray(from, from + length), inputAt);
			if (method === 'deflate') return raw(windowBits, level, length, output, to, room);
			const packed = raw(windowBits, level, length, output, to + HEAD, room - HEAD - TRAILER);
			if (packed === 0) return 0;
			const head = ((windowBits - 8) << 12) | 0x880; // deflate, the default level
			const view = new DataView(output.buffer, output.byteOffset, output.byteLength);
			view.setUint16(to, head + 31 - (head % 31));
			view.setUint32(to + HEAD + packed, assembly.adler32(length));
			return HEAD + packed + TRAILER;
		},
	};
};
