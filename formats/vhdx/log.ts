import { alignUp } from '../../src/bytes/align.ts';
import { crc32c } from '../../src/bytes/crc32c.ts';
import { hex, humanSize } from '../../src/bytes/size.ts';
import type { Source } from '../../src/core/source.ts';
import { CorruptError, UnsupportedError } from '../../src/errors.ts';
import type { Header } from './header.ts';
import {
	CHECKSUM_AT,
	DATA_SIGNATURE,
	dataDescriptor,
	dataSector,
	LOG_ENTRY_SIGNATURE,
	LOG_SECTOR,
	logEntry,
	MAX_FILE,
	REGION_TABLES_AT,
	SECTOR_SIGNATURE,
	ZERO_SIGNATURE,
	zeroDescriptor,
} from './layout.ts';

/** One update that the log holds: these bytes, or zeros, to host offset `offset`. */
export type LogWrite = { readonly offset: number; readonly length: number; readonly bytes?: Uint8Array };

export type Log = {
	/** Entries of the active sequence. */
	readonly entries: number;
	/** What they say to write, the oldest first: a later one holds where two meet. */
	readonly writes: readonly LogWrite[];
	/** The file is at least this long after the replay. */
	readonly fileSize: number;
};

/** More zero descriptors than this are refused: a log holds one a table that grew, and 1 MiB of log has room for 32,000. */
const MAX_ZERO_WRITES = 65536;

/** One valid entry, where it stands in the ring. */
type Entry = {
	/** From the start of the log, in bytes. */
	readonly offset: number;
	readonly length: number;
	readonly checksum: number;
	readonly tail: number;
	readonly sequenceNumber: bigint;
	readonly flushedFileOffset: number;
	readonly lastFileOffset: number;
	readonly writes: readonly LogWrite[];
	/** How many of them have bytes. */
	readonly dataSectors: number;
};

/**
 * The updates of the newest complete sequence of the log (§2.3.3), which the file does not have yet. The header must say that there
 * is a log, and have been checked.
 * @throws CorruptError if there is no valid sequence, or the file is shorter than it was when the log was written.
 */
export const readLog = async (source: Source, header: Header, signal?: AbortSignal): Promise<Log> => {
	const path = source.name;
	const { logOffset, logLength } = header;
	const active = activeSequence(await source.read(logOffset, logLength, signal), header, path);
	const head = active.at(-1);
	if (!head) {
		throw new CorruptError('it was not closed, and its log holds no complete sequence of updates', {
			path,
			offset: logOffset,
			field: 'logGuid',
			hint: 'a copy of the file from before the damage',
		});
	}
	if (source.size < head.flushedFileOffset) {
		throw new CorruptError(`the file has ${hex(source.size)} bytes, and had ${hex(head.flushedFileOffset)} when its log was written`, {
			path,
			offset: logOffset + head.offset + logEntry.offsets.flushedFileOffset,
			field: 'flushedFileOffset',
			hint: 'a fresh copy: this one is truncated',
		});
	}
	const writes = active.flatMap((entry) => entry.writes);
	for (const { offset, length } of writes) {
		if (offset < REGION_TABLES_AT[0] || (offset < logOffset + logLength && offset + length > logOffset)) {
			throw new CorruptError(`its log has an update for ${hex(offset)}, in the headers or the log itself`, { path, offset: logOffset });
		}
	}
	const fileSize = writes.reduce((size, write) => Math.max(size, write.offset + write.length), Math.max(source.size, head.lastFileOffset));
	if (fileSize > Math.max(MAX_FILE, source.size)) {
		throw new CorruptError(`its log makes the file ${humanSize(fileSize)} long, over ${humanSize(MAX_FILE)}`, { path, offset: logOffset });
	}
	return { entries: active.length, writes, fileSize };
};

/** From its tail to its head; empty where there is none. A ring is walked once: a sequence with no tail has none in its parts either. */
const activeSequence = (ring: Uint8Array, header: Header, path: string): readonly Entry[] => {
	const read = entryReader(ring, header, path);
	let active: readonly Entry[] = [];
	for (let start = 0; start < ring.length; ) {
		const run: Entry[] = [];
		let length = 0;
		for (;;) {
			const last = run.at(-1);
			const entry = read((start + length) % ring.length);
			if (!entry || length + entry.length > ring.length || (last && entry.sequenceNumber !== last.sequenceNumber + 1n)) break;
			run.push(entry);
			length += entry.length;
		}
		const head = run.at(-1);
		const tail = run.findIndex((entry) => entry.offset === head?.tail);
		if (head && tail >= 0 && head.sequenceNumber > (active.at(-1)?.sequenceNumber ?? 0n)) active = run.slice(tail);
		start += length || LOG_SECTOR;
	}
	return active;
};

/** Reads the entry at an offset of the ring; undefined where there is no valid one: in most sectors, and where one was torn. */
const entryReader = (ring: Uint8Array, header: Header, path: string): ((offset: number) => Entry | undefined) => {
	const known = new Map<number, Entry | undefined>();
	// Entries do not overlap, so their checksums cost one pass over the ring, and a little for what its earlier turns have left.
	let budget = 2 * ring.length;
	let zeroWrites = 0;
	return (offset) => {
		if (known.has(offset)) return known.get(offset);
		let entry = decodeEntry(ring, offset, header);
		if (entry) {
			budget -= entry.length;
			if (budget < 0) throw new CorruptError('the entries of its log overlap', { path, offset: header.logOffset });
			zeroWrites += entry.writes.length - entry.dataSectors;
			if (zeroWrites > MAX_ZERO_WRITES) {
				throw new UnsupportedError(`its log clears more than ${MAX_ZERO_WRITES} ranges`, { path, offset: header.logOffset });
			}
			if (crc32c(unrolled(ring, offset, entry.length), CHECKSUM_AT) !== entry.checksum) entry = undefined;
		}
		known.set(offset, entry);
		return entry;
	};
};

/** §2.3.1: an entry of which everything holds but the checksum, which is not looked at. */
const decodeEntry = (ring: Uint8Array, offset: number, header: Header): Entry | undefined => {
	const peek = new DataView(ring.buffer, ring.byteOffset + offset);
	if (peek.getUint32(0, true) !== LOG_ENTRY_SIGNATURE) return undefined;
	const length = peek.getUint32(logEntry.offsets.entryLength, true);
	if (length === 0 || length % LOG_SECTOR !== 0 || length > ring.length) return undefined;
	const bytes = unrolled(ring, offset, length);
	try {
		const fields = logEntry.decode(bytes, { path: '', offset });
		if (fields.sequenceNumber === 0n || fields.tail % LOG_SECTOR !== 0 || fields.tail >= ring.length) return undefined;
		if (fields.logGuid.some((byte, at) => byte !== header.logGuid[at])) return undefined;
		const decoded = decodeWrites(bytes, fields.descriptorCount, fields.sequenceNumber);
		return decoded && { ...fields, ...decoded, offset, length };
	} catch (error) {
		if (error instanceof CorruptError) return undefined; // an offset beyond 2^53: nobody wrote that
		throw error;
	}
};

/** The bytes of the ring from `offset`, past its end from its start again. */
const unrolled = (ring: Uint8Array, offset: number, length: number): Uint8Array => {
	if (offset + length <= ring.length) return ring.subarray(offset, offset + length);
	const bytes = new Uint8Array(length);
	bytes.set(ring.subarray(offset));
	bytes.set(ring.subarray(0, length - (ring.length - offset)), ring.length - offset);
	return bytes;
};

/** §2.3.1.2 to §2.3.1.4: descriptors fill the sectors behind the header, and the data sectors follow in their order. */
const decodeWrites = (bytes: Uint8Array, count: number, sequence: bigint): Pick<Entry, 'writes' | 'dataSectors'> | undefined => {
	const first = alignUp(logEntry.size + count * zeroDescriptor.size, LOG_SECTOR);
	if (first > bytes.length) return undefined;
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	const writes: LogWrite[] = [];
	let dataSectors = 0;
	for (let index = 0; index < count && index - dataSectors <= MAX_ZERO_WRITES; index++) {
		const at = logEntry.size + index * zeroDescriptor.size;
		const signature = view.getUint32(at, true);
		const descriptor = bytes.subarray(at);
		if (signature === ZERO_SIGNATURE) {
			const { length, fileOffset, sequenceNumber } = zeroDescriptor.decode(descriptor, { path: '', offset: at });
			if (sequenceNumber !== sequence || fileOffset % LOG_SECTOR !== 0 || length % LOG_SECTOR !== 0) return undefined;
			writes.push({ offset: fileOffset, length });
		} else if (signature === DATA_SIGNATURE) {
			const { fileOffset, ...edges } = dataDescriptor.decode(descriptor, { path: '', offset: at });
			const sector = restoredSector(edges, bytes.subarray(first + LOG_SECTOR * dataSectors++), sequence);
			if (!sector || fileOffset % LOG_SECTOR !== 0) return undefined;
			writes.push({ offset: fileOffset, length: LOG_SECTOR, bytes: sector });
		} else return undefined;
	}
	return { writes, dataSectors };
};

type Edges = Pick<ReturnType<typeof dataDescriptor.decode>, 'leadingBytes' | 'trailingBytes' | 'sequenceNumber'>;

/** What a data descriptor and its sector say together; undefined if either is of another entry. */
const restoredSector = (edges: Edges, stored: Uint8Array, sequence: bigint): Uint8Array | undefined => {
	const { leadingBytes, trailingBytes, sequenceNumber } = edges;
	const { signature, sequenceHigh, sequenceLow, data } = dataSector.decode(stored, { path: '', offset: 0 });
	const stated = (BigInt(sequenceHigh) << 32n) | BigInt(sequenceLow);
	if (signature !== SECTOR_SIGNATURE || stated !== sequence || sequenceNumber !== sequence) return undefined;
	const sector = new Uint8Array(LOG_SECTOR);
	sector.set(leadingBytes);
	sector.set(data, leadingBytes.length);
	sector.set(trailingBytes, LOG_SECTOR - trailingBytes.length);
	return sector;
};
