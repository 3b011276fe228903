import { parseSize } from '../bytes/size.ts';
import { LIMITS, type LimitName, type Limits, limitNames } from '../core/limits.ts';
import { UsageError } from '../errors.ts';

/** `NAME=VALUE`, given any number of times. @throws UsageError that lists the names, or says what a value is. */
export const parseLimits = (said: readonly string[] = []): Partial<Limits> => Object.fromEntries(said.map(parseLimit));

const parseLimit = (said: string): readonly [LimitName, number] => {
	const [, key, text = ''] = /^([^=]*)=?(.*)$/s.exec(said) ?? [];
	const name = limitNames.find((known) => known === key);
	if (!name) throw new UsageError(`there is no limit '${key}'`, { hint: `--limit NAME=VALUE with ${limitNames.join(', ')}` });
	const isSize = LIMITS[name].unit === 'bytes';
	const value = isSize ? parseSize(text) : /^\d{1,9}$/.test(text) ? Number(text) : undefined;
	if (value) return [name, value];
	const what = isSize ? 'a size' : LIMITS[name].unit === 'seconds' ? 'a number of seconds' : 'a number';
	throw new UsageError(`--limit ${said} is not ${what}`, { hint: `--limit ${name}=${isSize ? '64G' : LIMITS[name].value}` });
};
