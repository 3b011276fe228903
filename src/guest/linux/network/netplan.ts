import { UnsupportedError } from '../../../errors.ts';
import type { NetworkFacts } from '../../facts.ts';
import type { GuestContext } from '../../system.ts';
import type { FileTree } from '../../tree.ts';
import { networkFiles, normalMac } from './files.ts';

/** Longer files, and more of them together, are not read, in bytes: a parser of YAML takes hundreds of times that in memory. */
const LARGEST = 64 << 10;
const LARGEST_FOLDER = 256 << 10;

/**
 * netplan's files; one that cannot be read does not hide the others. Of their keys only those that name, address and match are ever
 * looked at: others are secrets.
 * @param id the volume of the root.
 */
export const readNetplan = async (tree: FileTree, { attempt, parseYaml }: GuestContext, id: string): Promise<readonly NetworkFacts[]> => {
	const facts: NetworkFacts[] = [];
	for (const source of await networkFiles(tree, '/etc/netplan', /\.ya?ml$/, LARGEST_FOLDER)) {
		const read = await attempt(`${id}:${source}`, 'network settings', async () => {
			const text = (await tree.readText(source, LARGEST)) ?? '';
			if (!parseYaml) throw new UnsupportedError('netplan is in YAML, and whoever asked gave nothing that reads it');
			return interfaces(await parsed(parseYaml, text), source);
		});
		facts.push(...(read ?? []));
	}
	return facts;
};

const parsed = async (parseYaml: NonNullable<GuestContext['parseYaml']>, text: string): Promise<unknown> => {
	try {
		return await parseYaml(text);
	} catch (cause) {
		throw new UnsupportedError(`it is not read as YAML: ${(cause as Error).message}`, { cause });
	}
};

const KINDS = ['ethernets', 'wifis', 'bonds', 'bridges', 'vlans'];

const interfaces = (document: unknown, source: string): readonly NetworkFacts[] => {
	const network = get(document, 'network');
	return KINDS.flatMap((kind) => entries(get(network, kind)).map(([id, settings]) => interfaceOf(id, settings, source)));
};

const interfaceOf = (id: string, settings: unknown, source: string): NetworkFacts => {
	// An address with options of its own is the one key of a map.
	const addresses = items(get(settings, 'addresses')).flatMap((one) => (typeof one === 'string' ? one : entries(one).map(([key]) => key)));
	const isOn = (key: string): boolean => /^(true|yes|on|y)$/i.test(word(get(settings, key)) ?? '');
	const isStatic = !isOn('dhcp4') && addresses.length > 0;
	return {
		source,
		name: word(get(settings, 'set-name')) ?? word(get(get(settings, 'match'), 'name')) ?? id,
		mac: normalMac(word(get(get(settings, 'match'), 'macaddress'))),
		method: isStatic ? 'static' : isOn('dhcp4') || isOn('dhcp6') ? 'dhcp' : 'none',
		...(addresses.length > 0 ? { addresses } : {}),
		gateway: word(get(settings, 'gateway4')) ?? defaultRoute(items(get(settings, 'routes'))) ?? word(get(settings, 'gateway6')),
	};
};

/** Where a route for every address leads. Those of tables other than the main one are for some of the traffic. */
const defaultRoute = (routes: readonly unknown[]): string | undefined => {
	const isMain = (one: unknown): boolean => (word(get(one, 'table')) ?? '254') === '254';
	const route = routes.find((one) => /^default$|[.:].*\/0$/.test(word(get(one, 'to')) ?? '') && isMain(one) && get(one, 'via'));
	return word(get(route, 'via'));
};

const get = (value: unknown, key: string): unknown => (value instanceof Map ? value.get(key) : undefined);

const entries = (value: unknown): readonly (readonly [key: string, value: unknown])[] =>
	value instanceof Map ? [...value].filter((entry): entry is [string, unknown] => typeof entry[0] === 'string') : [];

const items = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

const word = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);
