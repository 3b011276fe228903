import { Decompress } from 'fzstd';
import { Inflate } from 'pako';
import xz from 'xz-decompress';
import type { ByteStream, Expanders } from '../core/expand.ts';

/** A zstd frame may ask for this much memory: what RFC 8878, section 3.1.1.1.2, wants of every decoder, 8 MiB. Linux makes none larger. */
const LARGEST_WINDOW = 8 << 20;

/** Of a block, RFC 8878, section 3.1.1.2.4, in bytes. */
const LARGEST_BLOCK = 1 << 17;

/** RFC 1952, section 2.3. The bare stream within is inflated: pako would take what follows the stream for another. */
async function* gunzip(stream: ByteStream): AsyncGenerator<Uint8Array> {
	const head = await exactly(stream, 10);
	const flags = head[3] ?? 0;
	if ((flags & 4) !== 0) {
		const size = await exactly(stream, 2);
		await stream.skip((size[0] ?? 0) + (size[1] ?? 0) * 256);
	}
	for (const text of [8, 16]) if ((flags & text) !== 0) while ((await exactly(stream, 1))[0] !== 0);
	if ((flags & 2) !== 0) await stream.skip(2);

	const inflate = new Inflate({ raw: true, chunkSize: 1 << 18 });
	let parts: Uint8Array[] = [];
	let size = 0;
	inflate.onData = (part: Uint8Array) => {
		size += part.length;
		parts.push(part);
	};
	while (!inflate.ended) {
		const bytes = await stream.some();
		if (!bytes) throw new Error('the gzip stream is cut short');
		inflate.push(bytes);
		if (inflate.err) throw new Error(inflate.msg || 'the gzip stream makes no sense');
		if (inflate.ended) stream.unread(bytes.subarray(bytes.length - leftOver(inflate)));
		yield* parts;
		parts = [];
	}
	const trailer = await exactly(stream, 8);
	if (new DataView(trailer.buffer, trailer.byteOffset).getUint32(4, true) !== size % 2 ** 32)
		throw new Error('the gzip stream does not yield what it says');
}

/** How much of what was pushed last is behind the stream's end: pako knows, and has no word for it. */
const leftOver = (inflate: Inflate): number => (inflate as unknown as { readonly strm: { readonly avail_in: number } }).strm.avail_in;

/** RFC 8878, section 3.1.1. Blocks are handed to the decoder one by one, so that where the frame ends is known. */
async function* unzstd(stream: ByteStream): AsyncGenerator<Uint8Array> {
	const start = await stream.peek(14);
	const descriptor = start[4] ?? 0;
	const isSingle = (descriptor & 0x20) !== 0;
	const contentSize = [isSingle ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
	const dictionary = [0, 1, 2, 4][descriptor & 3] ?? 0;
	const head = await exactly(stream, 5 + (isSingle ? 0 : 1) + dictionary + contentSize);
	if (dictionary !== 0) throw new Error('the zstd frame needs a dictionary');
	if (windowSize(head, isSingle, contentSize) > LARGEST_WINDOW)
		throw new Error(`the zstd frame needs more than ${LARGEST_WINDOW} bytes of memory`);
	let parts: Uint8Array[] = [];
	const decoder = new Decompress((part) => parts.push(part));
	decoder.push(new Uint8Array(head));
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
		decoder.push(block, isLast);
		yield* parts;
		parts = [];
	}
}

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

/** The library reads ahead, and does not say how far: what follows the stream is lost. */
async function* unxz(stream: ByteStream): AsyncGenerator<Uint8Array> {
	const compressed = new ReadableStream<Uint8Array>({
		async pull(controller) {
			const part = await stream.some();
			if (part) controller.enqueue(new Uint8Array(part));
			else controller.close();
		},
	});
	const reader = new xz.XzReadableStream(compressed).getReader();
	try {
		for (;;) {
			const { done, value } = await reader.read();
			if (done) return;
			yield value;
		}
	} finally {
		await reader.cancel().catch(() => {}); // it has failed already
	}
}

const exactly = async (stream: ByteStream, length: number): Promise<Uint8Array> => {
	const bytes = await stream.take(length);
	if (bytes.length < length) throw new Error('the stream is cut short');
	return bytes;
};

/** Those that run anywhere. */
export const portableExpanders: Expanders = { gzip: gunzip, zstd: unzstd, xz: unxz };
