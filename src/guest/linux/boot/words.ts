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
