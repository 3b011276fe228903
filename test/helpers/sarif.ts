import sarif from '@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json' with { type: 'json' };
import { Ajv } from 'ajv';

// Of the schema's draft 4 nothing but the name of its id differs.
const { $schema: _, id: __, ...schema } = sarif;

const formats = {
	// A reference never has what RFC 3986 wants escaped.
	'uri-reference': /^(?:[\w\-.~:/?#[\]@!$&'()*+,;=]|%[0-9a-f]{2})*$/i,
	uri: (text: string) => URL.canParse(text),
	'date-time': (text: string) => !Number.isNaN(Date.parse(text)),
};

const validate = new Ajv({ strict: false, unicodeRegExp: false, allErrors: true, formats }).compile(schema);

/** What is wrong with a log by the schema of SARIF 2.1.0, which Microsoft's own matchers bring along. */
export const sarifErrors = (text: string): readonly unknown[] => {
	validate(JSON.parse(text));
	return validate.errors ?? [];
};
