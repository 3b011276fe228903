import type { Mistake, Place } from '../syntax/tree.ts';
import { argvOf, type JobKind, type Value } from './kinds.ts';

/** What a command says against the words after `vconv`, whatever its source is; undefined if nothing. */
export type Check = (argv: readonly string[]) => { readonly message: string; readonly hint?: string | undefined } | undefined;

/** The words of a job, by what says them. */
export type Words = {
	readonly kind: JobKind;
	readonly values: ReadonlyMap<string, Value>;
	readonly from: string;
	readonly to: string | undefined;
};

/**
 * All that the command has against the values of a job, each where it is said: the value without which the command says something else, or
 * nothing.
 * @param place where a value is said; of the job itself without a name.
 */
export const mistakesIn = (
	{ kind, values, from, to }: Words,
	check: Check,
	place: (name?: string) => Place & { readonly field: string },
): Mistake[] => {
	const mistakes: Mistake[] = [];
	for (let left = values; ; ) {
		const wrong = check(argvOf(kind, left, from, to));
		if (!wrong) return mistakes;
		const messageWithout = (name: string): string | undefined => check(argvOf(kind, without(kind, left, name), from, to))?.message;
		const name = [...left.keys()].find((each) => messageWithout(each) !== wrong.message);
		const { line, column, field } = place(name);
		const inPlan = (said: string): string => asSaid(said, kind, name);
		mistakes.push({ line, column, field, message: inPlan(wrong.message), hint: wrong.hint && inPlan(wrong.hint) });
		if (name === undefined) return mistakes;
		left = without(kind, left, name);
	}
};

/** The values but one. What means something only with it goes too, and what the command cannot be without has a value that it takes. */
const without = ({ fields }: JobKind, values: ReadonlyMap<string, Value>, name: string): ReadonlyMap<string, Value> => {
	const { needed } = fields[name] ?? {};
	const saysFormat = name === 'format' || name === 'for';
	const left = [...values].filter(([each]) => each !== name && !(saysFormat && fields[each]?.type === 'options'));
	return new Map(needed === undefined ? left : [...left, [name, needed]]);
};

/** A plan has keys where a command line has options. */
const asSaid = (said: string, { fields }: JobKind, name = ''): string => {
	const { flag } = fields[name] ?? {};
	return flag !== undefined && said.startsWith(`${flag} `) ? `${name}${said.slice(flag.length)}` : said;
};
