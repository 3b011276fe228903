import { CHECKSUM_AT, dataDescriptor, dataSector, LOG_SECTOR, logEntry, zeroDescriptor } from '../../../formats/vhdx/layout.ts';
import { crc32c } from '../../../src/bytes/crc32c.ts';
import { changed, inHeaders, LOG_AT, MiB } from './images.ts';

const LOG_GUID = Uint8Array.from({ length: 16 }, (_, i) => i + 1);

export type Update = { readonly at: number; readonly bytes: Uint8Array } | { readonly at: number; readonly zeros: number };

export type EntryFields = {
	readonly sequence: number;
	/** Offset in the log of the oldest entry that is not applied yet. */
	readonly tail: number;
	readonly updates: readonly Update[];
	readonly flushed?: number;
	readonly last?: number;
	readonly guid?: Uint8Array;
};

/** A log entry, after §2.3.1 alone and none of the reader's code but its structures. */
export const makeEntry = ({ sequence, tail, updates, flushed = 0, last = 0, guid = LOG_GUID }: EntryFields): Uint8Array => {
	const data = updates.flatMap((update) => ('bytes' in update ? [update.bytes] : []));
	const head = Math.ceil((64 + updates.length * 32) / LOG_SECTOR) * LOG_SECTOR;
	const entry = new Uint8Array(head + data.length * LOG_SECTOR);
	const sequenceNumber = BigInt(sequence);
	entry.set(
		logEntry.encode({
			signature: 0x65676f6c,
			checksum: 0,
			entryLength: entry.length,
			tail,
			sequenceNumber,
			descriptorCount: updates.length,
			reserved: 0,
			logGuid: guid,
			flushedFileOffset: flushed,
			lastFileOffset: last,
		}),
	);
	for (const [index, update] of updates.entries()) {
		const descriptor =
			'bytes' in update
				? dataDescriptor.encode({
						signature: 0x63736564,
						trailingBytes: update.bytes.subarray(4092),
						leadingBytes: update.bytes.subarray(0, 8),
						fileOffset: update.at,
						sequenceNumber,
					})
				: zeroDescriptor.encode({ signature: 0x6f72657a, reserved: 0, length: update.zeros, fileOffset: update.at, sequenceNumber });
		entry.set(descriptor, 64 + index * 32);
	}
	for (const [index, bytes] of data.entries()) {
		const sector = dataSector.encode({ signature: 0x61746164, sequenceHigh: 0, data: bytes.subarray(8, 4092), sequenceLow: sequence });
		entry.set(sector, head + index * LOG_SECTOR);
	}
	new DataView(entry.buffer).setUint32(CHECKSUM_AT, crc32c(entry, CHECKSUM_AT), true);
	return entry;
};

/** An image with these entries in its log, each at its offset in the ring of 1 MiB, past the end of which it goes on at the start. */
export const withLog = (image: Uint8Array, entries: readonly (readonly [number, Uint8Array])[]): Uint8Array =>
	changed(image, (_, bytes) => {
		inHeaders('logGuid', (at) => bytes.set(LOG_GUID, at));
		for (const [offset, entry] of entries) {
			for (let at = 0; at < entry.length; at += LOG_SECTOR) {
				bytes.set(entry.subarray(at, at + LOG_SECTOR), LOG_AT + ((offset + at) % MiB));
			}
		}
	});
