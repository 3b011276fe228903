import type { ImageInfo } from '../../src/core/disk.ts';
import type { Source } from '../../src/core/source.ts';
import type { Descriptor } from './descriptor.ts';
import type { DiskExtent } from './extent.ts';

/** What `info` says of a VMDK: qemu-img's fields, and everything else that its descriptor has. */
export const describeDisk = (source: Pick<Source, 'name'>, descriptor: Descriptor, extents: readonly DiskExtent[]): ImageInfo => {
	const { cid, parentCid = 'ffffffff', createType, encoding, parentFileNameHint, ddb, others, unknown } = descriptor;
	const grains = extents.flatMap(({ grainSize }) => grainSize ?? []);
	return {
		format: 'vmdk',
		clusterSize: grains.length > 0 ? Math.max(...grains) : undefined,
		...(extents.some(({ compressed }) => compressed) && { compressed: true }),
		dirty: extents.some(({ unclean }) => unclean),
		specific: {
			type: 'vmdk',
			data: {
				cid: Number.parseInt(cid, 16),
				'parent-cid': Number.parseInt(parentCid, 16),
				'create-type': createType,
				extents: extents.map(({ line, source: file, grainSize, compressed }) => ({
					...(compressed && { compressed: true }),
					'virtual-size': line.size,
					filename: file?.name ?? '',
					...(grainSize !== undefined && { 'cluster-size': grainSize }),
					format: file === source ? '' : line.type,
					...(line.access !== 'RW' && { access: line.access }),
				})),
				...(encoding !== undefined && { encoding }),
				...(parentFileNameHint !== undefined && { 'parent-file-name-hint': parentFileNameHint }),
				ddb: Object.fromEntries(ddb),
				...(others.size > 0 && { 'other-keys': Object.fromEntries(others) }),
				...(unknown.length > 0 && { 'other-lines': unknown }),
			},
		},
	};
};
