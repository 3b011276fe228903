import type { Category, Concern } from './rule.ts';
import type { Verdict } from './verdict.ts';

/** A concern that several targets share, by the same evidence. */
export type MergedConcern = Omit<Concern, 'target'> & {
	/** Their ids. */
	readonly targets: readonly string[];
};

const ORDER: readonly Category[] = ['Critical', 'Warning', 'Information'];

/** What stands against the moves of one machine, each thing once, the most important first. */
export const mergeTargets = (verdicts: readonly Verdict[]): readonly MergedConcern[] => {
	const merged = new Map<string, { readonly concern: Concern; readonly targets: string[] }>();
	for (const concern of verdicts.flatMap(({ concerns }) => concerns)) {
		const { id, category, evidence, target } = concern;
		const key = JSON.stringify([id, category, evidence]);
		const known = merged.get(key);
		if (known) known.targets.push(target);
		else merged.set(key, { concern, targets: [target] });
	}
	return [...merged.values()]
		.map(({ concern: { target: _, ...concern }, targets }) => ({ ...concern, targets }))
		.sort((a, b) => ORDER.indexOf(a.category) - ORDER.indexOf(b.category));
};
