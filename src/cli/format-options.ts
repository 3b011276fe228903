import type { Options } from 'yargs';
import { humanSize } from '../bytes/size.ts';
import { PROFILES_AS_OF, type Profile, profiles } from '../convert/profiles.ts';
import type { DiskFormat, OptionValues } from '../core/format.ts';
import { UsageError } from '../errors.ts';
import { toJson } from './render.ts';

/** What sectors the image to be has. */
export const sectorSizeOption = {
	'sector-size': { choices: [512, 4096], describe: 'sectors that the guest is shown, if not those of IN; nothing on it is translated' },
} as const satisfies Record<string, Options>;

/** `k=v,k=v` given any number of times: the last one of a name holds. A doubled comma is a comma, and `k` alone is `k=on`. */
export const parseFormatOptions = (said: readonly string[] = []): OptionValues => {
	const values: Record<string, string> = {};
	for (const part of said.flatMap((list) => list.replaceAll(',,', '\0').split(','))) {
		if (part === '') continue;
		const [, name, value = 'on'] = /^([^=]+)(?:=(.*))?$/s.exec(part.replaceAll('\0', ',')) ?? [];
		if (name === undefined) throw new UsageError(`-o ${part} has no name before the =`, { hint: '-o name=value,name=value, or -o help' });
		values[name] = value;
	}
	return values;
};

/** Whether the options are asked for, not given. */
export const asksForOptions = (said: readonly string[] = []): boolean =>
	said.some((list) => list.split(',').some((word) => word === 'help' || word === '?'));

/** A row of a list, in lines of no more than `columns` characters where its words allow; one line where there is no terminal. */
const row = (name: string, width: number, text: string, columns: number | undefined): string => {
	const lines = [`  ${name.padEnd(width)}`];
	const indent = ' '.repeat(width + 2);
	for (const word of text.split(' ')) {
		const last = lines.at(-1) as string;
		const next = last.length > indent.length ? `${last} ${word}` : last + word;
		if (!columns || next.length <= columns || last === indent) lines[lines.length - 1] = next;
		else lines.push(indent + word);
	}
	return `${lines.join('\n')}\n`;
};

/** What `-o` may say for a format. */
export const optionsHelp = ({ id, name, writer }: DiskFormat, json: boolean, columns?: number): string => {
	const entries = Object.entries(writer?.options ?? {});
	if (json) return `${toJson({ format: id, options: Object.fromEntries(entries) }, 4)}\n`;
	if (entries.length === 0) return `${name} (${id}) has no options${writer ? '' : ': vconv does not write it'}\n`;
	const width = Math.max(...entries.map(([option]) => option.length)) + 2;
	const lines = entries.map(([option, { default: value, values, help }]) => {
		const choices = values ? ` (${values.join(', ')})` : '';
		return row(option, width, `${help}${choices} [${value}]`, columns);
	});
	return `Options of ${name} (-O ${id}), with their defaults:\n${lines.join('')}`;
};

/** What `--for` may say, and what it means. */
export const profilesHelp = (json: boolean, columns?: number): string => {
	if (json) return `${toJson({ 'as-of': PROFILES_AS_OF, profiles: profiles.map(profileJson) }, 4)}\n`;
	const entries = profiles.map((profile) => row(profile.id, 12, describe(profile), columns) + row('', 12, profile.source, columns));
	return `What --for says of OUT. Of several formats, -O or the extension chooses, otherwise it is the first (as of ${PROFILES_AS_OF}):\n${entries.join('')}`;
};

const profileJson = ({ size: { multipleOf, least, most }, ...profile }: Profile) => ({
	...profile,
	size: { 'multiple-of': multipleOf, least, most },
});

const describe = ({ name, takes, size }: Profile): string => {
	const shapes = takes.map(({ format, options = {}, defaults = {} }) => {
		const said = [
			...Object.entries(options).map(([option, values]) => `${option}=${values.join('|')}`),
			...Object.entries(defaults).map(([option, value]) => `${option}=${value}`),
		];
		return said.length > 0 ? `${format} (${said.join(', ')})` : format;
	});
	const unit = size.multipleOf > 1 ? `, in multiples of ${humanSize(size.multipleOf)}` : '';
	return `${name}: ${shapes.join(', ')}; ${humanSize(size.least)} to ${humanSize(size.most)}${unit}`;
};
