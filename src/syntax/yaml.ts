import { isAlias, isMap, isScalar, isSeq, Lexer, LineCounter, type Node, parseDocument } from 'yaml';
import type { Entry, Mistake, Place, Tree, Unreadable } from './tree.ts';

/** Plans and rules are three deep; a parser that recurses must not be led deeper than this. */
const MAX_DEPTH = 32;

/** Columns of indentation and dashes at the start of a line: block collections nest no deeper than that. */
const MAX_INDENT = 4 * MAX_DEPTH;

/** What the lexer says of itself between the pieces of the text: the start of a document, of a scalar, an end. */
const LEXER_MARKS = ['\u0002', '\u0018', '\u001f'];

/** What a text says in YAML 1.2, and so in JSON. */
export const readYaml = (text: string): Tree | Unreadable => {
	const counter = new LineCounter();
	const at = (offset: number): Place => {
		const { line, col } = counter.linePos(offset);
		return { line: Math.max(1, line), column: Math.max(1, col) };
	};
	const refused = tooDeep(text);
	if (refused) return { mistakes: [refused] };
	const document = parseDocument(text, { lineCounter: counter, prettyErrors: false, strict: true, uniqueKeys: false });
	const mistakes: Mistake[] = [...document.errors, ...document.warnings].map(({ message, pos }) => ({
		...at(pos[0]),
		field: 'YAML',
		message: message.replace(/\s+/g, ' ').replace(/^./, (first) => first.toLowerCase()),
	}));
	const complain = (node: Node, message: string, hint?: string): void => {
		mistakes.push({ ...at(node.range?.[0] ?? 0), field: 'YAML', message, hint });
	};

	const convert = (node: Node | null, fallback: Place): Tree => {
		if (!node) return { ...fallback, kind: 'text', text: '' };
		const place = at(node.range?.[0] ?? 0);
		if (isAlias(node)) complain(node, 'aliases are not read', 'defaults: for what all jobs share');
		if (isScalar(node)) return { ...place, kind: 'text', text: typeof node.value === 'string' ? node.value : (node.source ?? '') };
		if (isSeq<Node | null>(node)) return { ...place, kind: 'list', items: node.items.map((item) => convert(item, place)) };
		if (!isMap<Node, Node | null>(node)) return { ...place, kind: 'text', text: '' };
		// The parser compares each key with all before it.
		const keys = new Set<string>();
		const entries = node.items.map(({ key: word, value }): Entry => {
			const keyPlace = at(word.range?.[0] ?? 0);
			const key = isScalar(word) ? String(word.source ?? word.value) : '';
			if (!isScalar(word)) complain(word, 'a key is a word', 'key: value');
			else if (keys.has(key)) complain(word, 'map keys must be unique');
			keys.add(key);
			return { ...keyPlace, key, value: convert(value, keyPlace) };
		});
		return { ...place, kind: 'map', entries };
	};
	if (mistakes.length > 0) return { mistakes };
	const tree = convert(document.contents, { line: 1, column: 1 });
	return mistakes.length > 0 ? { mistakes } : tree;
};

/** Where collections nest deeper than anybody means: the parser would run out of stack. */
export const tooDeep = (text: string): Mistake | undefined => {
	const message = 'it nests too deep';
	const indent = new RegExp(`^[ \\t?:-]{${MAX_INDENT},}`, 'm').exec(text);
	if (indent) return { ...placeOf(text, indent.index), field: 'YAML', message };
	let depth = 0;
	let offset = 0;
	for (const token of new Lexer().lex(text)) {
		if (token === '[' || token === '{') depth++;
		if (token === ']' || token === '}') depth--;
		if (depth > MAX_DEPTH) return { ...placeOf(text, offset), field: 'YAML', message };
		if (!LEXER_MARKS.includes(token)) offset += token.length;
	}
	return undefined;
};

const placeOf = (text: string, offset: number): Place => {
	const before = text.slice(0, offset).split('\n');
	return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
};
