import { CorruptError, UnsupportedError } from '../../src/errors.ts';

/** The encodings that VMware's products write, by their lower-case names, as `TextDecoder` knows them. */
const ENCODINGS = [
	...['utf-8', 'us-ascii', 'gbk', 'gb2312', 'gb18030', 'big5', 'shift_jis', 'euc-jp', 'euc-kr'],
	...['windows-874', 'windows-949', ...Array.from({ length: 9 }, (_, i) => `windows-125${i}`)],
	...Array.from({ length: 15 }, (_, i) => `iso-8859-${i + 1}`),
];

/**
 * A descriptor's text, in the encoding that it names.
 * @throws UnsupportedError for an encoding that is not known, CorruptError for bytes that are not in it.
 */
export const decodeText = (data: Uint8Array, path: string): string => {
	const named = /^[ \t]*(?:ddb\.)?encoding[ \t]*=[ \t]*"?([^"\r\n]*?)"?[ \t]*$/im.exec(new TextDecoder('latin1').decode(data))?.[1];
	const encoding = named?.toLowerCase().replace('_', '-').replace('shift-jis', 'shift_jis');
	if (encoding !== undefined && !ENCODINGS.includes(encoding)) {
		throw new UnsupportedError(`the descriptor is written in ${named}`, {
			path,
			field: 'encoding',
			hint: 'a copy of it in UTF-8, that says encoding="UTF-8"',
		});
	}
	try {
		return new TextDecoder(encoding ?? 'utf-8', { fatal: true }).decode(data);
	} catch (cause) {
		if (encoding !== undefined) throw new CorruptError(`the descriptor is not in ${named}, as it says`, { path, field: 'encoding', cause });
		return new TextDecoder('windows-1252').decode(data); // what Windows wrote before descriptors had an encoding
	}
};
