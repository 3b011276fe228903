import { CorruptError, UnsupportedError } from '../../src/errors.ts';
import { entry, type ReportEntry } from '../../src/machine/report.ts';
import { decodeDictionary } from './encoding.ts';
import { escapeValue, unescapeValue } from './escape.ts';

/** VMware's dictionary file: lines of `key = "value"`. */
export type Dictionary = {
	/** Every line, in order. */
	readonly lines: readonly DictionaryLine[];
	/** By lower-case key: keys differ in case between VMware's products. The first of several. */
	readonly entries: ReadonlyMap<string, DictionaryEntry>;
	/** What is odd about the text. */
	readonly report: readonly ReportEntry[];
};

export type DictionaryLine = DictionaryEntry | { readonly comment: string } | { readonly unknown: string };

export type DictionaryEntry = {
	/** As it is spelled. */
	readonly key: string;
	/** Escapes resolved. */
	readonly value: string;
	/** As it is stored. */
	readonly stored: string;
};

/** A dictionary is never larger than this, in bytes: user data for a guest may be in it. */
const MAX_BYTES = 4 << 20;
const MAX_LINES = 50_000;

/**
 * Read a dictionary as tolerantly as VMware does, noting what is odd. There is no indirection and no nesting: `guestOS` and
 * `guestOS.detailed.data` are two keys.
 * @throws CorruptError for what is no text, UnsupportedError beyond the limits.
 */
export const parseDictionary = (bytes: Uint8Array, path: string): Dictionary => {
	if (bytes.byteLength > MAX_BYTES) throw new UnsupportedError(`it is a VMX of ${bytes.byteLength} bytes, over ${MAX_BYTES}`, { path });
	const nul = bytes.indexOf(0);
	if (nul >= 0) throw new CorruptError('it is no text', { path, offset: nul, hint: 'the .vmx of the machine' });
	let count = 1;
	for (const byte of bytes) if (byte === 10) count++;
	if (count > MAX_LINES) throw new UnsupportedError(`it has ${count} lines, over ${MAX_LINES}`, { path });

	const { text, report } = decodeDictionary(bytes);
	const lines: DictionaryLine[] = [];
	const entries = new Map<string, DictionaryEntry>();
	for (const [index, line] of text.split(/\r?\n/).entries()) {
		const parsed = parseLine(line, `line ${index + 1}`, report);
		lines.push(parsed);
		if (!('key' in parsed)) continue;
		const key = parsed.key.toLowerCase();
		const first = entries.get(key);
		if (!first) entries.set(key, parsed);
		else if (first.value !== parsed.value) {
			const message = `${parsed.key} is said twice and differs; the first value is used, and VMware takes no such file`;
			report.push(entry('VMX_DUPLICATE_KEY', { subject: parsed.key, message, keys: [parsed.key] }));
		}
	}
	return { lines, entries, report };
};

/** The text of a dictionary: what `parseDictionary` reads as the same lines. */
export const printDictionary = (lines: readonly DictionaryLine[]): string =>
	lines
		.map((line) => {
			if ('comment' in line) return `${line.comment}\n`;
			if ('unknown' in line) return `${line.unknown}\n`;
			return `${line.key} = "${line.stored}"\n`;
		})
		.join('');

/** An entry that says this value. */
export const dictionaryEntry = (key: string, value: string): DictionaryEntry => ({ key, value, stored: escapeValue(value) });

const LINE = /^\s*([a-z.][\w:.*-]*)\s*=(.*)$/is;

const parseLine = (line: string, where: string, report: ReportEntry[]): DictionaryLine => {
	if (/^\s*(#|$)/.test(line)) return { comment: line };
	const [, key, said = ''] = LINE.exec(line) ?? [];
	const found = key === undefined ? undefined : storedValue(said.trim());
	if (key === undefined || !found) {
		report.push(entry('VMX_LINE_IGNORED', { subject: where, message: `${where} is not of the form key = "value"` }));
		return { unknown: line };
	}
	const odd = (code: 'VMX_SYNTAX_TOLERATED' | 'VMX_BAD_ESCAPE', what: string) =>
		report.push(entry(code, { subject: where, message: `the value of ${key} (${where}) ${what}`, keys: [key], action: 'none' }));
	if (key.includes('*')) {
		const message = `${key} (${where}) has a star in it, and stands for several keys`;
		report.push(entry('VMX_STAR_IN_KEY', { subject: where, message, keys: [key], action: 'none' }));
	}
	if (found.odd) odd('VMX_SYNTAX_TOLERATED', found.odd);
	const { value, clean } = unescapeValue(found.stored);
	if (!clean) odd('VMX_BAD_ESCAPE', 'has a bar without two hexadecimal digits behind it, or one that is no UTF-8; it is kept');
	return { key, value, stored: found.stored };
};

/** What is between the quotes; undefined where they do not match. */
const storedValue = (said: string): { readonly stored: string; readonly odd?: string } | undefined => {
	const quote = said[0];
	if (quote !== '"' && quote !== "'") {
		const stored = said.replace(/#.*/s, '').trimEnd();
		return stored === '' ? undefined : { stored, odd: stored === said ? 'has no quotes' : 'has no quotes, and a comment behind it' };
	}
	const end = said.lastIndexOf(quote);
	if (end === 0) return undefined;
	const stored = said.slice(1, end);
	const behind = said.slice(end + 1).trim();
	if (behind !== '' && !behind.startsWith('#')) return undefined;
	if (stored.includes(quote)) return { stored, odd: 'has a quote in it' };
	return behind === '' ? { stored } : { stored, odd: 'has a comment behind it' };
};
