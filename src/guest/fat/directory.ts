import { byteReader } from '../reader.ts';
import { ATTRIBUTE, directoryEntry, ENTRY, LONG_NAME_PARTS } from './layout.ts';

/** What a directory says of a file, a directory or the label. */
export type ShortEntry = {
	readonly name: string;
	/** Of the entry in its directory, in bytes. */
	readonly at: number;
	readonly attributes: number;
	/** The first one; 0 for an empty file. */
	readonly cluster: number;
	/** In bytes. */
	readonly size: number;
};

type LongName = { readonly name: string; readonly checksum: number; readonly next: number };

/** The entries of a directory with their long names, where they have such; `.` and `..` are left out. */
export const directoryEntries = (bytes: Uint8Array, path: string): readonly ShortEntry[] => {
	const entries: ShortEntry[] = [];
	let long: LongName | undefined;
	for (let at = 0; at + directoryEntry.size <= bytes.length; at += directoryEntry.size) {
		const raw = bytes.subarray(at, at + directoryEntry.size);
		if (raw[0] === ENTRY.end) break;
		const entry = directoryEntry.decode(raw, { path, offset: at });
		if (raw[0] !== ENTRY.deleted && (entry.attributes & ATTRIBUTE.mask) === ATTRIBUTE.longName) {
			long = withPart(long, raw);
			continue;
		}
		const own = long?.next === 0 && long.checksum === shortChecksum(entry.name) ? long.name : undefined;
		long = undefined;
		if (raw[0] === ENTRY.deleted || raw[0] === 0x2e) continue;
		const { attributes, clusterLow, clusterHigh, size } = entry;
		const name = own ?? (attributes & ATTRIBUTE.label ? text(entry.name).trimEnd() : shortName(entry.name, entry.caseBits));
		entries.push({ name, at, attributes, cluster: clusterHigh * 0x1_0000 + clusterLow, size });
	}
	return entries;
};

/** Parts of a long name come in front of the entry that they name, the last one first; others are remains. */
const withPart = (long: LongName | undefined, raw: Uint8Array): LongName | undefined => {
	const reader = byteReader(raw, { path: '' });
	const order = reader.u8(0);
	const number = order & 0x3f;
	const checksum = reader.u8(13);
	const starts = (order & 0x40) !== 0;
	if (number === 0 || (!starts && (long?.next !== number || long.checksum !== checksum))) return undefined;
	let part = '';
	for (const [at, count] of LONG_NAME_PARTS) {
		for (let index = 0; index < count; index++) part += String.fromCharCode(reader.u16(at + index * 2));
	}
	const name = starts ? part.replace(/\0.*$/s, '') : part + (long?.name ?? '');
	return { name, checksum, next: number - 1 };
};

/** §7.2: ties a long name to the short one. */
const shortChecksum = (name: Uint8Array): number => name.reduce((sum, byte) => (((sum & 1) << 7) + (sum >> 1) + byte) & 0xff, 0);

const shortName = (name: Uint8Array, caseBits: number): string => {
	const [first = 0] = name;
	const whole = first === ENTRY.escaped ? Uint8Array.of(ENTRY.deleted, ...name.subarray(1)) : name;
	const base = text(whole.subarray(0, 8)).trimEnd();
	const extension = text(whole.subarray(8)).trimEnd();
	const cased = [caseBits & 0x08 ? base.toLowerCase() : base, caseBits & 0x10 ? extension.toLowerCase() : extension];
	return cased.filter((part) => part !== '').join('.');
};

/** A byte a character: which code page they are of is stored nowhere. */
const text = (bytes: Uint8Array): string => String.fromCharCode(...bytes);
