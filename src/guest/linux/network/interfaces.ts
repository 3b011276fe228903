import type { NetworkFacts } from '../../facts.ts';
import type { FileTree } from '../../tree.ts';
import { configLines } from '../text.ts';
import { networkFiles, normalMac } from './files.ts';

const METHODS: Readonly<Record<string, NetworkFacts['method']>> = { dhcp: 'dhcp', auto: 'dhcp', static: 'static', manual: 'none' };

/** Debian's ifupdown: `/etc/network/interfaces` and the files that it takes in. */
export const readInterfaces = async (tree: FileTree): Promise<readonly NetworkFacts[]> => {
	const facts: NetworkFacts[] = [];
	const more = await networkFiles(tree, '/etc/network/interfaces.d', /^[\w.-]+$/);
	for (const source of ['/etc/network/interfaces', ...more])
		for (const one of stanzas((await tree.readText(source)) ?? '', source)) facts.push(one);
	return facts;
};

const stanzas = (text: string, source: string): readonly NetworkFacts[] => {
	type Open = { -readonly [Key in keyof NetworkFacts]: NetworkFacts[Key] } & { addresses: string[] };
	const facts: Open[] = [];
	let current: Open | undefined;
	// A backslash at a line's end continues it.
	for (const [line] of configLines(text.replace(/\\\r?\n/g, ' '))) {
		const [keyword = '', ...words] = line.split(/\s+/);
		switch (keyword) {
			case 'iface':
				current = { source, name: words[0], method: METHODS[words[2] ?? ''] ?? 'unknown', addresses: [] };
				if (words[0] !== 'lo') facts.push(current);
				break;
			case 'auto':
			case 'mapping':
			case 'source':
			case 'source-directory':
				current = undefined;
				break;
			case 'address':
				if (words[0]) current?.addresses.push(words[0]);
				break;
			case 'netmask': {
				const last = current?.addresses.pop();
				if (last) current?.addresses.push(last.includes('/') ? last : `${last}/${words[0]}`);
				break;
			}
			case 'gateway':
				if (current) current.gateway = words[0];
				break;
			case 'hwaddress':
				if (current) current.mac = normalMac(words.at(-1));
		}
	}
	return facts.map(({ addresses, ...rest }) => ({ ...rest, ...(addresses.length > 0 ? { addresses } : {}) }));
};
