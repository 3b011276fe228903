import { createRequire } from 'node:module';
import { Ajv } from 'ajv';

/** Microsoft's own matchers bring the schema of SARIF 2.1.0 along. */
const { $schema: _, id: __, ...schema } = createRequire(import.meta.url)('@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json');

const formats = {
	// A reference never has what RFC 3986 wants escaped.
	'uri-reference': /^(?:[\w\-.~:/?#[\]@!$&'()*+,;=]|%[0-9a-f]{2})*$/i,
	uri: (text: string) => URL.canParse(text),
	'date-time': (text: string) => !Number.isNaN(Date.parse(text)),
};

// Of the schema's draft 4 nothing but the name of its id differs.
const validate = new Ajv({ strict: false, unicodeRegExp: false, allErrors: true, formats }).compile(schema);

/** What is wrong with a log by the schema of SARIF 2.1.0. */
export const sarifErrors = (text: string): readonly unknown[] => {
	validate(JSON.parse(text));
	return validate.errors ?? [];
};
