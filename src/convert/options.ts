import type { OptionTable, OptionValues } from '../core/format.ts';
import { UsageError } from '../errors.ts';

/** What the user said of a format's options, checked against its table, with the defaults of what was left unsaid. */
export const optionValues = (table: OptionTable, said: OptionValues, format: string): OptionValues => {
	const values: Record<string, string> = {};
	for (const [name, option] of Object.entries(table)) values[name] = option.default;
	for (const [name, value] of Object.entries(said)) {
		const option = Object.hasOwn(table, name) ? table[name] : undefined;
		if (!option) {
			const known = Object.keys(table).join(', ');
			throw new UsageError(`${format} has no option '${name}'`, { hint: known ? `one of ${known}` : 'no -o at all' });
		}
		if (typeof value !== 'string') throw new UsageError(`${name}=${value} is not text`, { hint: `${name}: '${value}'` });
		if (option.values && !option.values.includes(value)) {
			throw new UsageError(`${name}=${value} is not possible for ${format}`, {
				hint: option.values.map((v) => `${name}=${v}`).join(' or '),
			});
		}
		values[name] = value;
	}
	return values;
};
