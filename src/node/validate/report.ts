import path from 'node:path';
import type { VconvError } from '../../errors.ts';
import type { Facts, Problem } from '../../validate/facts.ts';
import { identityOf } from '../../validate/identity.ts';
import { writtenFor } from '../../validate/rules/host.ts';
import type { Target } from '../../validate/targets.ts';
import { type ValidateOptions, validate } from '../../validate/validate.ts';
import { type ValidationReport, type VerdictOptions, verdictOn } from '../../validate/verdict.ts';
import { refuseLink, type Trust } from '../links.ts';
import { realOf } from '../place.ts';
import { VERSION } from '../version.ts';
import { type GatherOptions, gatherFacts } from './gather.ts';
import { problemOf } from './problem.ts';
import { subjectsIn } from './subjects.ts';

export type ReportOptions = Omit<GatherOptions, 'targets'> &
	ValidateOptions &
	VerdictOptions &
	Trust & {
		/** Hears why a machine could not be looked at. */
		onFailure?(error: VconvError): void;
	};

/**
 * Look at machines before they move, to each of some targets. One that cannot be looked at is in the report.
 * @throws VconvError where there is no saying which machines are meant.
 */
export const validateFiles = async (
	names: readonly string[],
	targets: readonly Target[],
	options: ReportOptions,
): Promise<ValidationReport> => {
	const at = Date.now();
	const all: Facts[] = [];
	const failures: { readonly subject: string; readonly problem: Problem }[] = [];
	for (const subject of await subjectsIn(names, options)) {
		try {
			if (!names.includes(subject[0])) refuseLink(subject[0], names, options);
			all.push(await gatherFacts(subject, { ...options, targets }));
		} catch (error) {
			failures.push({ subject: subject[0], problem: problemOf(error) });
			options.onFailure?.(error as VconvError);
		}
	}
	const moving = withoutParents(all, names);
	const completed = knowingOthers(moving, targets);
	return {
		schema: 'vconv.validation/1',
		vconv: VERSION,
		at,
		seconds: (Date.now() - at) / 1000,
		verdicts: moving.flatMap((one) => {
			const facts = completed(one);
			const known = { subject: one.subject, identity: identityFor(one, names) };
			return targets.map((target) => verdictOn(known, target.id, validate(facts, target, options), options));
		}),
		failures,
	};
};

/**
 * Where it lies below the folder that was named, with its UUID. Of one that was named itself its file's name is enough beside a UUID, and is
 * told with its folder's where there is none.
 */
const identityFor = ({ subject, machine }: Facts, names: readonly string[]): string => {
	const uuid = machine && identityOf(machine).uuid;
	const whole = path.resolve(subject);
	const folders = names.includes(subject) ? [] : names.map((name) => path.resolve(name));
	const named = folders.find((folder) => whole.startsWith(folder + path.sep)) ?? path.dirname(uuid ? whole : path.dirname(whole));
	const place = path.relative(named, whole).split(path.sep).join('/');
	return uuid === undefined ? place : `${place} ${uuid}`;
};

/** Images that others are deltas of were looked at with those, unless the user named them. */
const withoutParents = (all: readonly Facts[], names: readonly string[]): readonly Facts[] => {
	const images = all.filter(({ machine }) => !machine).flatMap(({ disks }) => disks.flatMap(({ image }) => image?.chain.slice(1) ?? []));
	const parents = new Set(images.map(({ path }) => realOf(path)));
	for (const name of names) parents.delete(realOf(name));
	return all.filter(({ subject }) => !parents.has(realOf(subject)));
};

/** A function that adds to the facts of a machine what there is to know of those that move with it: who they are, and what all take. */
const knowingOthers = (all: readonly Facts[], targets: readonly Target[]): ((facts: Facts) => Facts) => {
	const sumFor = ({ id }: Target) => all.reduce((sum, { host }) => sum + writtenFor(host, id), 0);
	const together = Object.fromEntries(targets.map((target) => [target.id, sumFor(target)]));
	const identities = all.flatMap(({ machine }) => (machine ? [identityOf(machine)] : []));
	return (facts) => ({
		...facts,
		others: identities.filter(({ path }) => path !== facts.machine?.path),
		host: facts.host && { ...facts.host, together },
	});
};
