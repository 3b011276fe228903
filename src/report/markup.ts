/** What may not stand in XML or must not reach a reader: controls other than line feeds and tabs, halves of characters, marks that reorder a line. */
const UNSAFE = /[^\t\n\u0020-\u007e\u00a0-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]|[\p{Bidi_Control}\u2028\u2029]/gu;

const NAMES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** Any text, to stand in HTML or XML, between tags or in quotes; what cannot be shown is `?`. */
export const markup = (text: string): string => text.replace(UNSAFE, '?').replace(/[&<>"']/g, (character) => NAMES[character] ?? '');
