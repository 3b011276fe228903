/** A key with its value, below its keys; a list is so many values. */
export type Leaf = { readonly path: readonly string[]; readonly value: readonly string[] };

/** Brackets, commas, colons behind a key, texts in quotes and texts without: MAC addresses have colons that are none of these. */
const TOKEN = /"[^"]*"|'[^']*'|[{}[\],:]|[^\s{}[\],:"'](?:[^{}[\],:]|:(?!\s))*/g;

/** What is within the braces of YAML on one line, as maps and lists in blocks would be. Nothing of what is deeper than `deepest`. */
export function* flowLeaves(path: readonly string[], text: string, deepest: number): Generator<Leaf> {
	/** Of everything that is open: whether it is a list, and the key that it belongs to. */
	const open: { readonly isList: boolean; readonly key: string | undefined; readonly items: string[] }[] = [];
	let key: string | undefined;
	let word: string | undefined;
	const keys = (): string[] => [...path, ...[...open.map((one) => one.key), key].filter((one) => one !== undefined)];
	for (const [token] of text.matchAll(TOKEN)) {
		const top = open.at(-1);
		if (token === '{' || token === '[') {
			if (open.length === deepest) return;
			open.push({ isList: token === '[', key, items: [] });
			key = undefined;
		} else if (token === ':' && !top?.isList) {
			key = word;
			word = undefined;
		} else if (/^[,}\]]$/.test(token)) {
			if (word !== undefined && top?.isList) top.items.push(word);
			else if (word !== undefined && key !== undefined) yield { path: keys(), value: [word] };
			word = undefined;
			key = undefined;
			if (token === ',') continue;
			if (top && top.items.length > 0) yield { path: keys(), value: top.items };
			open.pop();
		} else word = token.trim().replace(/^(["'])(.*)\1$/, '$2');
	}
}
