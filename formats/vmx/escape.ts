/** What a value says, `|XX` resolved: each is a byte, and bytes from 0x80 up are UTF-8. `clean`: every bar was one of these. */
export const unescapeValue = (raw: string): { readonly value: string; readonly clean: boolean } => {
	let clean = true;
	const value = raw.replace(/(?:\|[0-9a-f]{2})+|\|/gi, (escapes) => {
		const bytes = Uint8Array.from(escapes.split('|').slice(1), (hex) => Number.parseInt(hex, 16));
		try {
			if (escapes === '|') throw new TypeError('not two hexadecimal digits');
			return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
		} catch {
			clean = false;
			return escapes;
		}
	});
	return { value, clean };
};

/** A value as a VMX holds it: quotes, bars and controls as `|xx`. */
export const escapeValue = (value: string): string =>
	// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
	value.replace(/["|\u0000-\u001f\u007f]/g, (character) => `|${character.charCodeAt(0).toString(16).padStart(2, '0')}`);

/** A name as a person reads it: vCenter stores `%`, `/` and `\` with a percent sign, and nothing else. */
export const decodeName = (stored: string): string =>
	stored.replace(/%(25|2f|5c)/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));

/** A name as vCenter and libvirt store it. */
export const encodeName = (name: string): string => name.replace(/[%/\\]/g, (character) => `%${character.charCodeAt(0).toString(16)}`);
