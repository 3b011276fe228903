import type { Source } from '../core/source.ts';
import { CorruptError } from '../errors.ts';
import { pastEnd } from './memory.ts';

/**
 * A stream of known length as a source that is read once, front to back; what is passed over is lost.
 * @throws CorruptError from `read`, where the stream ends before `size` bytes or goes on after them.
 */
export const forwardSource = (stream: AsyncIterable<Uint8Array>, size: number, name: string): Source => {
	const pieces = stream[Symbol.asyncIterator]();
	let piece: Uint8Array = new Uint8Array();
	let position = 0;

	/** Whether there is anything left of the stream. */
	const more = async (): Promise<boolean> => {
		while (piece.length === 0) {
			const { done, value } = await pieces.next();
			if (done) return false;
			piece = value;
		}
		return true;
	};

	return {
		name,
		size,
		identity: `stream:${name}`,
		async read(offset, length, signal) {
			if (offset < position) throw new Error(`${name} is read at ${offset}, and ${position} bytes of it are gone`);
			const bytes = new Uint8Array(length);
			while (position < offset + length) {
				signal?.throwIfAborted();
				if (!(await more())) throw pastEnd(name, offset, length, position);
				const part = piece.subarray(0, offset + length - position);
				if (position + part.length > offset) {
					const skipped = Math.max(0, offset - position);
					bytes.set(part.subarray(skipped), position + skipped - offset);
				}
				position += part.length;
				piece = piece.subarray(part.length);
			}
			if (position === size && (await more())) {
				throw new CorruptError(`it goes on after ${size} bytes`, { path: name, offset: size, hint: 'the size that it has' });
			}
			return bytes;
		},
		async close() {
			await pieces.return?.();
		},
	};
};
