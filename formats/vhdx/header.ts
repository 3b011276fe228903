import { isZero } from '../../src/bytes/align.ts';
import { crc32c } from '../../src/bytes/crc32c.ts';
import { hex } from '../../src/bytes/size.ts';
import type { Source } from '../../src/core/source.ts';
import { CorruptError, UnrecognizedError, UnsupportedError } from '../../src/errors.ts';
import {
	CHECKSUM_AT,
	CREATOR_SIZE,
	HEADER_SECTION,
	HEADER_SIGNATURE,
	HEADER_SIZE,
	HEADERS_AT,
	header,
	IDENTIFIER,
	MAX_LOG,
	MiB,
} from './layout.ts';

export type Header = ReturnType<typeof header.decode>;

export type Headers = {
	/** What made the file, as it says itself. */
	readonly creator: string;
	readonly current: Header;
	/** Host offsets of the copies that are damaged: one at the most. */
	readonly damaged: readonly number[];
	/** Whether the log holds updates that the file lacks. */
	readonly dirty: boolean;
};

/** Whether the file says that it is a VHDX (§2.2.1). */
export const isVhdx = (head: Uint8Array): boolean => IDENTIFIER.every((byte, at) => head[at] === byte);

/**
 * The file type identifier and the current header (§2.2.2).
 * @throws UnrecognizedError, CorruptError if no header is whole, UnsupportedError for another version.
 */
export const readHeaders = async (source: Source, signal?: AbortSignal): Promise<Headers> => {
	const path = source.name;
	const head = await source.read(0, Math.min(source.size, IDENTIFIER.length + CREATOR_SIZE), signal);
	if (!isVhdx(head)) throw new UnrecognizedError('it does not begin as a VHDX image does', { path });
	if (source.size < HEADER_SECTION) {
		throw new CorruptError(`the file has ${source.size} bytes, and the headers alone take ${HEADER_SECTION}`, {
			path,
			hint: 'a fresh copy: this one is truncated',
		});
	}

	const copies = await Promise.all(HEADERS_AT.map((at) => readCopy(source, at, signal)));
	const { current, offset } = chooseCurrent(copies, path);
	const place = (field: keyof Header) => ({ path, offset: offset + header.offsets[field], field });
	if (current.version !== 1) throw new UnsupportedError(`VHDX version ${current.version}; vconv knows version 1`, place('version'));
	const dirty = !isZero(current.logGuid);
	const { logLength, logOffset, logVersion } = current;
	if (logLength % MiB !== 0) throw new CorruptError(`the log's length ${hex(logLength)} is not a multiple of 1 MiB`, place('logLength'));
	if (logOffset % MiB !== 0 || (logLength > 0 && logOffset < HEADER_SECTION)) {
		throw new CorruptError(`the log at ${hex(logOffset)} is not on a multiple of 1 MiB behind the headers`, place('logOffset'));
	}
	if (dirty) {
		if (logVersion !== 0) throw new UnsupportedError(`log version ${logVersion}; vconv knows version 0`, place('logVersion'));
		if (logLength === 0) throw new CorruptError('the log is to be replayed, and it has no length', place('logLength'));
		if (logLength > MAX_LOG) throw new UnsupportedError(`a log of ${logLength / MiB} MiB; vconv replays up to 64 MiB`, place('logLength'));
		if (logOffset + logLength > source.size) throw new CorruptError('the log to be replayed ends behind the file', place('logOffset'));
	}
	return { creator: creatorOf(head), current, dirty, damaged: HEADERS_AT.filter((_, copy) => !copies[copy]) };
};

type Copy = { readonly current: Header; readonly offset: number; readonly bytes: Uint8Array };

/** One header; undefined if it is not whole. */
const readCopy = async (source: Source, offset: number, signal?: AbortSignal): Promise<Copy | undefined> => {
	const bytes = await source.read(offset, HEADER_SIZE, signal);
	const view = new DataView(bytes.buffer, bytes.byteOffset);
	if (view.getUint32(0, true) !== HEADER_SIGNATURE || view.getUint32(CHECKSUM_AT, true) !== crc32c(bytes, CHECKSUM_AT)) return undefined;
	return { current: header.decode(bytes, { path: source.name, offset }), offset, bytes };
};

const chooseCurrent = ([first, second]: readonly (Copy | undefined)[], path: string): Copy => {
	if (first && second) {
		if (first.current.sequenceNumber !== second.current.sequenceNumber) {
			return first.current.sequenceNumber > second.current.sequenceNumber ? first : second;
		}
		// Disk2vhd writes one header twice, which the specification forbids and which leaves no doubt.
		if (first.bytes.every((byte, at) => byte === second.bytes[at])) return first;
		throw new CorruptError(`both headers have the sequence number ${first.current.sequenceNumber}, and they differ`, {
			path,
			offset: first.offset + header.offsets.sequenceNumber,
			field: 'sequenceNumber',
		});
	}
	const only = first ?? second;
	if (only) return only;
	throw new CorruptError('neither of its two headers is whole: their checksums do not hold', {
		path,
		offset: HEADERS_AT[0] + CHECKSUM_AT,
		field: 'checksum',
		hint: 'a copy of the file from before the damage',
	});
};

const creatorOf = (head: Uint8Array): string => {
	const text = new TextDecoder('utf-16le').decode(head.subarray(IDENTIFIER.length));
	return text.replace(/\0.*$/s, '');
};
