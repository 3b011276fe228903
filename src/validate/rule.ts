import type { Facts } from './facts.ts';
import type { Target } from './targets.ts';

/** `Critical`: the move fails, or the machine does not run after it. `Warning`: something is lost or works in another way. `Information`: good to know. */
export type Category = 'Critical' | 'Warning' | 'Information';

/** One thing that may be wrong with a move, and how to see it. */
export type Rule = {
	/** Stable, for scripts and baselines; Forklift's own where it has the rule. */
	readonly id: string;
	readonly category: Category;
	/** A few words. */
	readonly label: string;
	/** What it means for the machine after the move. */
	readonly assessment: string;
	/** What to do about it. */
	readonly remedy: string;
	/** The ids of the targets that it is about; all of them where left out. */
	readonly targets?: readonly string[] | undefined;
	/** Where it shows; nothing where it does not. Pure: what it needs is in the facts. */
	find(facts: Facts, target: Target): Iterable<Evidence>;
};

/** What was seen, and where. */
export type Evidence = {
	/** One sentence or less, with the values. */
	readonly what: string;
	/** What to do about this very thing, where that is known: a command or a sentence. */
	readonly hint?: string | undefined;
	readonly file?: string | undefined;
	/** Host offset in bytes. */
	readonly offset?: number | undefined;
	/** Other files, as `what` names them. */
	readonly named?: readonly string[] | undefined;
	/** The key of a description, the path of a file of the guest, or a registry key. */
	readonly key?: string | undefined;
};

/** What was seen, and what to do about it, as one line. */
export const inWords = ({ what, hint }: Pick<Evidence, 'what' | 'hint'>): string => (hint === undefined ? what : `${what} (${hint})`);

/** A rule that fired for a target. */
export type Concern = Pick<Rule, 'id' | 'category' | 'label' | 'assessment' | 'remedy'> & {
	readonly target: string;
	readonly evidence: readonly Evidence[];
};
