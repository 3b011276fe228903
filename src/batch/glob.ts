/** Whether a name is a pattern. */
export const isGlob = (name: string): boolean => /[*?[]/.test(name);

/** The part of a pattern before its first wildcard that is a folder: where a search has to begin. */
export const globRoot = (pattern: string): string => {
	const parts = pattern.split('/');
	const first = parts.findIndex(isGlob);
	return parts.slice(0, first).join('/') || (pattern.startsWith('/') ? '/' : '.');
};

/**
 * Whether a path of `/`-parted names is of a pattern: `*` and `?` within a name, `[a-z]` and `[!a-z]`, `**` any number of folders.
 * Names that begin with a dot are found only by patterns that say the dot. The time is bounded by the product of both lengths.
 */
export const globMatch = (pattern: string, path: string): boolean => matchParts(pattern.split('/'), path.split('/'));

const matchParts = (pattern: readonly string[], path: readonly string[]): boolean => {
	// rows[i]: whether the pattern so far takes the first i names.
	let rows = [true, ...path.map(() => false)];
	for (const part of pattern) {
		const next = rows.map(() => false);
		if (part === '**') {
			let reached = false;
			for (const [index, taken] of rows.entries()) {
				reached = taken || (reached && !path[index - 1]?.startsWith('.'));
				next[index] = reached;
			}
		} else {
			const matches = nameMatcher(part);
			for (const [index, name] of path.entries()) next[index + 1] = rows[index] === true && matches(name);
		}
		rows = next;
	}
	return rows.at(-1) === true;
};

/** One name; `*` is matched by falling back to the last one alone, which cannot take exponential time. */
const nameMatcher = (pattern: string): ((name: string) => boolean) => {
	const tokens = pattern.match(/\*+|\?|\[[^\]]+\]|[^*?]/gsu) ?? [];
	const fits = (token: string, character: string): boolean => {
		if (token === '?') return true;
		if (!/^\[.+\]$/s.test(token)) return token === character;
		const negated = /^\[[!^]/.test(token);
		const ranges = token.slice(negated ? 2 : 1, -1).match(/.-.|./gsu) ?? [];
		const inside = ranges.some((range) =>
			range.length === 3 ? character >= range.charAt(0) && character <= range.charAt(2) : range === character,
		);
		return inside !== negated;
	};
	return (name) => {
		if (name.startsWith('.') && !pattern.startsWith('.')) return false;
		const characters = [...name];
		let [at, token, star, resume] = [0, 0, -1, 0];
		while (at < characters.length) {
			const wanted = tokens[token];
			if (wanted?.startsWith('*')) {
				star = token++;
				resume = at;
			} else if (wanted !== undefined && fits(wanted, characters[at] as string)) {
				at++;
				token++;
			} else if (star >= 0) {
				token = star + 1;
				at = ++resume;
			} else return false;
		}
		while (tokens[token]?.startsWith('*')) token++;
		return token === tokens.length;
	};
};
