import { joinBytes } from '../bytes/join.ts';
import type { ByteStream } from '../core/expand.ts';

/**
 * A stream out of parts.
 * @param next the next part, undefined at the end.
 * @param jump pass over so many bytes without reading them; how many there were. Parts are read and dropped where it is absent.
 */
export const byteStream = (next: () => Promise<Uint8Array | undefined>, jump?: (length: number) => Promise<number>): ByteStream => {
	let held: Uint8Array = new Uint8Array();

	/** Have `length` bytes at hand if there are so many. */
	const fill = async (length: number): Promise<void> => {
		if (held.length >= length) return;
		const parts = [held];
		for (let count = held.length; count < length; ) {
			const part = await next();
			if (!part) break;
			parts.push(part);
			count += part.length;
		}
		held = joined(parts);
	};

	return {
		async peek(length) {
			await fill(length);
			return held.subarray(0, length);
		},
		async take(length) {
			await fill(length);
			const taken = held.subarray(0, length);
			held = held.subarray(taken.length);
			return taken;
		},
		async some() {
			if (held.length === 0) return next();
			const taken = held;
			held = new Uint8Array();
			return taken;
		},
		unread(bytes) {
			held = held.length === 0 ? bytes : joined([bytes, held]);
		},
		async skip(length) {
			let skipped = Math.min(length, held.length);
			held = held.subarray(skipped);
			while (skipped < length) {
				if (jump) return skipped + (await jump(length - skipped));
				const part = await next();
				if (!part) break;
				held = part.subarray(length - skipped);
				skipped += part.length - held.length;
			}
			return skipped;
		},
	};
};

const joined = (parts: readonly Uint8Array[]): Uint8Array => {
	const some = parts.filter(({ length }) => length > 0);
	return some.length === 1 && some[0] ? some[0] : joinBytes(some);
};
