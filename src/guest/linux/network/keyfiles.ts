import type { NetworkFacts } from '../../facts.ts';
import type { FileTree } from '../../tree.ts';
import { type IniEntry, iniEntries } from '../text.ts';
import { networkFiles, normalMac } from './files.ts';

/** The connections of NetworkManager. Of their keys only those that name, address and match are ever looked at: others are secrets. */
export const readKeyfiles = async (tree: FileTree): Promise<readonly NetworkFacts[]> => {
	const facts: NetworkFacts[] = [];
	for (const source of await networkFiles(tree, '/etc/NetworkManager/system-connections', /^[^.]/)) {
		const entries = iniEntries((await tree.readText(source)) ?? '');
		const value = lookup(entries);
		if (value('connection', 'type') === 'loopback') continue;
		const methods = [value('ipv4', 'method'), value('ipv6', 'method')];
		const listed = entries
			.filter(({ section, key }) => /^ipv[46]$/.test(section) && /^address(es)?\d*$/.test(key))
			.map((entry) => entry.value.split(','));
		const addresses = listed.map(([address = '']) => address).filter((address) => address !== '');
		facts.push({
			source,
			name: value('connection', 'interface-name'),
			mac: normalMac(value('ethernet', 'mac-address') ?? value('802-3-ethernet', 'mac-address')),
			method:
				methods[0] === 'manual' || (methods[1] === 'manual' && methods[0] !== 'auto')
					? 'static'
					: methods.includes('auto')
						? 'dhcp'
						: 'none',
			...(addresses.length > 0 ? { addresses } : {}),
			gateway: value('ipv4', 'gateway') ?? listed[0]?.[1],
		});
	}
	return facts;
};

const lookup =
	(entries: readonly IniEntry[]) =>
	(section: string, key: string): string | undefined =>
		entries.find((entry) => entry.section === section && entry.key === key)?.value || undefined;
