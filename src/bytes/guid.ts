import { hexDigits } from './hex.ts';

/** Where each byte of a stored GUID stands in its text: Microsoft stores the first three groups little-endian. */
const MIXED = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];

/** As the text reads (RFC 9562). */
const PLAIN = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

/** 16 bytes as Microsoft stores a GUID, as lower-case text without braces. */
export const guidText = (bytes: Uint8Array): string => text(bytes, MIXED);

/** The 16 bytes of a GUID as Microsoft stores it, from its text with or without braces; undefined if it is none. */
export const guidBytes = (guid: string): Uint8Array | undefined => parse(guid, MIXED);

/** 16 bytes in the order of the text, as lower-case text: how VHD stores its unique id. */
export const uuidText = (bytes: Uint8Array): string => text(bytes, PLAIN);

/** The 16 bytes of a UUID in the order of its text, with or without braces; undefined if it is none. */
export const uuidBytes = (uuid: string): Uint8Array | undefined => parse(uuid, PLAIN);

/** A UUID with its first three fields the other way round: that of the same bytes, read the other way. */
export const swapFields = (uuid: string): string => {
	const bytes = uuidBytes(uuid);
	return bytes ? guidText(bytes) : uuid;
};

const text = (bytes: Uint8Array, order: readonly number[]): string => {
	const hex = hexDigits(Uint8Array.from(order, (from) => bytes[from] ?? 0));
	return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
};

const parse = (guid: string, order: readonly number[]): Uint8Array | undefined => {
	const bare = /^\{(.*)\}$/.exec(guid.trim())?.[1] ?? guid.trim();
	if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(bare)) return undefined;
	const hex = bare.replaceAll('-', '');
	const bytes = new Uint8Array(16);
	for (const [at, to] of order.entries()) bytes[to] = Number.parseInt(hex.slice(at * 2, at * 2 + 2), 16);
	return bytes;
};
