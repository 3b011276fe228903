import type { Source, Stream } from '../core/source.ts';
import { CorruptError } from '../errors.ts';
import { pastEnd } from './memory.ts';

/** What comes in pieces of any length, as a stream. It holds one piece, or what was peeked at. */
export const forwardStream = (pieces: AsyncIterable<Uint8Array>, name: string): Stream => {
	const iterator = pieces[Symbol.asyncIterator]();
	let held: Uint8Array = new Uint8Array();
	let position = 0;

	/** The next piece that is not empty; undefined at the end. */
	const next = async (): Promise<Uint8Array | undefined> => {
		for (;;) {
			const { done, value } = await iterator.next();
			if (done) return undefined;
			if (value.length > 0) return value;
		}
	};

	return {
		name,
		get position() {
			return position;
		},
		async peek(length) {
			while (held.length < length) {
				const piece = await next();
				if (!piece) break;
				const both = new Uint8Array(held.length + piece.length);
				both.set(held);
				both.set(piece, held.length);
				held = both;
			}
			return held.subarray(0, length);
		},
		async read(length, signal) {
			const bytes = new Uint8Array(length);
			for (let done = 0; done < length; ) {
				signal?.throwIfAborted();
				if (held.length === 0) {
					const piece = await next();
					if (!piece) throw pastEnd(name, position - done, length, position);
					held = piece;
				}
				const part = held.subarray(0, length - done);
				bytes.set(part, done);
				held = held.subarray(part.length);
				done += part.length;
				position += part.length;
			}
			return bytes;
		},
		async close() {
			await iterator.return?.();
		},
	};
};

/** Bytes that are passed over are read so many at a time. */
const PASSED = 1 << 16;

/**
 * A stream of known length as a source that is read once, front to back; what is passed over is lost.
 * @throws CorruptError from `read`, where the stream ends before `size` bytes or goes on after them.
 */
export const forwardSource = (stream: Stream, size: number): Source => ({
	name: stream.name,
	size,
	identity: `stream:${stream.name}`,
	async read(offset, length, signal) {
		const { name, position } = stream;
		if (offset < position) throw new Error(`${name} is read at ${offset}, and ${position} bytes of it are gone`);
		while (stream.position < offset) await stream.read(Math.min(PASSED, offset - stream.position), signal);
		const bytes = await stream.read(length, signal);
		if (stream.position === size && (await stream.peek(1)).length > 0) {
			throw new CorruptError(`it goes on after ${size} bytes`, { path: name, offset: size, hint: 'the size that it has' });
		}
		return bytes;
	},
	close: () => stream.close(),
});
