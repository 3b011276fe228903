/** What no XML 1.0 can hold, escaped or not: most controls, halves of characters, two that are none. */
const IMPOSSIBLE = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u;

/** The first character that XML cannot hold, as `U+0007`; undefined where there is none. */
export const notInXml = (text: string): string | undefined => {
	const found = IMPOSSIBLE.exec(text)?.[0];
	return found && `U+${found.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`;
};

/** Without what XML cannot hold. */
export const plainText = (text: string): string => text.replaceAll(new RegExp(IMPOSSIBLE, 'gu'), '');
