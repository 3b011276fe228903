import { parseArgs } from 'node:util';
import type { Job } from '../../batch/expand.ts';

const text = { type: 'string', multiple: true } as const;
const flag = { type: 'boolean' } as const;

/** The options of conversions and migrations that say what is read and what is written. */
const OPTIONS = {
	to: text,
	format: { ...text, short: 'f' },
	'output-format': { ...text, short: 'O' },
	option: { ...text, short: 'o' },
	for: text,
	compress: { ...flag, short: 'c' },
	snapshot: { ...text, short: 'l' },
	backing: { ...text, short: 'B' },
	'keep-chain': flag,
	layer: flag,
	proof: flag,
	force: flag,
	untrusted: flag,
	'allow-external': text,
	'path-map': text,
	limit: text,
} as const;

type Names<T> = { [K in keyof typeof OPTIONS]: (typeof OPTIONS)[K]['type'] extends T ? K : never }[keyof typeof OPTIONS];

/** What the words of a job say, by keys of its plan or by its further arguments. */
export type Said = {
	/** All values of an option. */
	texts(name: Names<'string'>): readonly string[];
	text(name: Names<'string'>): string | undefined;
	has(name: Names<'boolean'>): boolean;
};

export const saidBy = ({ argv }: Pick<Job, 'argv'>): Said => {
	// A switch with a value would be no switch to parseArgs.
	const args = argv.flatMap((word) => (/^--[a-z-]+=false$/.test(word) ? [] : word.replace(/^(--[a-z-]+)=true$/, '$1')));
	const { values } = parseArgs({ args, strict: false, options: OPTIONS });
	const texts = (name: Names<'string'>): string[] => [values[name]].flat().filter((each) => typeof each === 'string');
	return { texts, text: (name) => texts(name).at(-1), has: (name) => values[name] === true };
};
