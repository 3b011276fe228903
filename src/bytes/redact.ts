/** Names of values that are secrets, in options, URLs and headers. */
const SECRET = /password|passwd|passphrase|secret|token|api-?key|access-?key|signature|x-amz-|credential|^(--)?sig$/i;

/** A name and what stands between it and its value: `name=`, `"name": "`, `--name `. Whole words only, so that it takes linear time. */
const NAMED = /(?<![\w.-])([\w.-]+)(["']?\s*=\s*["']?|["']\s*:\s*["']|\s+(?!-))/g;

const VALUE = /[^\s&,;"']+/y;

/** https://user:password@host */
const USER = /\b([a-z][a-z0-9+.-]{0,20}:\/\/)[^\s/@'"]{1,500}@/gi;

const HEADER = /\b(authorization|cookie|set-cookie)(\s*[:=]\s*)[^\r\n"]+/gi;

/** A text for a log or a report, without what looks like a secret: user names in URLs, passwords, tokens, signatures, cookies. */
export const redact = (text: string): string => redactValues(text.replace(USER, '$1***@').replace(HEADER, '$1$2***'));

const redactValues = (text: string): string => {
	let redacted = '';
	let at = 0;
	for (const { 0: said, 1: name = '', 2: between = '', index } of text.matchAll(NAMED)) {
		if (index < at || !SECRET.test(name) || (between.trim() === '' && !name.startsWith('--'))) continue;
		VALUE.lastIndex = index + said.length;
		const value = VALUE.exec(text)?.[0];
		if (value === undefined) continue;
		redacted += `${text.slice(at, index + said.length)}***`;
		at = index + said.length + value.length;
	}
	return redacted + text.slice(at);
};
