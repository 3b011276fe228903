/** Words in names of values that are secrets: of options, of parts of a query, of headers, of keys in a description. */
const SECRET = /pass(word|wd|phrase|code)|pass\b|pw\b|secret|token|credential|signature|(api|access|private)[-_.]?key|x-amz-|^(--)?sig$/i;

/** Whether what is called so is nobody's business. */
export const isSecretName = (name: string): boolean => SECRET.test(name);

/** A name and what stands between it and its value: `name=`, `"name": "`, `--name `. Whole words only, so that it takes linear time. */
const NAMED = /(?<![\w.-])([\w.-]+)(["']?\s*=\s*["']?|["']\s*:\s*["']|\s+(?!-))/g;

/** A value by how it begins; a bare one goes on after a comma that no further name follows. */
const VALUES = { '"': /[^"\r\n]+/y, "'": /[^'\r\n]+/y, bare: /(?:[^\s&,;"']|[,;](?![\w.-]*=|\s|$))+/y } as const;

const ADDRESS = /\b[a-z][a-z0-9+.-]{0,20}:\/\/[^\s'"<>]+/gi;

const HEADER = /\b(authorization|cookie|set-cookie)(\s*[:=]\s*)[^\r\n"]+/gi;

/** A text for a log or a report, without what looks like a secret: users and queries of URLs, passwords, tokens, signatures, cookies. */
export const redact = (text: string): string => redactValues(text.replace(ADDRESS, redactUrl).replace(HEADER, '$1$2***'));

/** Any query may be signed. What ends the sentence is none of it. */
const redactUrl = (url: string): string => {
	const safe = url.replace(/^([^/]*\/\/)[^/?#]*@/, '$1***@');
	const query = safe.indexOf('?');
	return query < 0 ? safe : `${safe.slice(0, query)}?***${/[),.;]?$/.exec(safe)?.[0]}`;
};

const redactValues = (text: string): string => {
	let redacted = '';
	let at = 0;
	for (const { 0: said, 1: name = '', 2: between = '', index } of text.matchAll(NAMED)) {
		if (index < at || !isSecretName(name) || (between.trim() === '' && !name.startsWith('--'))) continue;
		const quote = between.slice(-1);
		const pattern = VALUES[quote === '"' || quote === "'" ? quote : 'bare'];
		pattern.lastIndex = index + said.length;
		const value = pattern.exec(text)?.[0];
		if (value === undefined) continue;
		redacted += `${text.slice(at, index + said.length)}***`;
		at = index + said.length + value.length;
	}
	return redacted + text.slice(at);
};
