import type { Source } from '../../src/core/source.ts';
import type { Report } from './footer.ts';
import { type Header, headerStruct, locatorStruct, SECTOR } from './layout.ts';

/** A longer path than any platform takes: 32,767 characters of UTF-16. */
const MAX_LOCATOR = 65536;

/** How each platform writes a path, in the order of trust: a relative one still holds when the chain has moved. */
const DECODERS: Readonly<Record<string, (data: Uint8Array) => string>> = {
	W2ru: (data) => utf16(data, true),
	Wi2r: (data) => guessed(data),
	W2ku: (data) => utf16(data, true),
	Wi2k: (data) => guessed(data),
	MacX: (data) => fileUrl(new TextDecoder().decode(data)),
};

/** One name that a differencing image has for its parent, and who says so. */
export type ParentName = { readonly locator: string; readonly name: string };

/**
 * All names of the parent, the likeliest first: relative paths, absolute paths, and last the plain name in the header.
 * A locator that cannot be read is reported; what is found under another name is checked by the parent's id.
 */
export const parentNames = async (
	source: Source,
	header: Header,
	headerOffset: number,
	report: Report,
	signal?: AbortSignal,
): Promise<ParentName[]> => {
	const names: ParentName[] = [];
	for (let at = 0; at < header.parentLocators.length; at += locatorStruct.size) {
		const offset = headerOffset + headerStruct.offsets.parentLocators + at;
		const entry = locatorStruct.decode(header.parentLocators.subarray(at), { path: source.name, offset });
		const { platformCode: locator, platformDataLength: length } = entry;
		if (locator === '' || length === 0) continue;
		const flaw = (code: string, message: string): void => report({ code, message, offset, remedy: 'the other names of the parent' });
		const dataOffset = Number(entry.platformDataOffset);
		const decode = Object.hasOwn(DECODERS, locator) ? DECODERS[locator] : undefined;
		if (!decode) {
			flaw('locator-unknown', `a parent locator is of the kind '${locator}', which says nothing outside its platform`);
		} else if (length > MAX_LOCATOR || dataOffset + length > source.size) {
			flaw('locator-out-of-bounds', `the parent locator '${locator}' is ${length} bytes at 0x${dataOffset.toString(16)}, past the end`);
		} else {
			names.push({ locator, name: plain(decode(await source.read(dataOffset, length, signal))) });
		}
	}
	const order = Object.keys(DECODERS);
	names.sort((a, b) => order.indexOf(a.locator) - order.indexOf(b.locator));
	names.push({ locator: 'header', name: plain(utf16(header.parentUnicodeName, false)) });
	return names.filter(({ name }) => name !== '');
};

/** Locators for a parent: the entries of the header, and their data, which is to stand at `dataOffset`. */
export const makeLocators = (name: string, dataOffset: number): { readonly entries: Uint8Array; readonly data: Uint8Array } => {
	const windows = name.replaceAll('/', '\\');
	const absolute = /^[a-z]:|^\\/i.test(windows);
	const relative = absolute ? `.\\${fileName(name)}` : windows.replace(/^(?!\.{1,2}\\)/, '.\\');
	const entries = new Uint8Array(8 * locatorStruct.size);
	const parts: Uint8Array[] = [];
	let at = dataOffset;
	for (const [index, [platformCode, path]] of [['W2ru', relative] as const, ['W2ku', windows] as const].entries()) {
		const data = fromText(path, true);
		const space = Math.ceil(data.length / SECTOR) * SECTOR;
		const part = new Uint8Array(space);
		part.set(data);
		parts.push(part);
		const entry = { platformCode, platformDataSpace: space, platformDataLength: data.length, reserved: 0, platformDataOffset: BigInt(at) };
		entries.set(locatorStruct.encode(entry), index * locatorStruct.size);
		at += space;
	}
	const data = new Uint8Array(at - dataOffset);
	let filled = 0;
	for (const part of parts) {
		data.set(part, filled);
		filled += part.length;
	}
	return { entries, data };
};

/** The header's own field for the parent's name: as much of the last part of its path as fits. */
export const headerName = (name: string): Uint8Array => {
	const field = new Uint8Array(512);
	field.set(fromText(fileName(name).slice(0, 255), false));
	return field;
};

/** The last part of a path of any platform. */
export const fileName = (path: string): string => path.split(/[\\/]/).at(-1) ?? path;

const utf16 = (data: Uint8Array, little: boolean): string => {
	const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
	let text = '';
	for (let at = 0; at + 2 <= data.length; at += 2) text += String.fromCharCode(view.getUint16(at, little));
	return text;
};

const fromText = (text: string, little: boolean): Uint8Array => {
	const data = new Uint8Array(text.length * 2);
	const view = new DataView(data.buffer);
	for (let i = 0; i < text.length; i++) view.setUint16(i * 2, text.charCodeAt(i), little);
	return data;
};

/** The deprecated kinds say neither their encoding nor their code page. */
const guessed = (data: Uint8Array): string => (data[1] === 0 ? utf16(data, true) : new TextDecoder('windows-1252').decode(data));

/** The path of a file URL (RFC 8089), also of the relative ones that are none: `file://./parent.vhd`. */
const fileUrl = (url: string): string => {
	const path = url.replace(/^file:(\/\/(localhost(?=\/))?)?/i, '');
	try {
		return decodeURIComponent(path);
	} catch {
		return path; // a stray percent sign: it was never encoded
	}
};

/** Padding begins with the first NUL. */
const plain = (text: string): string => text.split('\0', 1)[0] ?? '';
