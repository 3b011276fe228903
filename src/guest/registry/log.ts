import { hexDigits } from '../../bytes/hex.ts';
import { VconvError } from '../../errors.ts';
import { byteReader } from '../reader.ts';
import type { HiveFile } from './file.ts';
import { baseBlock, LOG_ENTRIES_AT, LOG_ENTRY_SIGNATURE, logEntry, logPage, OLD_LOG_SIGNATURE } from './layout.ts';
import { marvin32 } from './marvin.ts';

/** Logs are cut to this many bytes; Windows changes to the other one long before. */
const LARGEST_LOG = 32 << 20;

/** More changed pages in one entry are not believed: 2 GiB of them. */
const MOST_PAGES = 1 << 19;

/** What one entry of a log changes. */
export type LogEntry = {
	readonly sequence: number;
	/** What the size of the hive's bins is after it, in bytes. */
	readonly binsSize: number;
	/** New bytes by their offset in the bins. */
	readonly pages: readonly { readonly offset: number; readonly bytes: Uint8Array }[];
};

export type HiveLog =
	| { readonly kind: 'entries'; readonly entries: readonly LogEntry[] }
	/** The kind that Windows 8 and before write: vconv does not apply it. */
	| { readonly kind: 'old' }
	| { readonly kind: 'none' };

/**
 * The entries of a .LOG1 or .LOG2 that are whole, ascending without a gap from its first. Never throws for what is in the log: what
 * is torn there was not yet written, and is as good as absent.
 */
export const readLog = async (file: HiveFile): Promise<HiveLog> => {
	const log = await file.read(0, Math.min(file.size, LARGEST_LOG));
	if (log.length < LOG_ENTRIES_AT + logEntry.size) return { kind: 'none' };
	const signature = byteReader(log, { path: file.name }).latin1(LOG_ENTRIES_AT, 4);
	if (signature === OLD_LOG_SIGNATURE) return { kind: 'old' };
	let next = baseBlock.decode(log, { path: file.name, offset: 0 }).secondarySequence;
	const entries: LogEntry[] = [];
	for (let at = LOG_ENTRIES_AT; ; ) {
		const found = decodeEntry(log, at, file.name);
		if (found?.sequence !== next) break;
		entries.push(found);
		next = (next + 1) >>> 0;
		at += found.size;
	}
	return entries.length > 0 ? { kind: 'entries', entries } : { kind: 'none' };
};

/** The entry at an offset of the log, with both of its hashes right; undefined where there is none. */
const decodeEntry = (log: Uint8Array, at: number, path: string): (LogEntry & { readonly size: number }) | undefined => {
	if (at + logEntry.size > log.length) return undefined;
	const head = logEntry.decode(log.subarray(at), { path, offset: at });
	const { signature, size, sequence, binsSize, pages: count } = head;
	if (signature !== LOG_ENTRY_SIGNATURE || size % 512 !== 0 || size < logEntry.size || at + size > log.length || count > MOST_PAGES) {
		return undefined;
	}
	const entry = log.subarray(at, at + size);
	if (marvin32(entry.subarray(0, logEntry.offsets.headHash)) !== hashText(head.headHash)) return undefined;
	if (marvin32(entry.subarray(logEntry.size)) !== hashText(head.pagesHash)) return undefined;
	const reader = byteReader(entry, { path, offset: at });
	const pages: { offset: number; bytes: Uint8Array }[] = [];
	try {
		let from = logEntry.size + count * logPage.size;
		for (let index = 0; index < count; index++) {
			const page = logPage.decode(reader.bytes(logEntry.size + index * logPage.size, logPage.size), { path, offset: at });
			if (page.offset % 512 !== 0 || page.size % 512 !== 0 || page.offset + page.size > binsSize) return undefined;
			pages.push({ offset: page.offset, bytes: reader.bytes(from, page.size) });
			from += page.size;
		}
	} catch (error) {
		if (error instanceof VconvError) return undefined; // its pages do not fit into it
		throw error;
	}
	return { sequence, binsSize, pages, size };
};

/** As `marvin32` says it: two words, the lower one stored first. */
const hashText = (stored: Uint8Array): string => hexDigits(stored.toReversed());

/**
 * What of the logs is to be applied to a hive whose secondary sequence number is `from`: the entries from there on, of the older log
 * first, up to the first gap. A log may begin after `from`: the hive has then been written in part already.
 */
export const entriesFrom = (from: number, logs: readonly HiveLog[]): readonly LogEntry[] => {
	const entries = logs.flatMap((log) => (log.kind === 'entries' ? log.entries : [])).filter(({ sequence }) => sequence >= from);
	entries.sort((a, b) => a.sequence - b.sequence);
	const gap = entries.findIndex((entry, index) => index > 0 && entry.sequence !== (entries[index - 1]?.sequence ?? 0) + 1);
	return gap < 0 ? entries : entries.slice(0, gap);
};
