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
