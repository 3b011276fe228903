import { CorruptError } from '../../src/errors.ts';
import type { Dom } from './dom.ts';

const POWERS = ['k', 'm', 'g', 't', 'p', 'e'];

/**
 * A size in bytes: the element's text in the unit that it says, KiB where it says none.
 * @throws CorruptError for what is no size.
 */
export const sizeOf = (element: Dom | undefined, file: string): number | undefined =>
	element && bytesOf(element.text(), element.attribute('unit'), element.path, file);

/** The same for a number and its unit, wherever they are said. @throws CorruptError for what is no size. */
export const bytesOf = (said: string, unit: string | undefined, field: string, file: string): number => {
	const factor = factorOf((unit ?? 'KiB').toLowerCase());
	const size = factor !== undefined && /^\d{1,18}$/.test(said) ? Number(said) * factor : Number.NaN;
	if (!Number.isSafeInteger(size)) throw new CorruptError(`it says ${said} ${unit ?? 'KiB'}, which is no size`, { path: file, field });
	return size;
};

/** `KB` is 1000 bytes, `K` and `KiB` are 1024. */
const factorOf = (unit: string): number | undefined => {
	if (unit === 'b' || unit === 'bytes') return 1;
	const [, letter = '', kind] = /^([kmgtpe])(b|ib)?$/.exec(unit) ?? [];
	const power = POWERS.indexOf(letter) + 1;
	return power === 0 ? undefined : (kind === 'b' ? 1000 : 1024) ** power;
};

/**
 * A whole number from 0 to 2^31, decimal.
 * @throws CorruptError for anything else.
 */
export const countOf = (said: string | undefined, field: string, file: string): number | undefined => {
	if (said === undefined) return undefined;
	const count = /^\d{1,10}$/.test(said) ? Number(said) : Number.POSITIVE_INFINITY;
	if (count > 2 ** 31) throw new CorruptError(`it says '${said}', which is no number from 0 to 2147483648`, { path: file, field });
	return count;
};

/**
 * A UUID as lower-case 8-4-4-4-12.
 * @throws CorruptError for what is none.
 */
export const uuidOf = (element: Dom | undefined, file: string): string | undefined => {
	if (!element) return undefined;
	const digits = element.text().replaceAll('-', '').toLowerCase();
	if (!/^[0-9a-f]{32}$/.test(digits)) throw new CorruptError('it is no UUID of 32 hexadecimal digits', { path: file, field: element.path });
	return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
};

/**
 * One of the words that an attribute may say.
 * @throws CorruptError for another.
 */
export const wordOf = <const W extends string>(
	said: string | undefined,
	words: readonly W[],
	field: string,
	file: string,
): W | undefined => {
	if (said === undefined) return undefined;
	const word = words.find((candidate) => candidate === said);
	if (word === undefined) throw new CorruptError(`it says '${said}', and not ${words.join(' or ')}`, { path: file, field });
	return word;
};

/** `yes` or `no`. @throws CorruptError for anything else. */
export const yesOrNo = (said: string | undefined, field: string, file: string): boolean | undefined => {
	const word = wordOf(said, ['yes', 'no'], field, file);
	return word === undefined ? undefined : word === 'yes';
};

/** Seconds, either sign; undefined for anything else. */
export const secondsOf = (said: string | undefined): number | undefined =>
	said !== undefined && /^-?\d{1,10}$/.test(said) ? Number(said) : undefined;
