import { Decompress } from 'fzstd';
import { Inflate } from 'pako';
import xz from 'xz-decompress';
import type { ByteStream, Expander, Expanders } from '../core/expand.ts';
import { UnsupportedError } from '../errors.ts';
import { exactly, xzStream } from './xz-stream.ts';

/** Of a deflate stream as much is inflated at once, in bytes: it may come to a thousand times as much. */
const DEFLATE_PIECE = 1 << 15;

/** A zstd frame may ask for this much memory: what RFC 8878, section 3.1.1.1.2, wants of every decoder, 8 MiB. Linux makes none larger. */
const LARGEST_WINDOW = 8 << 20;

/** Of a block, packed or not: RFC 8878, section 3.1.1.2.4, in bytes. */
export const LARGEST_BLOCK = 1 << 17;

/** What is being done with one stream, which a platform does its own way. */
export type Decoder<Result> = {
	/** What the next bytes come to. @throws Error if they make no sense. */
	push(bytes: Uint8Array): Result | Promise<Result>;
	/** Nothing more follows, or nobody wants it. */
	close(): void;
};

/** What a piece of a bare deflate stream came to. `left` bytes of it are behind the stream's end; undefined before that. */
export type Inflated = { readonly parts: readonly Uint8Array[]; readonly left?: number | undefined };

/** gzip, RFC 1952, section 2.3. The bare stream within is inflated by itself: what follows it may be another archive, or nothing of gzip's. */
export const gzipExpander = (inflater: () => Decoder<Inflated>): Expander =>
	async function* gunzip(stream) {
		const head = await exactly(stream, 10);
		const flags = head[3] ?? 0;
		if ((flags & 4) !== 0) {
			const size = await exactly(stream, 2);
			await stream.skip((size[0] ?? 0) + (size[1] ?? 0) * 256);
		}
		for (const text of [8, 16]) if ((flags & text) !== 0) while ((await exactly(stream, 1))[0] !== 0);
		if ((flags & 2) !== 0) await stream.skip(2);

		const decoder = inflater();
		let size = 0;
		try {
			for (let left: number | undefined; left === undefined; ) {
				const bytes = await stream.some();
				if (!bytes) throw new Error('the gzip stream is cut short');
				const piece = bytes.subarray(0, DEFLATE_PIECE);
				stream.unread(bytes.subarray(piece.length));
				const inflated = await decoder.push(piece);
				left = inflated.left;
				stream.unread(piece.subarray(piece.length - (left ?? 0)));
				for (const part of inflated.parts) size += part.length;
				yield* inflated.parts;
			}
		} finally {
			decoder.close();
		}
		const trailer = await exactly(stream, 8);
		if (new DataView(trailer.buffer, trailer.byteOffset).getUint32(4, true) !== size % 2 ** 32)
			throw new Error('the gzip stream does not yield what it says');
	};

/**
 * zstd, RFC 8878, section 3.1.1. Blocks are handed to the decoder one by one, the frame's header before them and its checksum with the
 * last, so that where the frame ends is known, and that none yields more than `LARGEST_BLOCK`.
 */
export const zstdExpander = (frameDecoder: () => Decoder<readonly Uint8Array[]>): Expander =>
	async function* unzstd(stream) {
		const start = await stream.peek(14);
		const descriptor = start[4] ?? 0;
		const isSingle = (descriptor & 0x20) !== 0;
		const contentSize = [isSingle ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
		const dictionary = [0, 1, 2, 4][descriptor & 3] ?? 0;
		const head = await exactly(stream, 5 + (isSingle ? 0 : 1) + dictionary + contentSize);
		if (dictionary !== 0) throw new Error('the zstd frame needs a dictionary');
		if (windowSize(head, isSingle, contentSize) > LARGEST_WINDOW)
			throw new UnsupportedError(`the zstd frame needs more than ${LARGEST_WINDOW} bytes of memory`);
		const decoder = frameDecoder();
		try {
			yield* await decoder.push(new Uint8Array(head));
			for (let isLast = false; !isLast; ) {
				const header = await exactly(stream, 3);
				const bits = (header[0] ?? 0) | ((header[1] ?? 0) << 8) | ((header[2] ?? 0) << 16);
				isLast = (bits & 1) !== 0;
				const size = ((bits >> 1) & 3) === 1 ? 1 : bits >> 3;
				if (size > LARGEST_BLOCK) throw new Error('a zstd block is too large');
				const checksum = isLast && (descriptor & 4) !== 0 ? 4 : 0;
				const block = new Uint8Array(3 + size + checksum);
				block.set(header);
				block.set(await exactly(stream, size + checksum), 3);
				yield* await decoder.push(block);
			}
		} finally {
			decoder.close();
		}
	};

/** RFC 8878, section 3.1.1.1.2 */
const windowSize = (head: Uint8Array, isSingle: boolean, contentSize: number): number => {
	if (!isSingle) {
		const base = 2 ** (10 + ((head[5] ?? 0) >> 3));
		return base + (base / 8) * ((head[5] ?? 0) & 7);
	}
	let size = 0;
	for (let i = contentSize - 1; i >= 0; i--) size = size * 256 + (head[head.length - contentSize + i] ?? 0);
	return size + (contentSize === 2 ? 256 : 0);
};

/**
 * xz. The library takes dictionaries of at most 64 MiB, in any block. It reads ahead, and does not say how far: it gets one stream, and
 * never what is behind that.
 */
async function* unxz(stream: ByteStream): AsyncGenerator<Uint8Array> {
	const pieces = xzStream(stream);
	const compressed = new ReadableStream<Uint8Array>({
		async pull(controller) {
			const { done, value } = await pieces.next();
			if (done) controller.close();
			else controller.enqueue(new Uint8Array(value));
		},
	});
	const reader = new xz.XzReadableStream(compressed).getReader();
	try {
		for (;;) {
			const { done, value } = await reader.read();
			if (done) return;
			yield value;
		}
	} catch (error) {
		// XZ_MEMLIMIT_ERROR
		if (/error code 4$/.test((error as Error).message)) throw new UnsupportedError('the xz stream needs more than 64 MiB of memory');
		// XZ_OPTIONS_ERROR
		if (/error code 6$/.test((error as Error).message))
			throw new UnsupportedError('the xz stream has a filter or a checksum (SHA-256) that is not known here');
		throw error;
	} finally {
		await reader.cancel().catch(() => {}); // it has failed already
	}
}

const pakoInflater = (): Decoder<Inflated> => {
	const inflate = new Inflate({ raw: true, chunkSize: 1 << 18 });
	let parts: Uint8Array[] = [];
	inflate.onData = (part: Uint8Array) => void parts.push(part);
	return {
		push(bytes) {
			parts = [];
			inflate.push(bytes);
			if (inflate.err) throw new Error(inflate.msg || 'the gzip stream makes no sense');
			return { parts, left: inflate.ended ? leftOver(inflate) : undefined };
		},
		close() {},
	};
};

/** How much of what was pushed last is behind the stream's end: pako knows, and has no word for it. */
const leftOver = (inflate: Inflate): number => (inflate as unknown as { readonly strm: { readonly avail_in: number } }).strm.avail_in;

const fzstdDecoder = (): Decoder<readonly Uint8Array[]> => {
	let parts: Uint8Array[] = [];
	const decoder = new Decompress((part) => void parts.push(part));
	return {
		push(bytes) {
			parts = [];
			decoder.push(bytes);
			return parts;
		},
		close() {},
	};
};

/** Those that run anywhere. */
export const portableExpanders: Expanders = { gzip: gzipExpander(pakoInflater), zstd: zstdExpander(fzstdDecoder), xz: unxz };
