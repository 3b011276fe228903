import type { NetworkFacts } from '../../facts.ts';
import type { FileTree } from '../../tree.ts';
import { type IniEntry, iniEntries } from '../text.ts';
import { networkFiles, normalMac } from './files.ts';

/** systemd-networkd: what its `.network` files match and set, and the names that `.link` files give. */
export const readNetworkd = async (tree: FileTree): Promise<readonly NetworkFacts[]> => {
	const facts: NetworkFacts[] = [];
	for (const source of await networkFiles(tree, '/etc/systemd/network', /\.(network|link)$/)) {
		const entries = iniEntries((await tree.readText(source)) ?? '');
		const values = (section: string, key: string): readonly string[] =>
			entries.filter((entry) => entry.section === section && entry.key === key && entry.value !== '').map(({ value }) => value);
		const mac = normalMac(values('Match', 'MACAddress')[0] ?? values('Match', 'PermanentMACAddress')[0]);
		if (source.endsWith('.link')) {
			const name = values('Link', 'Name')[0];
			if (name !== undefined) facts.push({ source, name, mac, method: 'unknown' });
			continue;
		}
		const addresses = [...values('Network', 'Address'), ...values('Address', 'Address')];
		const isDhcp = /^(yes|true|on|1|both|ipv4|v4)$/i.test(values('Network', 'DHCP')[0] ?? '');
		facts.push({
			source,
			name: values('Match', 'Name')[0],
			mac,
			method: isDhcp ? 'dhcp' : addresses.length > 0 ? 'static' : 'none',
			...(addresses.length > 0 ? { addresses } : {}),
			gateway: values('Network', 'Gateway')[0] ?? defaultRoute(entries),
		});
	}
	return facts;
};

/** Where a [Route] leads that is for every address: it has no destination, or one of no bits, and is in the main table. */
const defaultRoute = (entries: readonly IniEntry[]): string | undefined => {
	const routes = entries.filter(({ section }) => section === 'Route');
	const narrow = new Set(routes.filter(({ key, value }) => USUAL.get(key)?.test(value) === false).map(({ index }) => index));
	return routes.find(({ key, value, index }) => key === 'Gateway' && value !== '' && !narrow.has(index))?.value;
};

const USUAL: ReadonlyMap<string, RegExp> = new Map([
	['Destination', /^$|\/0$/],
	['Table', /^(main|254)?$/],
]);
