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
	for (let at = 0; at < bytes.length; at++) if (bytes[at] === 10 || (bytes[at] === 13 && bytes[at + 1] !== 10)) count++;
	if (count > MAX_LINES) throw new UnsupportedError(`it has ${count} lines, over ${MAX_LINES}`, { path });

	const { text, report } = decodeDictionary(bytes);
	const lines: DictionaryLine[] = [];
	const entries = new Map<string, DictionaryEntry>();
	// As libvirt reads it; for VMware it is one line.
	if (/\r(?!\n)/.test(text)) {
		report.push(entry('VMX_SYNTAX_TOLERATED', { subject: 'the file', message: 'lines end in a carriage return', action: 'none' }));
	}
	for (const [index, line] of text.split(/\r\n?|\n/).entries()) {
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
		report.push(ignored(key, where));
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

/** One that says something of the machine may be why it does not run. */
const ignored = (key: string | undefined, where: string): ReportEntry =>
	key === undefined
		? entry('VMX_LINE_IGNORED', { subject: where, message: `${where} is not of the form key = "value"` })
		: entry('VMX_LINE_IGNORED', {
				subject: where,
				message: `${where}, of ${key}, is not of the form key = "value": VMware takes no such file`,
				keys: [key],
				severity: 'error',
			});

/**
 * What is between the quotes; undefined where they do not match. As for VMware the first quote behind it ends a value, if nothing but a
 * comment follows. Where something else does, VMware takes no such file, and quotes that people wrote into a text belong to it.
 */
const storedValue = (said: string): { readonly stored: string; readonly odd?: string } | undefined => {
	const quote = said[0];
	if (quote !== '"' && quote !== "'") {
		const stored = said.replace(/#.*/s, '').trimEnd();
		return { stored, odd: stored === said ? 'has no quotes' : 'has no quotes, and a comment behind it' };
	}
	const first = said.indexOf(quote, 1);
	const ends = first > 0 && isBehind(said.slice(first + 1));
	const end = ends ? first : said.lastIndexOf(quote);
	const behind = said.slice(end + 1);
	if (end === 0 || !isBehind(behind)) return undefined;
	const stored = said.slice(1, end);
	if (!ends) return { stored, odd: 'has a quote in it' };
	return behind === '' ? { stored } : { stored, odd: 'has a comment behind it' };
};

/** Whether this may stand behind a value. */
const isBehind = (text: string): boolean => /^\s*(#|$)/.test(text);
