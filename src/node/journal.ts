import { crc32 } from 'node:zlib';
import type { Placement } from '../core/journal.ts';
import type { LeafRun } from '../core/proof.ts';
import { decodeTrail, encodeTrail } from '../engine/trail-bytes.ts';
import { decodeLeaves, encodeLeaves } from '../proof/leaf-bytes.ts';
import type { Files } from './files.ts';
import { writeFully } from './write.ts';

/** What a journal begins with; a version of its own, for another vconv may find it. */
const MAGIC = new TextEncoder().encode('vconv journal 3\n');

/** Of a record: the length of what follows, and its CRC-32, as 32 bits each, the low byte first. */
const HEAD = 8;

/** Of a record of what is done: how many files there are, and the length of the trail, as 32 bits each; then the lengths of the files, as doubles. */
const COUNTS = 8;
const SIZE = 8;

/** No record is longer: more is not from us. */
const MAX_RECORD = 64 * 1024 * 1024;

/** Room for the next record, in bytes: of what is usually done between two of them, with what it hashed to. */
const ROOM = 256 * 1024;

/** The first record: what is being done. */
export type Header = {
	/** The version of vconv, for another may lay images out otherwise. */
	readonly tool: string;
	/** See `Undertaking`. */
	readonly origin: readonly string[];
	readonly image: string;
	/** The time in ms, and 16-byte ids in hexadecimal, that the image's headers take. */
	readonly now: number;
	readonly ids: readonly string[];
};

/** The journal beside a partial file: a header, and what is done, in records that are whole or not there (docs/crash-safety.md). */
export type JournalFile = {
	/** What was begun; undefined if nothing was, or is no longer known. */
	header(): Header | undefined;
	/** Records of what is done: anything that another run could take up. */
	records(): number;
	/** What is done, read as it is asked for. */
	past(): Generator<Placement>;
	/** What that hashed to, in the same way. */
	pastLeaves(): Generator<LeafRun>;
	/** How long the files were, in bytes, when the last of that was noted, the main one first: they have been no shorter since. */
	sizes(): readonly number[];
	/** Begin anew: whatever was known is forgotten. */
	begin(header: Header): void;
	/** Lay room aside for the next record: when the store is full is when it is wanted most. */
	reserve(): void;
	/** Forget whatever is known, for good. */
	forget(): void;
	/** Add to what is done, in files of these lengths. It is not durable yet. */
	append(placements: readonly Placement[], leaves: readonly LeafRun[], sizes: readonly number[]): void;
};

/** Whether these first bytes of a file are a journal's, or what a power failure may leave of one. */
export const isJournal = (head: Uint8Array): boolean => {
	const start = head.subarray(0, MAGIC.length);
	return start.every((byte, i) => byte === MAGIC[i]) || start.every((byte) => byte === 0);
};

/** The journal in an open file, a new one too. A torn end is cut off. */
export const journalFile = (fd: number, name: string, files: Files): JournalFile => {
	const read = (at: number, length: number): Buffer | undefined => {
		const bytes = Buffer.alloc(length);
		for (let done = 0; done < length; ) {
			const count = files.read(fd, bytes.subarray(done), at + done);
			if (count === 0) return undefined;
			done += count;
		}
		return bytes;
	};

	/** The record at `at`; undefined if there is none that is whole. */
	const recordAt = (at: number): Buffer | undefined => {
		const head = read(at, HEAD);
		const length = head?.readUInt32LE(0) ?? 0;
		if (!head || length === 0 || length > MAX_RECORD || at + HEAD + length > files.state(fd).size) return undefined;
		const body = read(at + HEAD, length);
		return body && crc32(body) === head.readUInt32LE(4) ? body : undefined;
	};

	/** The records of what is done: how blocks were placed, and what they hashed to. */
	function* parts(): Generator<{ readonly trail: Buffer; readonly leaves: Buffer }> {
		for (let at = first, n = records; n > 0; n--) {
			const record = recordAt(at);
			if (!record) return;
			const from = COUNTS + SIZE * record.readUInt32LE(0);
			const behind = from + record.readUInt32LE(4);
			yield { trail: record.subarray(from, behind), leaves: record.subarray(behind) };
			at += HEAD + record.length;
		}
	}

	const put = (at: number, body: Uint8Array): number => {
		const record = Buffer.alloc(HEAD + body.length);
		record.writeUInt32LE(body.length, 0);
		record.writeUInt32LE(crc32(body), 4);
		record.set(body, HEAD);
		writeFully(files, fd, record, at, name);
		return at + record.length;
	};

	let header: Header | undefined;
	let first = MAGIC.length;
	let end = first;
	let records = 0;
	let sizes: readonly number[] = [];
	const magic = read(0, MAGIC.length);
	const body = magic?.equals(MAGIC) ? recordAt(end) : undefined;
	if (body) {
		header = JSON.parse(body.toString()) as Header;
		first = end += HEAD + body.length;
		for (let next = recordAt(end); next; next = recordAt(end)) {
			end += HEAD + next.length;
			records++;
			sizes = sizesOf(next);
		}
		if (files.state(fd).size > end) files.truncate(fd, end);
	} else if (!magic?.equals(MAGIC)) writeFully(files, fd, MAGIC, 0, name);

	const forget = (): void => {
		// Before anything else changes: what it says must not outlive what it says it of.
		if (header === undefined) return;
		files.truncate(fd, MAGIC.length);
		if (records > 0) files.fsync(fd);
		header = undefined;
		first = end = MAGIC.length;
		records = 0;
		sizes = [];
	};

	return {
		header: () => header,
		records: () => records,
		sizes: () => sizes,
		*past() {
			for (const { trail } of parts()) yield* decodeTrail(trail);
		},
		*pastLeaves() {
			for (const { leaves } of parts()) yield* decodeLeaves(leaves);
		},
		begin(next) {
			forget();
			first = end = put(end, Buffer.from(JSON.stringify(next)));
			header = next;
		},
		reserve: () => files.reserve(fd, end, ROOM),
		forget,
		append(placements, leaves, lengths) {
			const trail = encodeTrail(placements);
			const head = Buffer.alloc(COUNTS + SIZE * lengths.length);
			head.writeUInt32LE(lengths.length, 0);
			head.writeUInt32LE(trail.length, 4);
			for (const [i, length] of lengths.entries()) head.writeDoubleLE(length, COUNTS + SIZE * i);
			end = put(end, Buffer.concat([head, trail, encodeLeaves(leaves)]));
			records++;
			sizes = lengths;
		},
	};
};

const sizesOf = (record: Buffer): number[] =>
	Array.from({ length: record.readUInt32LE(0) }, (_, i) => record.readDoubleLE(COUNTS + SIZE * i));
