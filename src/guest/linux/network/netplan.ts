import type { NetworkFacts } from '../../facts.ts';
import type { FileTree } from '../../tree.ts';
import { networkFiles, normalMac } from './files.ts';
import { flowLeaves, type Leaf } from './flow.ts';

/** netplan's files. Of their keys only those that name, address and match are ever looked at: others are secrets. */
export const readNetplan = async (tree: FileTree): Promise<readonly NetworkFacts[]> => {
	const facts: NetworkFacts[] = [];
	for (const source of await networkFiles(tree, '/etc/netplan', /\.ya?ml$/))
		for (const one of interfaces((await tree.readText(source)) ?? '', source)) facts.push(one);
	return facts;
};

const interfaces = (text: string, source: string): readonly NetworkFacts[] => {
	const found = new Map<string, Map<string, string[]>>();
	for (const { path, value } of leaves(text)) {
		const [top, kind = '', name, ...rest] = path;
		if (top !== 'network' || !/^(ethernets|wifis|bonds|bridges|vlans)$/.test(kind) || name === undefined) continue;
		const values = found.get(name) ?? new Map<string, string[]>();
		found.set(name, values);
		const key = rest.join('.');
		const before = values.get(key);
		if (before) for (const one of value) before.push(one);
		else values.set(key, [...value]);
	}
	return [...found].map(([id, values]): NetworkFacts => {
		const addresses = values.get('addresses') ?? [];
		const isDhcp = ['dhcp4', 'dhcp6'].some((key) => /^(true|yes|on)$/i.test(values.get(key)?.[0] ?? ''));
		const matched = values.get('match.name')?.[0];
		return {
			source,
			name: values.get('set-name')?.[0] ?? matched ?? id,
			mac: normalMac(values.get('match.macaddress')?.[0]),
			method: isDhcp ? 'dhcp' : addresses.length > 0 ? 'static' : 'none',
			...(addresses.length > 0 ? { addresses } : {}),
			gateway: values.get('gateway4')?.[0] ?? defaultRoute(values),
		};
	});
};

const defaultRoute = (values: ReadonlyMap<string, readonly string[]>): string | undefined => {
	const index = (values.get('routes.to') ?? []).findIndex((to) => to === 'default' || to === '0.0.0.0/0');
	return index < 0 ? undefined : values.get('routes.via')?.[index];
};

/** Deeper than netplan ever nests. */
const DEEPEST = 16;

/** YAML as netplan, cloud-init and installers write it: maps in blocks or on one line in braces, lists in blocks or brackets. What is more than that is passed over. */
function* leaves(text: string): Generator<Leaf> {
	const stack: { readonly indent: number; readonly key: string }[] = [];
	for (const raw of text.split(/\r?\n/)) {
		const line = raw.replace(/(^|\s)#.*$/, '').trimEnd();
		const [, spaces = '', dashes = '', rest = ''] = /^( *)((?:- +)*)(.*)$/.exec(line) ?? [];
		if (rest === '' || rest === '-') continue;
		const indent = spaces.length + dashes.length;
		// Items of a list may stand below the very column of its key.
		while (stack.length > 0 && (stack.at(-1)?.indent ?? 0) >= (dashes ? spaces.length + 1 : indent)) stack.pop();
		const path = stack.map(({ key }) => key);
		const [, quoted, bare, value = ''] = /^(?:["']([^"']*)["']|([^\s:"'[\]{}]+))\s*:(?:\s+(.*))?$/.exec(rest) ?? [];
		const key = quoted ?? bare;
		if (key === undefined) {
			if (dashes && rest.startsWith('{')) yield* flowLeaves(path, rest, DEEPEST);
			else if (dashes) yield { path, value: [plain(rest)] };
		} else if (value.startsWith('{')) yield* flowLeaves([...path, key], value, DEEPEST);
		else if (value !== '') yield { path: [...path, key], value: valuesOf(value) };
		else if (stack.length < DEEPEST) stack.push({ indent, key });
	}
}

const valuesOf = (value: string): readonly string[] => {
	const list = /^\[(.*)\]$/.exec(value)?.[1];
	if (list === undefined) return [plain(value)];
	return list
		.split(',')
		.map((item) => plain(item.trim()))
		.filter((item) => item !== '');
};

const plain = (text: string): string => text.replace(/^(["'])(.*)\1$/, '$2');
