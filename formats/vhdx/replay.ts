import type { ByteRange, Source } from '../../src/core/source.ts';
import type { Log, LogWrite } from './log.ts';

/** A file as it is after its log was replayed (§2.3.3). */
export type Replayed = {
	readonly source: Source;
	/** Whether any byte of the range is not the file's own. */
	touches(range: ByteRange): boolean;
};

/** The file with the log's updates laid over it, in memory: the file itself stays as it is. */
export const replay = (file: Source, log: Log): Replayed => {
	const pieces = visible(log.writes);
	const end = (piece: LogWrite) => piece.offset + piece.length;

	/** The index of the first piece that ends behind `offset`. */
	const firstAfter = (offset: number): number => {
		let low = 0;
		let high = pieces.length;
		while (low < high) {
			const middle = (low + high) >>> 1;
			if (end(pieces[middle] as LogWrite) > offset) high = middle;
			else low = middle + 1;
		}
		return low;
	};

	return {
		touches({ offset, length }) {
			const piece = pieces[firstAfter(offset)];
			return offset + length > file.size || (piece !== undefined && piece.offset < offset + length);
		},
		source: {
			name: file.name,
			size: log.fileSize,
			identity: file.identity,
			async read(offset, length, signal) {
				const own = Math.max(0, Math.min(length, file.size - offset));
				// What lies past the replayed end is the file's to complain about.
				if (offset + length > log.fileSize) return file.read(offset, length, signal);
				const out = new Uint8Array(length);
				if (own > 0) out.set(await file.read(offset, own, signal));
				for (let index = firstAfter(offset); index < pieces.length; index++) {
					const piece = pieces[index] as LogWrite;
					if (piece.offset >= offset + length) break;
					const from = Math.max(offset, piece.offset);
					const to = Math.min(offset + length, end(piece));
					if (piece.bytes) out.set(piece.bytes.subarray(from - piece.offset, to - piece.offset), from - offset);
					else out.fill(0, from - offset, to - offset);
				}
				return out;
			},
			close: () => file.close(),
		},
	};
};

/** The parts of writes that no later one hides, ascending. Each stretch between two ends of writes is given away once, to the last. */
const visible = (writes: readonly LogWrite[]): LogWrite[] => {
	const edges = [...new Set(writes.flatMap(({ offset, length }) => [offset, offset + length]))].sort((a, b) => a - b);
	const indexOf = new Map(edges.map((edge, index) => [edge, index]));
	const taken: LogWrite[] = [];
	// skip[i]: the first stretch from i on that is still free, or a step on the way there.
	const skip = edges.map((_, index) => index);
	const free = (index: number): number => {
		let at = index;
		while (skip[at] !== at && at < skip.length) {
			skip[at] = skip[skip[at] as number] ?? skip.length;
			at = skip[at] as number;
		}
		return at;
	};
	for (const { offset, length, bytes } of writes.toReversed()) {
		const last = indexOf.get(offset + length) ?? 0;
		for (let index = free(indexOf.get(offset) ?? 0); index < last; index = free(index)) {
			const [from, to] = [edges[index] as number, edges[index + 1] as number];
			taken.push({ offset: from, length: to - from, ...(bytes && { bytes: bytes.subarray(from - offset, to - offset) }) });
			skip[index] = index + 1;
		}
	}
	return taken.sort((a, b) => a.offset - b.offset);
};
