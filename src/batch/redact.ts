/** Names of values that are secrets, in options, URLs and headers. */
const SECRET = String.raw`[\w.-]*(?:password|passwd|passphrase|secret|token|api-?key|access-?key|signature|x-amz-[\w-]+|credential)[\w.-]*|sig`;

const RULES: readonly (readonly [RegExp, string])[] = [
	// https://user:password@host
	[/\b([a-z][a-z0-9+.-]{0,20}:\/\/)[^\s/@'"]{1,500}@/gi, '$1***@'],
	[/\b(authorization|cookie|set-cookie)(\s*[:=]\s*)[^\r\n"]{1,4000}/gi, '$1$2***'],
	[new RegExp(String.raw`(?<![\w.-])(${SECRET})(["']?\s*=\s*["']?|["']\s*:\s*["'])[^\s&,;"']+`, 'gi'), '$1$2***'],
	[new RegExp(String.raw`(?<![\w.-])(--(?:${SECRET}))(\s+)(?!--)\S+`, 'gi'), '$1$2***'],
];

/** A text for a log or a report, without what looks like a secret: user names in URLs, passwords, tokens, signatures, cookies. */
export const redact = (text: string): string => RULES.reduce((said, [rule, instead]) => said.replace(rule, instead), text);
