import type { Mistake, Place } from '../syntax/tree.ts';
import { type Check, mistakesIn, type Words } from './check.ts';
import { argvOf, type JobKind, jobKinds, type Value } from './kinds.ts';
import type { JobEntry } from './plan.ts';
import { fillTemplate, templateNames } from './template.ts';

/** One thing to do: a run of a command of vconv, and where the plan says it. */
export type Job = Place & {
	/** Of its entry: `jobs[3]`. */
	readonly field: string;
	/** Of its command, source, target and options: the same job has the same id, in whatever plan and order it stands. */
	readonly id: string;
	readonly kind: string;
	/** What reports call it. */
	readonly name: string;
	/** Absolute. */
	readonly from: string;
	/** Absolute; undefined for jobs that write nothing. */
	readonly to: string | undefined;
	/** The words after `vconv`. */
	readonly argv: readonly string[];
	readonly values: ReadonlyMap<string, Value>;
};

/** The files that a source stands for, and the folder where the search began. */
export type Found = {
	readonly root: string;
	readonly files: readonly string[];
	readonly failure?: { readonly message: string; readonly hint?: string | undefined } | undefined;
};

/** What expanding needs of the world. */
export type Surroundings = {
	/** An absolute name, with `/`, for one that a plan says. */
	resolve(name: string): string;
	/** Where a file of this name is, past the links that lead to its folder: of two names with one place, either replaces the other. */
	place(name: string): string;
	/** What a name leads to, past a link that it is itself too. */
	real(name: string): string;
	/**
	 * What a source stands for: itself, the images or machines of a folder, all that fit a pattern; or why that cannot be told.
	 * @param argv the words of the job so far, for which links may be followed.
	 */
	find(name: string, source: JobKind['source'], argv: readonly string[]): Found;
	/** What the command has against the words of a job. */
	readonly check: Check;
	/** The id of a job by its words. */
	id(argv: readonly string[]): string;
};

/** The jobs of a plan, in its order, each with a target of its own. */
export const expandPlan = (
	entries: readonly JobEntry[],
	surroundings: Surroundings,
): { readonly jobs: readonly Job[]; readonly mistakes: readonly Mistake[] } => {
	const jobs: Job[] = [];
	const mistakes: Mistake[] = [];
	/** What is written, and what is read, with the entry that does. */
	const claimed = new Map<string, JobEntry>();
	const sources = new Map<string, JobEntry>();
	const against = checkEach(surroundings.check);
	/** Against values: what is said of a default is said once. */
	const told = new Map<string, Mistake>();
	for (const entry of entries) {
		const { line, column, field, kind } = entry;
		const complain = (key: string, message: string, hint?: string, other?: JobEntry): void => {
			mistakes.push({ line, column, field: `${field}.${key}`, message, hint, other });
		};
		const values = resolved(kind, entry.values, surroundings);
		const words = argvOf(kind, values, entry.from, undefined);
		const { root, files, failure } = surroundings.find(surroundings.resolve(entry.from), kind.source, words);
		if (files.length === 0) {
			const nothing = { message: `'${entry.from}' finds no ${kind.source}`, hint: 'another pattern, or the names of files' };
			const { message, hint } = failure ? { ...failure, message: `'${entry.from}': ${failure.message}` } : nothing;
			complain('from', message, hint);
			continue;
		}
		let wrong: readonly Mistake[] = [];
		for (const from of files) {
			const names = templateNames(from, root);
			const filled = entry.to === undefined ? undefined : fillTemplate(entry.to, names);
			if (typeof filled === 'object') {
				complain(
					'to',
					`there is no {${filled.unknown}}`,
					`one of ${Object.keys(names)
						.map((name) => `{${name}}`)
						.join(', ')}`,
				);
				break;
			}
			const to = filled === undefined ? undefined : surroundings.resolve(filled);
			if (wrong.length === 0) wrong = against({ kind, values, from, to }, (name = '') => entry.places.get(name) ?? entry);
			const argv = argvOf(kind, values, from, to);
			const id = surroundings.id(argv);
			const claim = to === undefined ? id : claimOf(to, kind, surroundings);
			const other = claimed.get(claim);
			if (other !== undefined) {
				const hint = files.length > 1 ? 'a template with {name}, {base} or {dir} in it' : 'another target';
				const said = to === undefined ? `it is the same job as ${other.field}` : `${other.field} writes '${filled}' too`;
				complain('to', said, hint, other);
				break;
			}
			claimed.set(claim, entry);
			sources.set(surroundings.place(from), entry).set(surroundings.real(from), entry);
			jobs.push({ line, column, field, id, kind: entry.kindName, name: nameOf(entry, from, root), from, to, argv, values });
		}
		for (const mistake of wrong) told.set(`${mistake.field}: ${mistake.message}`, mistake);
	}
	for (const { line, column, field, to, name, kind } of jobs) {
		const claim = to === undefined ? '' : claimOf(to, jobKinds[kind], surroundings);
		const other = sources.get(claim);
		if (!other) continue;
		const message = `${name} would be written over what ${other.field} reads`;
		mistakes.push({ line, column, field: `${field}.to`, message, hint: 'another target', other });
	}
	return { jobs, mistakes: [...mistakes, ...told.values()] };
};

/** `mistakesIn`, once for all jobs that say the same: but for the extension of a target its name is no matter. */
const checkEach = (check: Check) => {
	const sound = new Set<string>();
	return (words: Words, place: Parameters<typeof mistakesIn>[2]): readonly Mistake[] => {
		const key = JSON.stringify([words.kind.command, ...words.values, words.to?.replace(/^.*[./]/s, '')]);
		const mistakes = sound.has(key) ? [] : mistakesIn(words, check, place);
		if (mistakes.length === 0) sound.add(key);
		return mistakes;
	};
};

/** What a target is, whatever links lead to it: a file replaces a link that has its name, and a folder is entered through one. */
const claimOf = (to: string, kind: JobKind | undefined, { place, real }: Surroundings): string =>
	kind?.target === 'folder' ? real(to) : place(to);

/** Its own name, or that of its source below the folder where the search began. */
const nameOf = ({ name }: JobEntry, from: string, root: string): string => {
	const below = from.startsWith(`${root}/`) ? from.slice(root.length + 1) : from.slice(from.lastIndexOf('/') + 1);
	return name === undefined ? below : fillName(name, from, root);
};

const fillName = (template: string, from: string, root: string): string => {
	const filled = fillTemplate(template, templateNames(from, root));
	return typeof filled === 'string' ? filled : template;
};

/** Names of files among the values, absolute: a job means the same from wherever the batch is started. */
const resolved = (kind: JobKind, values: ReadonlyMap<string, Value>, { resolve }: Surroundings): ReadonlyMap<string, Value> =>
	new Map(
		[...values].map(([name, value]) => {
			const type = kind.fields[name]?.type;
			if (type === 'path' && typeof value === 'string') return [name, resolve(value)] as const;
			if (type === 'paths' && typeof value === 'object') return [name, value.map(resolve)] as const;
			return [name, value] as const;
		}),
	);
