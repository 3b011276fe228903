import { decodeAs, encodingLabel } from '../../src/bytes/encoding.ts';
import { entry, type ReportEntry } from '../../src/machine/report.ts';

/**
 * A dictionary's text, in the encoding that its key `.encoding` names, or in UTF-8. All of it is decoded before anything in it is
 * looked at: in Shift_JIS and GBK a bar may be the second byte of a character.
 */
export const decodeDictionary = (bytes: Uint8Array): { readonly text: string; readonly report: ReportEntry[] } => {
	const report: ReportEntry[] = [];
	const named = /^[ \t]*\.encoding[ \t]*=[ \t]*["']?([^"'\r\n]*)/im.exec(new TextDecoder('latin1').decode(bytes))?.[1]?.trim();
	const label = encodingLabel(named ?? 'utf-8');
	if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) {
		report.push(entry('VMX_SYNTAX_TOLERATED', { subject: 'line 1', message: 'the file begins with a byte order mark', action: 'none' }));
	}
	if (label !== undefined) {
		try {
			return { text: decodeAs(label, bytes), report };
		} catch {
			// said below
		}
	}
	const why = label === undefined ? `vconv does not know the encoding '${named}'` : `the file is not in ${named ?? 'UTF-8'}`;
	const message = `${why}; it is read as Latin-1`;
	report.push(
		entry('VMX_BAD_ENCODING', { subject: '.encoding', message, keys: named === undefined ? [] : ['.encoding'], action: 'changed' }),
	);
	return { text: decodeAs('windows-1252', bytes), report };
};
