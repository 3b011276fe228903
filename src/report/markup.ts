/** What may not stand in XML or must not reach a reader: controls other than line ends and tabs, halves of characters, marks that reorder a line. */
const UNSAFE = /[^\t\n\r\u0020-\u007e\u00a0-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]|\p{Bidi_Control}/gu;

const NAMES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** Any text, to stand in HTML or XML, between tags or in quotes; what cannot be shown is `?`. */
export const markup = (text: string): string => text.replace(UNSAFE, '?').replace(/[&<>"']/g, (character) => NAMES[character] ?? '');
