import type { NetworkFacts } from '../../facts.ts';
import type { FileTree } from '../../tree.ts';
import { assignments } from '../text.ts';
import { networkFiles, normalMac } from './files.ts';

/** The ifcfg files of Red Hat and of SUSE. */
export const readIfcfg = async (tree: FileTree): Promise<readonly NetworkFacts[]> => {
	const facts: NetworkFacts[] = [];
	for (const folder of ['/etc/sysconfig/network-scripts', '/etc/sysconfig/network']) {
		for (const source of await networkFiles(tree, folder, /^ifcfg-(?!lo$)[^~]+(?<!\.(bak|orig|old|rpmsave|rpmnew))$/)) {
			facts.push(interfaceOf(assignments((await tree.readText(source)) ?? ''), source));
		}
	}
	return facts;
};

const interfaceOf = (values: ReadonlyMap<string, string>, source: string): NetworkFacts => {
	const addresses: string[] = [];
	for (const [key, address] of values) {
		const [, version, index] = /^(IPADDR|IPV6ADDR)(_?\w*)$/.exec(key) ?? [];
		if (index === undefined || address === '') continue;
		// One of IPv6 has its length behind it, or none: PREFIX is of IPv4.
		if (version === 'IPV6ADDR') {
			addresses.push(address);
			continue;
		}
		const size = values.get(`PREFIX${index}`) ?? values.get(`PREFIXLEN${index}`) ?? values.get(`NETMASK${index}`);
		addresses.push(address.includes('/') || size === undefined ? address : `${address}/${size}`);
	}
	return {
		source,
		name: values.get('DEVICE') || source.slice(source.indexOf('/ifcfg-') + '/ifcfg-'.length),
		mac: normalMac(values.get('HWADDR') ?? values.get('LLADDR')),
		method: methodOf(values.get('BOOTPROTO')?.toLowerCase(), addresses.length > 0),
		...(addresses.length > 0 ? { addresses } : {}),
		gateway: values.get('GATEWAY') || undefined,
	};
};

const methodOf = (protocol: string | undefined, hasAddress: boolean): NetworkFacts['method'] => {
	if (protocol?.startsWith('dhcp') || protocol === 'bootp') return 'dhcp';
	return hasAddress ? 'static' : 'none';
};
