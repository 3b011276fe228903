import type { Entry, Mistake, Place, Tree } from '../syntax/tree.ts';
import { type JobKind, jobKinds, type Value } from './kinds.ts';

/** What all jobs share that do not say otherwise. */
export type Defaults = {
	readonly kind?: string | undefined;
	/** A template of targets. */
	readonly to?: string | undefined;
	readonly values: ReadonlyMap<string, Value>;
	/** Where they are said, if a plan says them. */
	readonly places?: Places | undefined;
};

/** Where values are said, and their paths. */
type Places = ReadonlyMap<string, Place & { readonly field: string }>;

/** One entry of a plan, which may be several jobs: `from` can be a folder or a pattern, and `to` a template. */
export type JobEntry = Place & {
	/** Where it stands: `jobs[3]`. */
	readonly field: string;
	readonly kind: JobKind;
	readonly kindName: string;
	readonly from: string;
	readonly to: string | undefined;
	/** What reports call it, if its source's name will not do. */
	readonly name: string | undefined;
	readonly values: ReadonlyMap<string, Value>;
	readonly places: Places;
};

export type Plan = { readonly entries: readonly JobEntry[]; readonly mistakes: readonly Mistake[] };

/** The version of plans that this is. */
const VERSION = '1';

/** Larger plans are refused, in bytes. */
export const MAX_PLAN = 4 << 20;

/** More jobs than this are refused. */
const MAX_JOBS = 100_000;

const COMMON = ['kind', 'from', 'to', 'name'];

/** Check a plan against what a plan may say; every mistake is told, not only the first. `given` is what the command line says. */
export const readPlan = (tree: Tree, given: Defaults): Plan => {
	const mistakes: Mistake[] = [];
	const complain: Complain = ({ line, column }, field, message, hint) => mistakes.push({ line, column, field, message, hint });
	const top: Tree = tree.kind === 'list' ? { ...tree, kind: 'map', entries: [{ ...tree, key: 'jobs', value: tree }] } : tree;
	if (top.kind !== 'map') {
		complain(top, 'plan', 'a plan is a list of jobs', 'vconv batch init, which writes one to start from');
		return { entries: [], mistakes };
	}
	const sections = section(top.entries, ['version', 'defaults', 'jobs'], '', complain);
	const version = sections.get('version')?.value;
	if (version && (version.kind !== 'text' || version.text !== VERSION)) {
		complain(version, 'version', `this vconv reads plans of version ${VERSION}`, `version: ${VERSION}`);
	}
	const defaults = readDefaults(sections.get('defaults')?.value, given, complain);
	const jobs = sections.get('jobs')?.value;
	if (jobs?.kind !== 'list' || jobs.items.length === 0) {
		complain(jobs ?? top, 'jobs', 'there are no jobs in it', 'jobs: and under it a list of from: and to:');
		return { entries: [], mistakes };
	}
	if (jobs.items.length > MAX_JOBS) {
		complain(jobs, 'jobs', `${jobs.items.length} jobs are over the ${MAX_JOBS} of a plan`, 'several plans');
		return { entries: [], mistakes };
	}
	const entries = jobs.items.flatMap((item, index) => readJob(item, `jobs[${index + 1}]`, defaults, complain) ?? []);
	return { entries, mistakes };
};

type Complain = (place: Place, field: string, message: string, hint?: string) => void;

/** The entries of a map by their keys, those that it may have. */
const section = (entries: readonly Entry[], known: readonly string[], field: string, complain: Complain): Map<string, Entry> => {
	const found = new Map<string, Entry>();
	for (const entry of entries) {
		const path = join(field, entry.key);
		if (!known.includes(entry.key)) complain(entry, path, `there is no key '${entry.key}' here`, `one of ${known.join(', ')}`);
		else if (found.has(entry.key)) complain(entry, path, `'${entry.key}' is said twice`);
		else found.set(entry.key, entry);
	}
	return found;
};

const join = (field: string, key: string): string => (field === '' ? key : `${field}.${key}`);

const readDefaults = (tree: Tree | undefined, given: Defaults, complain: Complain): Defaults => {
	if (!tree) return given;
	if (tree.kind !== 'map') {
		complain(tree, 'defaults', 'defaults are keys and values, as a job has', 'defaults: { to: "out/{name}.qcow2" }');
		return given;
	}
	const fields = Object.assign({}, ...Object.values(jobKinds).map((kind) => kind.fields)) as JobKind['fields'];
	const found = section(tree.entries, ['kind', 'to', ...Object.keys(fields)], 'defaults', complain);
	const values = readValues(found, fields, 'defaults', complain);
	return {
		kind: textOf(found.get('kind'), 'defaults', complain) ?? given.kind,
		to: textOf(found.get('to'), 'defaults', complain) ?? given.to,
		values: new Map([...given.values, ...values]),
		places: placesOf(found, 'defaults'),
	};
};

const readJob = (tree: Tree, field: string, defaults: Defaults, complain: Complain): JobEntry | undefined => {
	// `- disks/web.vmdk` alone is a source, and the rest by default.
	const said = tree.kind === 'text' ? [{ line: tree.line, column: tree.column, key: 'from', value: tree }] : undefined;
	const entries = tree.kind === 'map' ? tree.entries : said;
	if (!entries) {
		complain(tree, field, 'a job is keys and values, or the name of a source', '{ from: web.vmdk, to: web.qcow2 }');
		return undefined;
	}
	const kindEntry = entries.find(({ key }) => key === 'kind');
	const kindName = textOf(kindEntry, field, complain) ?? defaults.kind ?? 'convert';
	const kind = Object.hasOwn(jobKinds, kindName) ? jobKinds[kindName] : undefined;
	if (!kind) {
		const kinds = Object.keys(jobKinds).join(', ');
		complain(kindEntry?.value ?? tree, join(field, 'kind'), `there is no kind of job called '${kindName}'`, `one of ${kinds}`);
		return undefined;
	}
	const found = section(entries, [...COMMON, ...Object.keys(kind.fields)], field, complain);
	const from = textOf(found.get('from'), field, complain);
	const ownTo = textOf(found.get('to'), field, complain);
	if (from === undefined)
		complain(tree, join(field, 'from'), 'the job does not say what to read', 'from: and a file, a folder or a pattern');
	if (kind.target === 'none' && ownTo !== undefined) {
		complain(found.get('to') ?? tree, join(field, 'to'), `${kindName} writes nothing`, 'the job without to:');
	}
	const to = kind.target === 'none' ? undefined : (ownTo ?? defaults.to);
	if (kind.target !== 'none' && to === undefined) {
		complain(tree, join(field, 'to'), 'the job does not say what to write', 'to: and a name, or a template as out/{name}.qcow2');
	}
	const shared = [...defaults.values].filter(([name]) => Object.hasOwn(kind.fields, name));
	const values = new Map([...shared, ...readValues(found, kind.fields, field, complain)]);
	for (const [key, { flag = '', needed }] of Object.entries(kind.fields)) {
		if (needed === undefined || found.has(key) || values.has(key) || saysItself(values.get('arguments'), flag)) continue;
		complain(tree, join(field, key), `${kindName} needs ${key}`, `${key}: ${needed}`);
		values.set(key, needed);
	}
	const name = textOf(found.get('name'), field, complain);
	if (from === undefined || (kind.target !== 'none' && to === undefined)) return undefined;
	const places = new Map([...(defaults.places ?? []), ...placesOf(found, field)]);
	return { line: tree.line, column: tree.column, field, kind, kindName, from, to, name, values, places };
};

const placesOf = (found: ReadonlyMap<string, Entry>, field: string): Places =>
	new Map([...found].map(([key, { value }]) => [key, { line: value.line, column: value.column, field: join(field, key) }]));

/** Whether further arguments have an option among them. */
const saysItself = (said: Value | undefined, flag: string): boolean =>
	Array.isArray(said) && said.some((word) => word === flag || word.startsWith(`${flag}=`));

const readValues = (
	found: ReadonlyMap<string, Entry>,
	fields: JobKind['fields'],
	field: string,
	complain: Complain,
): Map<string, Value> => {
	const values = new Map<string, Value>();
	for (const [name, entry] of found) {
		const type = Object.hasOwn(fields, name) ? fields[name]?.type : undefined;
		if (!type) continue;
		const value = READERS[type](entry.value, (place, message, hint) => complain(place, join(field, name), message, hint));
		if (value !== undefined) values.set(name, value);
	}
	return values;
};

const textOf = (entry: Entry | undefined, field: string, complain: Complain): string | undefined =>
	entry && readText(entry.value, (place, message, hint) => complain(place, join(field, entry.key), message, hint));

type Say = (place: Place, message: string, hint?: string) => void;

const readText = (tree: Tree, say: Say): string | undefined => {
	if (tree.kind === 'text' && tree.text !== '' && !/[\0\r\n]/.test(tree.text)) return tree.text;
	say(tree, tree.kind === 'text' ? (tree.text === '' ? 'it is empty' : 'it is of one line') : 'it is one text, not several');
	return undefined;
};

const readTexts = (tree: Tree, say: Say): string[] | undefined => {
	const items = tree.kind === 'list' ? tree.items : tree.kind === 'text' ? parts(tree, ';') : undefined;
	if (!items) say(tree, 'it is a list', '[first, second]');
	return items?.flatMap((item) => readText(item, say) ?? []);
};

/** The parts of a text as texts of their own, for CSV. */
const parts = (tree: Tree & { readonly kind: 'text' }, separator: string): Tree[] =>
	tree.text.split(separator).map((text) => ({ ...tree, text: text.trim() }));

const READERS: Readonly<Record<JobKind['fields'][string]['type'], (tree: Tree, say: Say) => Value | undefined>> = {
	text: readText,
	path: readText,
	texts: readTexts,
	paths: readTexts,
	flag(tree, say) {
		const text = tree.kind === 'text' ? tree.text.toLowerCase() : '';
		if (['true', 'yes', 'on'].includes(text)) return true;
		if (['false', 'no', 'off'].includes(text)) return false;
		say(tree, 'it is yes or no', 'true or false');
		return undefined;
	},
	number(tree, say) {
		if (tree.kind === 'text' && /^\d{1,9}$/.test(tree.text)) return tree.text;
		say(tree, 'it is a number');
		return undefined;
	},
	options(tree, say) {
		if (tree.kind === 'text') return splitOptions(tree.text);
		if (tree.kind !== 'map') say(tree, 'it is names and values', '{ cluster_size: 2M }');
		const entries = tree.kind === 'map' ? tree.entries : [];
		return entries.flatMap((entry) => {
			if (!/^[\w.-]+$/.test(entry.key)) say(entry, `'${entry.key}' is no name of an option`);
			const value = readText(entry.value, say);
			// A comma parts options on a command line, and two are one of the value's own.
			return value === undefined ? [] : [`${entry.key}=${value.replaceAll(',', ',,')}`];
		});
	},
};

/** `k=v,k=v` as its parts; a doubled comma is one of a value's own, and stays doubled. */
export const splitOptions = (said: string): string[] => said.match(/(?:[^,]|,,)+/g) ?? [];
