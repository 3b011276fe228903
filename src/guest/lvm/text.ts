import { CorruptError } from '../../errors.ts';

/** A value of LVM's configuration language. */
export type LvmValue = number | string | readonly LvmValue[] | LvmSection;

export type LvmSection = { readonly [key: string]: LvmValue };

/** Deeper descriptions are none: a volume group nests its sections three deep. */
const MAX_DEPTH = 16;

const BLANK = new Set([' ', '\t', '\n', '\r']);
const MARKS = new Set(['{', '}', '[', ']', '=', ',']);
const ENDS_WORD = new Set([...BLANK, ...MARKS, '#', '"']);

/** The offset of the line's end, or the last of the text. */
const endOfLine = (source: string, from: number): number => {
	const end = source.indexOf('\n', from);
	return end < 0 ? source.length : end;
};

type Token = { readonly text: string; readonly kind: 'text' | 'mark' | 'word' | 'end'; readonly at: number };

/**
 * The description of a volume group: `key = value` and `section { … }`, values being numbers, texts in quotes and lists of them.
 * @param path what to call it in a message.
 * @throws CorruptError for what is not that, with the offset in the text.
 */
export const parseLvmText = (source: string, path: string): LvmSection => {
	let position = 0;
	const refuse = (what: string, at: number): never => {
		throw new CorruptError(`LVM's description is broken: ${what}`, { path, offset: at });
	};
	const skipBlanks = (): void => {
		for (; position < source.length; position++) {
			if (source[position] === '#') position = endOfLine(source, position);
			else if (!BLANK.has(source[position] as string)) return;
		}
	};
	const next = (): Token => {
		skipBlanks();
		const at = position;
		const first = source[at];
		if (first === undefined) return { kind: 'end', text: '', at };
		if (MARKS.has(first)) {
			position++;
			return { kind: 'mark', text: first, at };
		}
		if (first === '"') {
			for (position++; source[position] !== '"'; position++) {
				if (position >= source.length) return refuse('a text without an end', at);
				if (source[position] === '\\') position++;
			}
			position++;
			return { kind: 'text', text: source.slice(at + 1, position - 1).replaceAll(/\\(.)/gs, '$1'), at };
		}
		while (position < source.length && !ENDS_WORD.has(source[position] as string)) position++;
		return { kind: 'word', text: source.slice(at, position), at };
	};
	const is = (token: Token, mark: string): boolean => token.kind === 'mark' && token.text === mark;

	const value = (token: Token, depth: number): LvmValue => {
		if (token.kind === 'text') return token.text;
		if (token.kind === 'word') return /^-?\d{1,15}$/.test(token.text) ? Number(token.text) : token.text;
		if (!is(token, '[') || depth > MAX_DEPTH) return refuse(`'${token.text}' where a value must be`, token.at);
		const list: LvmValue[] = [];
		for (let item = next(); !is(item, ']'); item = next()) if (!is(item, ',')) list.push(value(item, depth + 1));
		return list;
	};

	const section = (depth: number): LvmSection => {
		if (depth > MAX_DEPTH) refuse(`sections nested deeper than ${MAX_DEPTH}`, position);
		const found = new Map<string, LvmValue>();
		for (;;) {
			const key = next();
			if (depth === 0 ? key.kind === 'end' : is(key, '}')) return Object.fromEntries(found);
			if (key.kind === 'end' || key.kind === 'mark') return refuse(`'${key.text}' where a name must be`, key.at);
			const mark = next();
			if (is(mark, '{')) found.set(key.text, section(depth + 1));
			else if (is(mark, '=')) found.set(key.text, value(next(), depth));
			else refuse(`'${mark.text}' after '${key.text}'`, mark.at);
		}
	};
	return section(0);
};

export const sectionAt = (section: LvmSection, key: string): LvmSection | undefined => {
	const found = section[key];
	return typeof found === 'object' && !isList(found) ? found : undefined;
};

export const listAt = (section: LvmSection, key: string): readonly LvmValue[] => {
	const found = section[key];
	return found !== undefined && isList(found) ? found : [];
};

const isList = (value: LvmValue): value is readonly LvmValue[] => Array.isArray(value);

export const textAt = (section: LvmSection, key: string): string | undefined => {
	const found = section[key];
	return typeof found === 'string' ? found : undefined;
};

/** A count: a whole number from 0. @throws CorruptError if it is none. */
export const countAt = (section: LvmSection, key: string, path: string): number => {
	const found = section[key];
	if (typeof found === 'number' && Number.isSafeInteger(found) && found >= 0) return found;
	throw new CorruptError(`LVM's description has no count as ${key}`, { path, field: key });
};
