import type { NetworkFacts } from '../../facts.ts';
import type { FileTree } from '../../tree.ts';
import { configLines } from '../text.ts';
import { networkFiles, normalMac } from './files.ts';

/** The rules by which older guests keep the name of an interface for its MAC address. */
export const readPersistentNames = async (tree: FileTree): Promise<readonly NetworkFacts[]> => {
	const facts: NetworkFacts[] = [];
	for (const source of await networkFiles(tree, '/etc/udev/rules.d', /persistent-net\.rules$/)) {
		for (const [line] of configLines((await tree.readText(source)) ?? '')) {
			const mac = normalMac(/(?:ATTRS?\{address\}|SYSFS\{address\})=="([^"]*)"/.exec(line)?.[1]);
			const name = /NAME="([^"]*)"/.exec(line)?.[1];
			if (mac !== undefined && name !== undefined) facts.push({ source, name, mac, method: 'unknown' });
		}
	}
	return facts;
};
