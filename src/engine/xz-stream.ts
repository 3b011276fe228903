import type { ByteStream } from '../core/expand.ts';

// https://tukaani.org/xz/xz-file-format.txt

/** In bytes, of the stream's header and of its footer. */
const ENDS = 12;

/** What is behind each block, in bytes, by the four bits of the header that say which checksum it is. */
const CHECKS = [0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64];

/** A number has seven bits in each byte, and 63 at the most. */
const LONGEST_NUMBER = 9;

/**
 * The bytes of one xz stream, in pieces, and none of what is behind it. Only what says how long it is is looked at.
 * @throws Error if it is cut short, or that is not to be known.
 */
export async function* xzStream(stream: ByteStream): AsyncGenerator<Uint8Array> {
	const head = await exactly(stream, ENDS);
	const check = CHECKS[(head[7] ?? 0) & 15] ?? 0;
	yield head;
	let numbers = 1;
	for (;;) {
		const [words = 0] = await stream.peek(1);
		if (words === 0) break; // the index
		yield await exactly(stream, (words + 1) * 4);
		let size = 0;
		for await (const chunk of chunks(stream)) {
			size += chunk.length;
			yield chunk;
		}
		yield await exactly(stream, (-size & 3) + check);
		numbers += 2;
	}
	let size = 1;
	yield await exactly(stream, size);
	for (; numbers > 0; numbers--) {
		const length = (await stream.peek(LONGEST_NUMBER)).findIndex((byte) => byte < 0x80) + 1;
		if (length === 0) throw new Error('the index of the xz stream makes no sense');
		size += length;
		yield await exactly(stream, length);
	}
	yield await exactly(stream, (-size & 3) + 4 + ENDS);
}

/** The chunks of LZMA2 that a block is made of, up to the one that ends it. */
async function* chunks(stream: ByteStream): AsyncGenerator<Uint8Array> {
	for (;;) {
		const [control = 0, first = 0, second = 0, third = 0, fourth = 0] = await stream.peek(5);
		if (control === 0) {
			yield await exactly(stream, 1);
			return;
		}
		if (control > 2 && control < 0x80) throw new Error('the xz stream makes no sense');
		const isPacked = control >= 0x80;
		const size = isPacked ? third * 256 + fourth : first * 256 + second;
		// A byte of properties is there where they are new.
		yield await exactly(stream, (isPacked ? (control >= 0xc0 ? 6 : 5) : 3) + size + 1);
	}
}

export const exactly = async (stream: ByteStream, length: number): Promise<Uint8Array> => {
	const bytes = await stream.take(length);
	if (bytes.length < length) throw new Error('the stream is cut short');
	return bytes;
};
