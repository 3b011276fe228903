import { VconvError } from '../../errors.ts';
import type { MachineIdentity } from '../../validate/facts.ts';
import { identityOf } from '../../validate/identity.ts';
import type { Target } from '../../validate/targets.ts';
import { type ValidateOptions, validate } from '../../validate/validate.ts';
import { type ValidationReport, type Verdict, type VerdictOptions, verdictOn } from '../../validate/verdict.ts';
import { realOf } from '../place.ts';
import { version } from '../version.ts';
import { type GatherOptions, gatherFacts, machineIn } from './gather.ts';
import { problemOf } from './problem.ts';
import { refuseLink, type Subject, subjectsIn } from './subjects.ts';

export type ReportOptions = Omit<GatherOptions, 'targets' | 'others'> &
	ValidateOptions &
	VerdictOptions & {
		/** Follow no links that lie in folders. */
		readonly untrusted?: boolean | undefined;
	};

/**
 * Look at machines before they move, to each of some targets. One that cannot be looked at is in the report.
 * @throws VconvError where none could be.
 */
export const validateFiles = async (
	names: readonly string[],
	targets: readonly Target[],
	options: ReportOptions,
): Promise<ValidationReport> => {
	const at = Date.now();
	const verdicts: Verdict[] = [];
	const failures: { readonly subject: string; readonly error: VconvError }[] = [];
	const { machineFormats, untrusted } = options;
	const subjects = await subjectsIn(names, { formats: options.opening.formats, machineFormats, untrusted });
	const identities = await identitiesOf(subjects, machineFormats);
	/** Images that others are deltas of are looked at with those. */
	const parents = new Set<string>();
	for (const subject of subjects) {
		try {
			if (untrusted && !names.includes(subject[0])) refuseLink(subject[0]);
			const facts = await gatherFacts(subject, { ...options, targets, others: identities.filter(({ path }) => path !== subject[0]) });
			for (const { image } of facts.machine ? [] : facts.disks)
				for (const { path } of image?.chain.slice(1) ?? []) parents.add(realOf(path));
			for (const target of targets) verdicts.push(verdictOn(subject[0], target.id, validate(facts, target, options), options));
		} catch (error) {
			if (!(error instanceof VconvError)) throw error;
			failures.push({ subject: subject[0], error });
		}
	}
	const [first] = failures;
	if (first && verdicts.length === 0) throw first.error;
	const named = new Set(names.map(realOf));
	return {
		schema: 'vconv.validation/1',
		vconv: version(),
		at,
		seconds: (Date.now() - at) / 1000,
		verdicts: verdicts.filter(({ subject }) => named.has(realOf(subject)) || !parents.has(realOf(subject))),
		failures: failures.map(({ subject, error }) => ({ subject, problem: problemOf(error) })),
	};
};

/** Who the machines are that are described; one that cannot be read is told of when it is looked at. */
const identitiesOf = async (
	subjects: readonly Subject[],
	formats: GatherOptions['machineFormats'],
): Promise<readonly MachineIdentity[]> => {
	const identities: MachineIdentity[] = [];
	if (subjects.length === 1) return identities;
	for (const [name, ...more] of subjects) {
		try {
			const machine = more.length === 0 ? await machineIn(name, formats) : undefined;
			if (machine) identities.push(identityOf(machine));
		} catch (error) {
			problemOf(error);
		}
	}
	return identities;
};
