import type { Source } from '../core/source.ts';

const PAGE = 1 << 16;

/**
 * A source that remembers the last pages read from it: for tables, which are asked for in small pieces that lie close together.
 * Guest data is not read through it. It holds `pages` times 64 KiB at the most.
 */
export const cached = (source: Source, pages = 32): Source => {
	const held = new Map<number, Promise<Uint8Array>>();
	const page = (index: number): Promise<Uint8Array> => {
		let found = held.get(index);
		if (found) {
			held.delete(index); // and set again below: the last used is the last to go
		} else {
			const at = index * PAGE;
			found = source.read(at, Math.min(PAGE, source.size - at));
			found.catch(() => held.delete(index));
			for (const oldest of held.keys()) {
				if (held.size < pages) break;
				held.delete(oldest);
			}
		}
		held.set(index, found);
		return found;
	};
	return {
		...source,
		async read(offset, length, signal) {
			signal?.throwIfAborted();
			if (length > PAGE || offset + length > source.size) return source.read(offset, length, signal);
			const out = new Uint8Array(length);
			for (let done = 0; done < length; ) {
				const at = offset + done;
				const from = await page(Math.floor(at / PAGE));
				const part = from.subarray(at % PAGE, Math.min(from.length, (at % PAGE) + length - done));
				out.set(part, done);
				done += part.length;
			}
			return out;
		},
	};
};
