import { UsageError } from '../errors.ts';
import { startsByEfi } from '../machine/firmware.ts';
import type { Facts } from './facts.ts';
import type { Category, Concern, Rule } from './rule.ts';
import { rules as allRules } from './rules/index.ts';
import { type Target, targets } from './targets.ts';

export type ValidateOptions = {
	/** The rules to apply; all of them where left out. */
	readonly rules?: readonly Rule[] | undefined;
	/** Other categories for rules, by id; `off` for a rule that is not applied. */
	readonly categories?: ReadonlyMap<string, Category | 'off'> | undefined;
};

const ORDER: readonly Category[] = ['Critical', 'Warning', 'Information'];

/** More evidence than this is not for people. */
const MOST_EVIDENCE = 50;

/** What stands against a move to a target, the most important first. Nothing is opened: everything is in the facts. */
export const validate = (
	facts: Facts,
	target: Target,
	{ rules = allRules, categories = new Map() }: ValidateOptions = {},
): readonly Concern[] => {
	const meant = asMeant(target, facts);
	return rules
		.flatMap((rule): Concern[] => {
			const { id, label, assessment, remedy } = rule;
			const category = categories.get(id) ?? rule.category;
			if (category === 'off' || (rule.targets && !rule.targets.includes(target.id))) return [];
			const evidence = [...rule.find(facts, meant)].slice(0, MOST_EVIDENCE);
			return evidence.length === 0 ? [] : [{ id, category, label, assessment, remedy, target: target.id, evidence }];
		})
		.sort((a, b) => ORDER.indexOf(a.category) - ORDER.indexOf(b.category));
};

/** The target as it is for a machine with this firmware. */
const asMeant = (target: Target, { machine, guest }: Facts): Target => {
	const { withBios, most, has } = target;
	const startsByBios = machine ? !startsByEfi(machine.spec) : guest?.firmware.type === 'bios';
	if (!withBios || !startsByBios) return target;
	return { ...target, ...withBios, most: { ...most, ...withBios.most }, has: [...has, ...(withBios.has ?? [])] };
};

/** Whether a move has to wait: for Critical concerns, and with `strict` for Warnings too. */
export const isBlocking = ({ category }: Concern, strict = false): boolean => category === 'Critical' || (strict && category === 'Warning');

/** @throws UsageError for an id that is of none of the rules. */
export const refuseUnknownRules = (ids: readonly string[] = [], rules: readonly Rule[] = allRules): void => {
	const unknown = ids.find((id) => !rules.some((rule) => rule.id === id));
	if (unknown !== undefined) throw new UsageError(`there is no rule '${unknown}'`, { hint: 'vconv validate --list' });
};

/** The target of this id. @throws UsageError naming those there are. */
export const targetNamed = (id: string): Target => {
	const found = targets.find((target) => target.id === id.toLowerCase());
	if (!found) throw new UsageError(`there is no target '${id}'`, { hint: `one of ${targets.map((target) => target.id).join(', ')}` });
	return found;
};
