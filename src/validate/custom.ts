import { UsageError } from '../errors.ts';
import { shown } from '../machine/report.ts';
import type { Entry, Tree } from '../syntax/tree.ts';
import { readYaml } from '../syntax/yaml.ts';
import type { Facts } from './facts.ts';
import type { Category, Evidence, Rule } from './rule.ts';
import { targets } from './targets.ts';

/** What somebody wants judged otherwise than vconv does. */
export type CustomRules = {
	/** Rules of their own. */
	readonly rules: readonly Rule[];
	/** Other categories for rules, by id. */
	readonly categories: ReadonlyMap<string, Category | 'off'>;
};

const CATEGORIES: readonly (Category | 'off')[] = ['Critical', 'Warning', 'Information', 'off'];

/** More evidence of one rule is not gathered. */
const MOST_EVIDENCE = 50;

/**
 * A file of rules, in YAML or JSON: `categories` by the ids of rules, and `rules` of their own, which look for keys of a description.
 * @param known the rules that there are already.
 * @throws UsageError with line and column for anything that is not that.
 */
export const readCustomRules = (text: string, path: string, known: readonly Rule[]): CustomRules => {
	const tree = readYaml(text);
	const [mistake] = 'mistakes' in tree ? tree.mistakes : [];
	if ('mistakes' in tree) throw new UsageError(mistake?.message ?? 'it is no YAML', { path, field: mistake && placeOf(mistake) });
	const reader = fieldsOf(path);
	const top = reader.map(tree, ['categories', 'rules']);
	const rules = reader.list(top.get('rules')).map((item) => ruleOf(item, reader));
	const ids = new Set<string>();
	for (const { id } of [...known, ...rules]) {
		if (ids.has(id))
			throw new UsageError(`there are two rules '${id}'`, { path, hint: 'another id; categories: changes a rule that there is' });
		ids.add(id);
	}
	const categories = new Map<string, Category | 'off'>();
	for (const entry of reader.entries(top.get('categories'))) {
		if (!ids.has(entry.key)) {
			throw new UsageError(`there is no rule '${entry.key}'`, { path, field: placeOf(entry), hint: 'vconv validate --list' });
		}
		categories.set(entry.key, reader.oneOf(entry.value, CATEGORIES));
	}
	return { rules, categories };
};

const placeOf = ({ line, column }: { readonly line: number; readonly column: number }): string => `line ${line}, column ${column}`;

const ruleOf = (item: Tree, reader: ReturnType<typeof fieldsOf>): Rule => {
	const fields = reader.map(item, ['id', 'category', 'label', 'assessment', 'remedy', 'targets', 'when']);
	const when = reader.map(reader.required(fields, item, 'when'), ['key', 'value']);
	const key = reader.pattern(reader.required(when, item, 'key'));
	const value = when.get('value');
	const fits = value === undefined ? undefined : reader.pattern(value);
	const said = fields.get('targets');
	return {
		id: reader.text(reader.required(fields, item, 'id')),
		category: reader.oneOf(reader.required(fields, item, 'category'), ['Critical', 'Warning', 'Information']),
		label: reader.text(reader.required(fields, item, 'label')),
		assessment: reader.text(reader.required(fields, item, 'assessment')),
		remedy: reader.text(reader.required(fields, item, 'remedy')),
		targets:
			said &&
			reader.list(said).map((one) =>
				reader.oneOf(
					one,
					targets.map(({ id }) => id),
				),
			),
		find: ({ machine }) => (machine ? keysLike(machine, key, fits) : []),
	};
};

/** The pieces of a description with such a key and, where that is asked for, such a value. */
const keysLike = (machine: NonNullable<Facts['machine']>, key: RegExp, value: RegExp | undefined): Evidence[] => {
	const pieces = machine.entries ?? machine.spec.extras.map((extra) => [extra.key, extra.value] as const);
	return pieces
		.filter(([name, said]) => key.test(name) && (!value || value.test(said)))
		.slice(0, MOST_EVIDENCE)
		.map(([name, said]) => ({ what: shown({ key: name, value: said }), file: machine.path, key: name }));
};

/** What a file says, each thing as what it must be. */
const fieldsOf = (path: string) => {
	const refuse = (tree: Tree | Entry, message: string, hint?: string): never => {
		throw new UsageError(message, { path, field: placeOf(tree), hint });
	};
	const entries = (tree: Tree | undefined): readonly Entry[] => {
		if (!tree || (tree.kind === 'text' && tree.text === '')) return [];
		return tree.kind === 'map' ? tree.entries : refuse(tree, 'names and values are expected here');
	};
	const text = (tree: Tree): string => (tree.kind === 'text' && tree.text !== '' ? tree.text : refuse(tree, 'a text is expected here'));
	return {
		entries,
		text,
		map(tree: Tree, names: readonly string[]): ReadonlyMap<string, Tree> {
			return new Map(
				entries(tree).map((entry) => {
					if (!names.includes(entry.key)) refuse(entry, `there is no '${entry.key}' here`, `one of ${names.join(', ')}`);
					return [entry.key, entry.value];
				}),
			);
		},
		list(tree: Tree | undefined): readonly Tree[] {
			if (!tree) return [];
			return tree.kind === 'list' ? tree.items : refuse(tree, 'a list is expected here');
		},
		required: (fields: ReadonlyMap<string, Tree>, of: Tree, name: string): Tree => fields.get(name) ?? refuse(of, `${name} is missing`),
		oneOf<const T extends string>(tree: Tree, values: readonly T[]): T {
			const said = text(tree);
			return values.find((value) => value === said) ?? refuse(tree, `'${said}' is not possible`, `one of ${values.join(', ')}`);
		},
		pattern(tree: Tree): RegExp {
			const said = text(tree);
			try {
				return new RegExp(said, 'i');
			} catch {
				return refuse(tree, `'${said}' is no regular expression`);
			}
		},
	};
};
