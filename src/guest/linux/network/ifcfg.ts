import type { NetworkFacts } from '../../facts.ts';
import type { FileTree } from '../../tree.ts';
import { assignments, configLines } from '../text.ts';
import { networkFiles, normalMac } from './files.ts';

/** The ifcfg files of Red Hat and of SUSE, and the routes beside them. */
export const readIfcfg = async (tree: FileTree): Promise<readonly NetworkFacts[]> => {
	const facts: NetworkFacts[] = [];
	const textOf = async (path: string): Promise<string> => ((await tree.isFile(path)) && (await tree.readText(path))) || '';
	// Red Hat's for all cards is a file where SUSE has a folder.
	const common = assignments(await textOf('/etc/sysconfig/network'));
	const shared = defaultRoutes(await textOf('/etc/sysconfig/network/routes'));
	for (const folder of ['/etc/sysconfig/network-scripts', '/etc/sysconfig/network']) {
		const files = await networkFiles(tree, folder, /^(ifcfg|ifroute|route)-(?!lo$)[^~]+(?<!\.(bak|orig|old|rpmsave|rpmnew))$/);
		const sources = files.filter((file) => file.includes('/ifcfg-'));
		for (const source of sources) {
			const card = interfaceOf(assignments(await textOf(source)), source);
			const beside = ['route', 'ifroute'].map((kind) => source.replace('/ifcfg-', `/${kind}-`)).find((file) => files.includes(file));
			const own = beside === undefined ? [] : defaultRoutes(await textOf(beside));
			const isOnly = sources.length === 1;
			const others = shared.filter(({ name }) => (name === undefined ? isOnly : name === card.name));
			const isCommon = common.get('GATEWAYDEV') === card.name || (isOnly && card.method === 'static');
			const gateway = card.gateway ?? [...own, ...others][0]?.gateway ?? ((isCommon && common.get('GATEWAY')) || undefined);
			facts.push({ ...card, gateway });
		}
	}
	return facts;
};

/** Routes for every address in the main table, in the words of ip(8) as Red Hat has them or the columns of ifroute(5); `name`: its fourth. */
const defaultRoutes = (text: string): readonly { readonly gateway: string; readonly name: string | undefined }[] =>
	configLines(text).flatMap(([line]) => {
		const [, gateway, rest = ''] = /^(?:default|0\.0\.0\.0\/0|::\/0)\s+(?:via\s+)?([\da-f.:]+)(.*)$/i.exec(line) ?? [];
		if (gateway === undefined || /\stable\s+(?!main\b|254\b)/.test(rest)) return [];
		const [, name] = rest.trim().split(/\s+/);
		return [{ gateway, name: name === '-' ? undefined : name }];
	});

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
