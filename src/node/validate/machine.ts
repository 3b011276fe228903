import type { Facts } from '../../validate/facts.ts';
import type { Concern } from '../../validate/rule.ts';
import type { Target } from '../../validate/targets.ts';
import { isBlocking, type ValidateOptions, validate } from '../../validate/validate.ts';
import { type GatherOptions, gatherFacts } from './gather.ts';

export type ValidateMachineOptions = Omit<GatherOptions, 'targets'> &
	ValidateOptions & {
		/** Ids of rules whose concerns do not stop a move. */
		readonly accept?: readonly string[] | undefined;
		/** Warnings stop a move too. */
		readonly strict?: boolean | undefined;
	};

/** What stands against a move of a machine, and everything that is known of it. */
export type MachineValidation = {
	readonly facts: Facts;
	/** All of them, the most important first. */
	readonly concerns: readonly Concern[];
	/** Those for which the move has to wait. */
	readonly blocking: readonly Concern[];
};

/**
 * Look at a machine before it moves: a description, or images that are its disks. Nothing is written.
 * @throws VconvError where nothing could be looked at.
 */
export const validateMachine = async (
	names: readonly [string, ...string[]],
	target: Target,
	options: ValidateMachineOptions,
): Promise<MachineValidation> => {
	const facts = await gatherFacts(names, { ...options, targets: [target] });
	const concerns = validate(facts, target, options);
	const blocking = concerns.filter((concern) => isBlocking(concern, options.strict) && !options.accept?.includes(concern.id));
	return { facts, concerns, blocking };
};
