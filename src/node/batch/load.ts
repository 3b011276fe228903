import fs from 'node:fs';
import path from 'node:path';
import type { Check } from '../../batch/check.ts';
import { readCsv } from '../../batch/csv.ts';
import { expandPlan, type Job } from '../../batch/expand.ts';
import { isGlob } from '../../batch/glob.ts';
import { type Defaults, MAX_PLAN, readPlan } from '../../batch/plan.ts';
import type { Note } from '../../core/note.ts';
import { AccessError, UnsupportedError, UsageError, type VconvError } from '../../errors.ts';
import type { Mistake, Place, Tree } from '../../syntax/tree.ts';
import { readYaml } from '../../syntax/yaml.ts';
import { accessError, statOf } from '../file.ts';
import { readRecords } from './folder.ts';
import { surroundings } from './sources.ts';
import { writtenBy } from './standing.ts';

/** What a command line means by its operands. */
export type Loaded = {
	readonly jobs: readonly Job[];
	/** All of them, in the order of the file; with any there is nothing to run. */
	readonly mistakes: readonly VconvError[];
	/** What was not taken for a job, though it might have been meant. */
	readonly notes: readonly Note[];
	/** Where something stands in the plan, or which operand it is. */
	place(at: Place): string;
	/** What reports call it. */
	readonly name: string;
	/** The folder of its state. */
	readonly state: string;
};

const READERS: Readonly<Record<string, typeof readYaml>> = { '.yaml': readYaml, '.yml': readYaml, '.json': readYaml, '.csv': readCsv };

/**
 * The jobs of a plan, whose file names are from its own folder; or, from the present one, of the images, folders and patterns that stand
 * in its place. What earlier runs have written is no source. `check` is what their commands have against words; `stateFolder` is for the state, where
 * the user says one. @throws VconvError for what cannot be read at all.
 */
export const loadJobs = (operands: readonly string[], given: Defaults, check: Check, stateFolder: string | undefined): Loaded => {
	const [only = ''] = operands;
	const read = operands.length === 1 ? READERS[path.extname(only).toLowerCase()] : undefined;
	if (!read) return loadSources(operands, given, check, stateFolder ?? path.resolve('vconv.batch'));
	const tree = read(readText(only));
	const folder = path.dirname(path.resolve(only));
	const state = stateFolder ?? path.join(folder, `${path.basename(only, path.extname(only))}.batch`);
	const place = ({ line, column }: Place): string => `${only}:${line}:${column}`;
	return {
		...('mistakes' in tree ? told([], tree.mistakes, place) : expanded(tree, given, check, folder, place, state)),
		place,
		name: only,
		state,
	};
};

const loadSources = (operands: readonly string[], given: Defaults, check: Check, state: string): Loaded => {
	for (const name of operands) {
		if (!isGlob(name) && !fs.existsSync(name)) {
			throw new AccessError('it is neither a plan nor an image, a folder or a pattern that finds any', {
				path: name,
				hint: 'vconv batch --help',
			});
		}
	}
	const items = operands.map((text, index): Tree => ({ line: index + 1, column: 1, kind: 'text', text }));
	const place = ({ line }: Place): string => operands[line - 1] ?? '';
	const tree: Tree = { line: 1, column: 1, kind: 'list', items };
	const { mistakes, ...loaded } = expanded(tree, given, check, process.cwd(), place, state);
	return { ...loaded, mistakes: mistakes.map(asOption), place, name: operands.join(' '), state };
};

/** There is no plan that could have a key. */
const asOption = ({ message, path: at, hint }: VconvError): UsageError =>
	new UsageError(message, { path: at, hint: hint?.replace(/^(to|target): /, '--$1 ').replace('--to and a name', '--to with a name') });

const expanded = (tree: Tree, given: Defaults, check: Check, folder: string, place: Loaded['place'], state: string) => {
	const plan = readPlan(tree, given);
	const notes: Note[] = [];
	const { jobs, mistakes } = expandPlan(
		plan.entries,
		surroundings(folder, check, (note) => notes.push(note), writtenBy(readRecords(state).values())),
	);
	return told(jobs, [...plan.mistakes, ...mistakes], place, notes);
};

const told = (
	jobs: readonly Job[],
	mistakes: readonly Mistake[],
	place: Loaded['place'],
	notes: readonly Note[] = [],
): Pick<Loaded, 'jobs' | 'mistakes' | 'notes'> => ({
	jobs,
	notes,
	mistakes: mistakes
		.toSorted((a, b) => a.line - b.line || a.column - b.column)
		.map(({ message, other, field, hint, ...at }) => {
			return new UsageError(other ? `${message} (${place(other)})` : message, { path: place(at), field, hint });
		}),
});

const readText = (name: string): string => {
	const stat = statOf(name);
	if (stat && stat.size > MAX_PLAN) {
		throw new UnsupportedError(`it has ${stat.size} bytes, and a plan has at most ${MAX_PLAN}`, { path: name, hint: 'several plans' });
	}
	try {
		return fs.readFileSync(name, 'utf8');
	} catch (cause) {
		throw accessError('cannot be read', name, cause);
	}
};
