import { parseDocument } from 'yaml';
import { tooDeep } from './yaml.ts';

/** Aliases may stand for so many values together, so that those of aliases do not grow without end. */
const MOST_ALIASED = 100;

/**
 * What a text in YAML says, with its aliases resolved: Maps, arrays and, whatever they look like, strings.
 * @throws Error for what is no YAML.
 */
export const yamlValue = (text: string): unknown => {
	const refused = tooDeep(text);
	if (refused) throw new Error(refused.message);
	const document = parseDocument(text, { schema: 'failsafe', prettyErrors: false, uniqueKeys: false, logLevel: 'silent' });
	const [error] = document.errors;
	if (error) throw error;
	return document.toJS({ mapAsMap: true, maxAliasCount: MOST_ALIASED });
};
