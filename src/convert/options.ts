import type { OptionTable, OptionValues } from '../core/format.ts';
import { UsageError } from '../errors.ts';

/** QEMU's other words for a switch. */
const SWITCH: OptionValues = { true: 'on', yes: 'on', y: 'on', false: 'off', no: 'off', n: 'off' };

/** Options of qemu-img for formats that have them not here: the value that asks for what is done anyway, and what to do instead of others. */
const ELSEWHERE: Readonly<Record<string, { readonly idle?: string; readonly hint: string }>> = {
	size: { hint: 'the same without it, for OUT is as large as IN, and qemu-img resize afterwards' },
	backing_file: { hint: '-B FILE' },
	backing_fmt: { hint: '-F FORMAT' },
	preallocation: { idle: 'off', hint: 'a subformat that is fixed or flat' },
	encryption: { idle: 'off', hint: 'the same without it, for nothing is written encrypted' },
	nocow: { idle: 'off', hint: 'chattr +C on the folder of OUT' },
	extent_size_hint: { idle: '0', hint: 'the same without it, for a guest sees nothing of that' },
	data_file: { hint: 'the same without it, for what is written is one file' },
};

/** What the user said of a format's options, checked against its table, with the defaults of what was left unsaid. */
export const optionValues = (table: OptionTable, said: OptionValues, format: string): OptionValues => {
	const values: Record<string, string> = {};
	for (const [name, option] of Object.entries(table)) values[name] = option.default;
	for (const [name, written] of Object.entries(said)) {
		const option = Object.hasOwn(table, name) ? table[name] : undefined;
		if (!option) {
			refuseElsewhere(table, name, written, format);
			continue;
		}
		if (typeof written !== 'string') throw new UsageError(`${name}=${written} is not text`, { hint: `${name}: '${written}'` });
		const value = option.values?.includes('on') && Object.hasOwn(SWITCH, written) ? (SWITCH[written] as string) : written;
		if (option.values && !option.values.includes(value)) {
			throw new UsageError(`${name}=${value} is not possible for ${format}`, {
				hint: option.values.map((v) => `${name}=${v}`).join(' or '),
			});
		}
		values[name] = value;
	}
	return values;
};

/** @throws UsageError for an option that a format does not have, unless it asks for what is done anyway. */
const refuseElsewhere = (table: OptionTable, name: string, value: string, format: string): void => {
	const elsewhere = Object.hasOwn(ELSEWHERE, name) ? ELSEWHERE[name] : undefined;
	if (elsewhere?.idle === value) return;
	const known = Object.keys(table).join(', ');
	throw new UsageError(`${format} has no option '${name}'`, { hint: elsewhere?.hint ?? (known ? `one of ${known}` : 'no -o at all') });
};
