import type { DiskFormat } from '../../src/core/format.ts';
import { openAlone, openBundle } from './bundle.ts';
import { checkParallels } from './check.ts';
import { isDescriptor } from './descriptor.ts';
import { MAGIC } from './layout.ts';

/** An expandable image of Parallels, or the description of a bundle of them. */
export const parallels: DiskFormat = {
	id: 'parallels',
	aliases: ['hdd', 'hds'],
	name: 'Parallels',
	extensions: ['hdd', 'hds'],
	probe: (head) => isImage(head) || isDescriptor(head),
	async open(source, context) {
		const head = await source.read(0, Math.min(16, source.size), context.signal);
		return isImage(head) ? openAlone(source, context) : openBundle(source, context);
	},
	check: checkParallels,
};

const isImage = (head: Uint8Array): boolean => {
	const magic = String.fromCharCode(...head.subarray(0, 16));
	return magic === MAGIC.sectors || magic === MAGIC.clusters;
};
