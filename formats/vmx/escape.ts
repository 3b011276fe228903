/** What a value says, `|XX` resolved: each is a byte, and bytes from 0x80 up are UTF-8. `clean`: every bar was one of these. */
export const unescapeValue = (stored: string): { readonly value: string; readonly clean: boolean } => {
	let clean = true;
	// Bars that begin no escape come in one match, as there may be millions.
	const value = stored.replace(/(?:\|[0-9a-f]{2})+|\|(?:\|(?![0-9a-f]{2}))*/gi, (escapes) => {
		const text = /[^|]/.test(escapes) ? decodeEscapes(escapes) : undefined;
		if (text === undefined) clean = false;
		return text ?? escapes;
	});
	return { value, clean };
};

const REPLACEMENT = '\ufffd';

/** The text of one escape behind the other; undefined if the bytes are no UTF-8. Nothing is thrown: a value may have a million. */
const decodeEscapes = (escapes: string): string | undefined => {
	const bytes = Uint8Array.from(escapes.slice(1).split('|'), (hex) => Number.parseInt(hex, 16));
	const text = LENIENT.decode(bytes);
	const replaced = text.includes(REPLACEMENT) && new TextEncoder().encode(text).join() !== bytes.join();
	return replaced ? undefined : text;
};

const LENIENT = new TextDecoder('utf-8', { ignoreBOM: true });

/** A value as a VMX holds it: quotes, bars and controls as `|xx`. */
export const escapeValue = (value: string): string =>
	// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
	value.replace(/["|\u0000-\u001f\u007f]/g, (character) => `|${character.charCodeAt(0).toString(16).padStart(2, '0')}`);

/** A name as a person reads it: vCenter stores `%`, `/` and `\` with a percent sign, and nothing else. */
export const decodeName = (stored: string): string =>
	stored.replace(/%(25|2f|5c)/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));

/** A name as vCenter and libvirt store it. */
export const encodeName = (name: string): string => name.replace(/[%/\\]/g, (character) => `%${character.charCodeAt(0).toString(16)}`);
