import { alignUp, isZero } from '../../src/bytes/align.ts';
import { hex } from '../../src/bytes/size.ts';
import type { Stream } from '../../src/core/source.ts';
import { CorruptError, UnsupportedError } from '../../src/errors.ts';
import { GTE_ZEROED, grainMarker, MARKER, metadataMarker, SECTOR, SPARSE_FLAGS, type SparseHeader, sparseHeader } from './layout.ts';
import { checkFooter, tableCount } from './sparse.ts';

/** A grain as it comes. */
export type PipedGrain = {
	readonly guestOffset: number;
	/** Host offset of its packed bytes. */
	readonly at: number;
	readonly bytes: Uint8Array;
};

/** Grains whose table has not come yet, 4 bytes each: 2 TiB of them, for some writers put all tables at the end. */
const MOST_PENDING = 2 ** 25;
/** Zeros that some tools fill a file up with, behind the end of the stream. */
const MOST_PADDING = 2 ** 16;

/**
 * The grains of a stream, from behind its front to its end: section "Stream-Optimized Compressed Sparse Extents". Each table, the
 * directory and the footer must say what the markers said.
 * @throws CorruptError where they do not, where grains are out of order, and where the stream ends before its end-of-stream marker.
 */
export async function* pipedGrains(stream: Stream, header: SparseHeader, signal?: AbortSignal): AsyncGenerator<PipedGrain> {
	const { name } = stream;
	const { grainSize, capacity } = header;
	const tables = ledger(header, name);
	/** Where the next grain may begin, in sectors. */
	let after = 0;
	let stage: Stage = 'grains';
	let gdOffset = 0;

	for (;;) {
		const at = stream.position;
		const corrupt = (field: string, why: string, hint?: string) => new CorruptError(why, { path: name, offset: at, field, hint });
		const first = await stream.read(SECTOR, signal);
		const { lba, size } = grainMarker.decode(first, { path: name, offset: at });
		if (size > 0) {
			const grain = `the grain of guest offset ${hex(lba * SECTOR)}`;
			if (stage !== 'grains') throw corrupt('marker', `${grain} comes behind the grain directory`);
			if (lba % grainSize !== 0 || lba >= capacity) throw corrupt('lba', `no grain of the disk begins at sector ${lba}`);
			if (lba < after) throw corrupt('lba', `${grain} comes after later ones`, '--spool DIR, if another program reads it');
			if (size > 2 * grainSize * SECTOR) throw corrupt('size', `${grain} takes ${size} bytes packed`);
			after = lba + grainSize;
			tables.grain(lba / grainSize, at);
			const whole = new Uint8Array(alignUp(grainMarker.size + size, SECTOR));
			whole.set(first);
			if (whole.length > SECTOR) whole.set(await stream.read(whole.length - SECTOR, signal), SECTOR);
			yield { guestOffset: lba * SECTOR, at: at + grainMarker.size, bytes: whole.subarray(grainMarker.size, grainMarker.size + size) };
			continue;
		}
		const { type, numSectors } = metadataMarker.decode(first, { path: name, offset: at });
		const metadata = METADATA.find((one) => one.type === type);
		if (!metadata) throw corrupt('type', `metadata of type ${type}, and vconv knows 0 to 3`);
		if (stage !== metadata.in)
			throw corrupt('type', `the ${metadata.what} is not where it belongs`, 'a fresh copy: this one may be truncated');
		const sectors = Math.ceil((metadata.words(header) * 4) / SECTOR);
		if (numSectors !== sectors) throw corrupt('numSectors', `a ${metadata.what} of ${numSectors} sectors, and ${sectors} are right`);
		if (type === MARKER.endOfStream) {
			if (!isZero(first)) throw corrupt('marker', 'the end-of-stream marker is not all zeros');
			return readPadding(stream, signal);
		}
		if (type === MARKER.grainTable) tables.table(await stream.read(sectors * SECTOR, signal), at + SECTOR);
		if (type === MARKER.grainDirectory) {
			gdOffset = stream.position / SECTOR;
			stage = 'directory';
			for (let i = 0; i < sectors; i++) tables.directory(await stream.read(SECTOR, signal), i, (gdOffset + i) * SECTOR);
		}
		if (type === MARKER.footer) {
			stage = 'footer';
			const footer = sparseHeader.decode(await stream.read(SECTOR, signal), { path: name, offset: at + SECTOR });
			checkFooter(footer, header, stream, at + SECTOR);
			if (footer.gdOffset !== BigInt(gdOffset)) throw corrupt('gdOffset', 'the footer leads to another grain directory than there is');
		}
	}
}

/** What was passed last: grains and their tables, the directory, the footer. */
type Stage = 'grains' | 'directory' | 'footer';

/** What is behind markers, how many words of 32 bits it takes, and when it comes. */
const METADATA: readonly { type: number; what: string; in: Stage; words(header: SparseHeader): number }[] = [
	{ type: MARKER.grainTable, what: 'grain table', in: 'grains', words: ({ numGTEsPerGT }) => numGTEsPerGT },
	{ type: MARKER.grainDirectory, what: 'grain directory', in: 'grains', words: tableCount },
	{ type: MARKER.footer, what: 'footer', in: 'directory', words: () => SECTOR / 4 },
	{ type: MARKER.endOfStream, what: 'end-of-stream marker', in: 'footer', words: () => 0 },
];

/** Whatever comes behind the end is zeros. */
export const readPadding = async (stream: Stream, signal?: AbortSignal): Promise<void> => {
	const end = stream.position;
	for (;;) {
		const { length } = await stream.peek(SECTOR);
		const bytes = await stream.read(length, signal);
		if (length === 0) return;
		if (!isZero(bytes) || stream.position - end > MOST_PADDING) {
			throw new CorruptError('it goes on behind the end of the stream', { path: stream.name, offset: end });
		}
	}
};

/** What the markers say of grains, until the tables come that must say the same. */
const ledger = (header: SparseHeader, path: string) => {
	const { numGTEsPerGT: entries, flags } = header;
	/** By the number of their table, in order: the sectors of their grains. */
	const pending = new Map<number, Uint32Array>();
	/** The sectors of the tables that have come. */
	const places = new Map<number, number>();
	/** Tables of nothing, by their sectors. */
	const empty = new Set<number>();
	const corrupt = (offset: number, field: string, why: string) => new CorruptError(why, { path, offset, field });
	const word = (bytes: Uint8Array, index: number): number =>
		new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(index * 4, true);

	return {
		/** The marker of a grain is at `offset`. */
		grain(number: number, offset: number): void {
			const table = Math.floor(number / entries);
			if (places.has(table)) throw corrupt(offset, 'lba', 'a grain comes behind the grain table that it belongs to');
			const sectors = pending.get(table) ?? new Uint32Array(entries);
			if ((pending.size + 1) * entries > MOST_PENDING) {
				throw new UnsupportedError('too many of its grains come without their tables', { path, offset, hint: '--spool DIR' });
			}
			pending.set(table, sectors);
			if (offset / SECTOR >= 2 ** 32) throw corrupt(offset, 'grain', 'a grain is behind 2 TiB, and tables count sectors in 32 bits');
			sectors[number % entries] = offset / SECTOR;
		},
		/** A table, at `offset`: that of the first grains which have none yet, or one of nothing. */
		table(bytes: Uint8Array, offset: number): void {
			const isZeros = (sector: number): boolean => sector === 0 || (sector === GTE_ZEROED && (flags & SPARSE_FLAGS.zeroedGrain) !== 0);
			const said = Array.from({ length: entries }, (_, i) => word(bytes, i));
			if (said.every(isZeros)) {
				empty.add(offset / SECTOR);
				return;
			}
			const [first] = pending;
			if (!first || said.some((sector, i) => sector !== first[1][i] && !(first[1][i] === 0 && isZeros(sector)))) {
				throw corrupt(offset, 'grain table', 'a grain table does not lead to the grains that the stream has');
			}
			pending.delete(first[0]);
			places.set(first[0], offset / SECTOR);
		},
		/** A sector of the directory, at `offset`. */
		directory(bytes: Uint8Array, sector: number, offset: number): void {
			if (pending.size > 0) throw corrupt(offset, 'grain directory', 'the grain directory comes before the tables of all grains');
			for (let i = 0; i < SECTOR / 4; i++) {
				const place = places.get((sector * SECTOR) / 4 + i);
				const said = word(bytes, i);
				if (said === place || (place === undefined && (said === 0 || empty.has(said)))) continue;
				throw corrupt(
					offset + i * 4,
					'grain directory',
					`entry ${(sector * SECTOR) / 4 + i} of the grain directory does not lead to its table`,
				);
			}
		},
	};
};
