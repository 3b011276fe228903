import { UnsupportedError } from '../../../errors.ts';

// https://www.gnu.org/software/grub/manual/grub/grub.html#Quoting

/** What has no blank outside of quotes: a word may be of several pieces, as `'it'\''s'` is. */
const WORD = /(?:'[^']*'|"(?:\\.|[^"\\])*"|\\.|[^\s'"\\])+/gs;

const PIECE = /'([^']*)'|"((?:\\.|[^"\\])*)"|\\(.)/gs;

/** The words of a line of GRUB's, as they are written. */
export const grubWords = (line: string): readonly string[] => line.match(WORD) ?? [];

/** What a word of GRUB's says. Variables stay as they are written. */
export const unquoted = (word: string): string =>
	word.replace(
		PIECE,
		(_, single?: string, double?: string, escaped?: string) => single ?? double?.replace(/\\([$"\\])/g, '$1') ?? escaped ?? '',
	);

/**
 * Puts the values of variables in their places; one without a value is nothing.
 * @param what what they are put into, for the message.
 * @throws UnsupportedError as soon as all that was put in is longer than `most`.
 */
export const expander = (values: ReadonlyMap<string, string>, most: number, what: string): ((text: string) => string) => {
	let total = 0;
	return (text) =>
		text.replace(/\$\{?(\w+)\}?/g, (_, name: string) => {
			const value = values.get(name) ?? '';
			total += value.length;
			if (total > most) throw new UnsupportedError(`${what} is longer than ${most} bytes`);
			return value;
		});
};
