/** The encodings that VMware's products write, by their lower-case names, as `TextDecoder` knows them. */
const ENCODINGS: ReadonlySet<string> = new Set([
	...['utf-8', 'us-ascii', 'gbk', 'gb2312', 'gb18030', 'big5', 'shift_jis', 'euc-jp', 'euc-kr'],
	...['windows-874', 'windows-949', ...Array.from({ length: 9 }, (_, i) => `windows-125${i}`)],
	...Array.from({ length: 15 }, (_, i) => `iso-8859-${i + 1}`).filter((name) => name !== 'iso-8859-12'), // there is no such part
]);

/** What `TextDecoder` calls the encoding that a file names; undefined for one that is not known. */
export const encodingLabel = (name: string): string | undefined => {
	const label = name.toLowerCase().replaceAll('_', '-').replace('shift-jis', 'shift_jis');
	return ENCODINGS.has(label) ? label : undefined;
};

/** Text in an encoding, by its label. @throws TypeError where the bytes are none of it. */
export const decodeAs = (label: string, bytes: Uint8Array): string => {
	const text = new TextDecoder(label, { fatal: true }).decode(bytes);
	// Some builds of Node 20 decode windows-1252 as Latin-1.
	return label === 'windows-1252' ? text.replace(/[\u0080-\u009f]/g, (char) => WINDOWS[char.charCodeAt(0) - 0x80] ?? char) : text;
};

/** What windows-1252 has from 0x80 to 0x9f, where Latin-1 has control characters: https://encoding.spec.whatwg.org/index-windows-1252.txt. */
const WINDOWS = '€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ';
