import { UnsupportedError } from '../../errors.ts';

/** No file of settings has more lines that say something, nor a kernel more modules. */
const MOST_LINES = 20_000;

/**
 * The lines of a configuration file with their numbers from 1, without comments and blank ones.
 * @throws UnsupportedError if there are more than anybody writes.
 */
export const configLines = (text: string): readonly (readonly [line: string, number: number])[] => {
	const lines: [string, number][] = [];
	for (let at = 0, number = 1; at <= text.length; number++) {
		const newline = text.indexOf('\n', at);
		const end = newline < 0 ? text.length : newline;
		const line = text.slice(at, end).trim();
		at = end + 1;
		if (line === '' || line.startsWith('#') || line.startsWith(';')) continue;
		if (lines.length === MOST_LINES)
			throw new UnsupportedError(`a file of settings has more than ${MOST_LINES} lines, and no more are read`);
		lines.push([line, number]);
	}
	return lines;
};

/** `KEY=value` lines as a shell reads them, in os-release, ifcfg files and the like; of a key said twice the last counts. */
export const assignments = (text: string): ReadonlyMap<string, string> => {
	const values = new Map<string, string>();
	for (const [line] of configLines(text)) {
		const [, key, value] = /^(?:export\s+)?([\w.]+)=(.*)$/.exec(line) ?? [];
		if (key !== undefined && value !== undefined) values.set(key, unquoted(value));
	}
	return values;
};

const unquoted = (value: string): string => {
	const [, quote, inner] = /^\s*(["'])(.*?)\1/.exec(value) ?? [];
	if (inner === undefined) return value.slice(0, /\s#/.exec(value)?.index).trim();
	return quote === '"' ? inner.replace(/\\(["$`\\])/g, '$1') : inner;
};

/** A key of a section of an INI file, as NetworkManager and systemd have them. A key may be said more than once; `index` counts the headings before it. */
export type IniEntry = { readonly section: string; readonly index: number; readonly key: string; readonly value: string };

export const iniEntries = (text: string): readonly IniEntry[] => {
	const entries: IniEntry[] = [];
	let section = '';
	let index = 0;
	for (const [line] of configLines(text)) {
		const heading = /^\[(.+)\]$/.exec(line)?.[1];
		if (heading !== undefined) {
			section = heading;
			index++;
		}
		const [, key, value] = /^([\w.-]+)\s*=\s*(.*)$/.exec(line) ?? [];
		if (key !== undefined && value !== undefined) entries.push({ section, index, key, value });
	}
	return entries;
};

/** Versions as people order them: digits by their value, `~` before everything. Negative where `left` is the older. */
export const compareVersions = (left: string, right: string): number => {
	const [a, b] = [parts(left), parts(right)];
	for (let i = 0; i < Math.max(a.length, b.length); i++) {
		const [x = '', y = ''] = [a[i], b[i]];
		if (x === y) continue;
		const [isNumber, isOther] = [/^\d/.test(x), /^\d/.test(y)];
		if (isNumber && isOther) {
			const [short, other] = [x.replace(/^0+/, ''), y.replace(/^0+/, '')];
			if (short !== other) return short.length - other.length || (short < other ? -1 : 1);
			continue;
		}
		if (isNumber !== isOther) return isNumber ? 1 : -1;
		return x < y ? -1 : 1;
	}
	return 0;
};

const parts = (version: string): readonly string[] => version.match(/\d+|[a-z]+|~/gi) ?? [];
