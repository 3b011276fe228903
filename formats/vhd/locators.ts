import { alignUp } from '../../src/bytes/align.ts';
import { decodeAs } from '../../src/bytes/encoding.ts';
import { fileName } from '../../src/bytes/path.ts';
import { utf16Bytes } from '../../src/bytes/utf16.ts';
import type { BackingReference } from '../../src/core/format.ts';
import type { Source } from '../../src/core/source.ts';
import type { Report } from './footer.ts';
import { type Header, headerStruct, LOCATORS, locatorStruct, SECTOR } from './layout.ts';

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

/**
 * The entries for a parent of this name, and their data, which is to stand at host offset `dataOffset`. A path that is absolute has only
 * its last part in the relative locator: beside the child is where a moved parent is looked for.
 */
export const makeLocators = (
	{ name, relative = name }: Pick<BackingReference, 'name' | 'relative'>,
	dataOffset: number,
): { readonly entries: Uint8Array; readonly data: Uint8Array } => {
	const [path, near] = [name, relative].map((said) => said.replaceAll('/', '\\')) as [string, string];
	const absolute = /^[a-z]:|^\\/i.test(near);
	const locators = [
		{
			platformCode: 'W2ru',
			text: utf16Bytes(absolute ? `.\\${fileName(near)}` : near.replace(/^(?!\.{1,2}\\)/, '.\\'), { littleEndian: true }),
		},
		{ platformCode: 'W2ku', text: utf16Bytes(path, { littleEndian: true }) },
	];
	const space = alignUp(Math.max(...locators.map(({ text }) => text.length)), SECTOR);
	const entries = new Uint8Array(LOCATORS * locatorStruct.size);
	const data = new Uint8Array(locators.length * space);
	for (const [index, { platformCode, text }] of locators.entries()) {
		data.set(text, index * space);
		const entry = locatorStruct.encode({
			platformCode,
			platformDataSpace: space,
			platformDataLength: text.length,
			reserved: 0,
			platformDataOffset: BigInt(dataOffset + index * space),
		});
		entries.set(entry, index * locatorStruct.size);
	}
	return { entries, data };
};

/** The header's own field for the parent's name: as much of the last part of its path as fits. */
export const headerName = (name: string): Uint8Array => {
	const field = new Uint8Array(512);
	field.set(utf16Bytes(fileName(name).slice(0, 255), { littleEndian: false }));
	return field;
};

const utf16 = (data: Uint8Array, little: boolean): string => {
	const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
	let text = '';
	for (let at = 0; at + 2 <= data.length; at += 2) text += String.fromCharCode(view.getUint16(at, little));
	return text;
};

/** The deprecated kinds say neither their encoding nor their code page. */
const guessed = (data: Uint8Array): string => (data[1] === 0 ? utf16(data, true) : decodeAs('windows-1252', data));

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
