import { fileName } from '../bytes/path.ts';
import { UsageError } from '../errors.ts';
import type { Concern, Evidence } from './rule.ts';
import type { ValidationReport } from './verdict.ts';

const SCHEMA = 'vconv.baseline/2';

/** One thing that is known: of which machine, for which target, by which rule, and what was seen. */
type Known = { readonly machine: string; readonly target: string; readonly id: string; readonly evidence: string };

/** A file of what is known of the machines in a report, for people to review and for `knownBy`. */
export const printBaseline = ({ verdicts }: ValidationReport): string => {
	const known = verdicts.flatMap(({ identity, concerns, accepted }) =>
		[...concerns, ...accepted].flatMap((concern) => concern.evidence.map((evidence) => knownOf(identity, concern, evidence))),
	);
	return `${JSON.stringify({ schema: SCHEMA, known }, undefined, '\t')}\n`;
};

/**
 * A function that gives what of a concern is not in a baseline; undefined where all of it is known.
 * @throws UsageError for a file that is no baseline.
 */
export const knownBy = (text: string, path: string): ((identity: string, concern: Concern) => Concern | undefined) => {
	const known = new Set(readKnown(text, path).map((one) => JSON.stringify(one)));
	return (identity, concern) => {
		const evidence = concern.evidence.filter((seen) => !known.has(JSON.stringify(knownOf(identity, concern, seen))));
		return evidence.length === 0 ? undefined : { ...concern, evidence };
	};
};

const readKnown = (text: string, path: string): readonly Known[] => {
	const refuse = (): never => {
		throw new UsageError('it is no baseline', { path, hint: 'one that --write-baseline of this version has written' });
	};
	let found: unknown;
	try {
		found = JSON.parse(text);
	} catch {
		refuse();
	}
	const { schema, known } = (typeof found === 'object' && found !== null ? found : {}) as Readonly<Record<string, unknown>>;
	if (schema !== SCHEMA || !Array.isArray(known)) return refuse();
	return known.map((one: unknown) => {
		const { machine, target, id, evidence } = (typeof one === 'object' && one !== null ? one : {}) as Partial<Known>;
		return { machine: String(machine), target: String(target), id: String(id), evidence: String(evidence) };
	});
};

/** The same wherever the files lie, and however full a file system is today. */
const knownOf = (machine: string, { id, target }: Concern, { what, file, named = [], key }: Evidence): Known => {
	const anywhere = named.reduce((text, path) => text.replaceAll(path, () => fileName(path)), what);
	const anyday = anywhere.replace(/\b\d+(\.\d+)? ?([KMGTPE]i?B|B|bytes|inodes)\b/g, '…');
	return { machine, target, id, evidence: [file && fileName(file), key, anyday].filter(Boolean).join(': ') };
};
