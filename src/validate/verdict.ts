import type { Problem } from './facts.ts';
import type { Category, Concern } from './rule.ts';
import { isBlocking } from './validate.ts';

/** What stands against a move of one machine to one target. */
export type Verdict = {
	/** What the user named. */
	readonly subject: string;
	/** What a baseline knows it by: the same wherever the folder of the machines lies, and no other machine's. */
	readonly identity: string;
	/** The target's id. */
	readonly target: string;
	/** The most important first. */
	readonly concerns: readonly Concern[];
	/** Those that are known and do not count; of one that is known in part, that part. */
	readonly accepted: readonly Concern[];
	/** Whether the move has to wait. */
	readonly blocking: boolean;
};

/** What came of looking at machines before they move. */
export type ValidationReport = {
	readonly schema: 'vconv.validation/1';
	/** vconv's version. */
	readonly vconv: string;
	/** Milliseconds since 1970, and how long it took. */
	readonly at: number;
	readonly seconds: number;
	readonly verdicts: readonly Verdict[];
	/** What could not be looked at, and why. */
	readonly failures: readonly { readonly subject: string; readonly problem: Problem }[];
};

export type VerdictOptions = {
	/** Ids of rules that are no matter. */
	readonly accept?: readonly string[] | undefined;
	/** What of a concern is not known yet, of the same pieces of evidence: all of it where left out, nothing where it is undefined. */
	readonly unknown?: ((identity: string, concern: Concern) => Concern | undefined) | undefined;
	/** Warnings count too. */
	readonly strict?: boolean | undefined;
};

/** Tell the concerns that count from those that are known. */
export const verdictOn = (
	{ subject, identity }: Pick<Verdict, 'subject' | 'identity'>,
	target: string,
	all: readonly Concern[],
	options: VerdictOptions = {},
): Verdict => {
	const { accept = [], unknown = (_, concern) => concern, strict } = options;
	const concerns = all.flatMap((concern) => (accept.includes(concern.id) ? [] : (unknown(identity, concern) ?? [])));
	const counted = new Set(concerns.flatMap(({ evidence }) => evidence));
	const accepted = all
		.map((concern) => ({ ...concern, evidence: concern.evidence.filter((seen) => !counted.has(seen)) }))
		.filter(({ evidence }) => evidence.length > 0);
	return { subject, identity, target, concerns, accepted, blocking: concerns.some((concern) => isBlocking(concern, strict)) };
};

/** How many concerns of each category there are. */
export const countConcerns = (concerns: readonly Concern[]): Readonly<Record<Category, number>> => {
	const count = (category: Category): number => concerns.filter((concern) => concern.category === category).length;
	return { Critical: count('Critical'), Warning: count('Warning'), Information: count('Information') };
};
