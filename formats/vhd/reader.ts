import { uuidText } from '../../src/bytes/guid.ts';
import type { Disk, ImageInfo } from '../../src/core/disk.ts';
import type { OpenContext } from '../../src/core/format.ts';
import type { Source } from '../../src/core/source.ts';
import { storedExtents } from '../../src/disk/stored.ts';
import { UnsupportedError } from '../../src/errors.ts';
import { blockMap } from './blocks.ts';
import { geometrySize } from './geometry.ts';
import { type Image, readImage } from './image.ts';

const NO_ID = uuidText(new Uint8Array(16));

/** One VHD. @throws CorruptError, UnsupportedError. */
export const openVhd = async (source: Source, context: OpenContext): Promise<Disk> => {
	if (context.snapshot !== undefined) throw new UnsupportedError('VHD images have no internal snapshots', { path: source.name });
	const image = await readImage(
		source,
		({ message, remedy }) => context.note({ kind: 'assumed', what: message, why: `read by ${remedy}` }),
		context.signal,
	);
	noteOddities(image, context);
	const { footer, size, sparse } = image;
	const parentId = sparse && uuidText(sparse.header.parentUniqueId);
	const map = sparse && blockMap(source, image, sparse);
	return {
		size,
		sectorSize: 512,
		id: uuidText(footer.uniqueId),
		parent:
			image.type === 'differencing'
				? {
						names: [...new Set(sparse?.parents.map(({ name }) => name))],
						format: 'vhd',
						ids: parentId && parentId !== NO_ID ? [parentId] : [],
					}
				: undefined,
		info: imageInfo(image),
		extents: map ?? ((guestOffset, length) => storedExtents(source, guestOffset, length, guestOffset)),
		close: () => source.close(),
	};
};

const noteOddities = ({ footer, type, size, sparse }: Image, { note }: OpenContext): void => {
	if (size !== footer.currentSize) {
		note({
			kind: 'assumed',
			what: `the disk has ${size} bytes, as its geometry says`,
			why: `its creator, '${footer.creatorApplication}', shows guests whole cylinders of the ${footer.currentSize} bytes it stores`,
		});
	} else if (footer.creatorApplication === 'vpc ' && geometrySize(footer) !== size) {
		note({
			kind: 'assumed',
			what: `the disk has ${size} bytes, and its geometry ${geometrySize(footer)}`,
			why: 'the geometry is too far from the current size to be the one that Virtual PC shows',
		});
	}
	if (footer.savedState !== 0) {
		note({
			kind: 'dropped',
			what: 'the saved state of a suspended machine',
			why: 'it is not in the image: the disk is as after a power cut',
		});
	}
	if (type === 'differencing' && sparse && uuidText(sparse.header.parentUniqueId) === NO_ID) {
		note({ kind: 'assumed', what: 'the parent is the right one', why: 'the image does not say its id' });
	}
};

const imageInfo = ({ footer, type, sparse }: Image): ImageInfo => ({
	format: 'vpc',
	clusterSize: sparse?.header.blockSize,
	specific: {
		type: 'vpc',
		data: {
			'disk-type': type,
			'unique-id': uuidText(footer.uniqueId),
			'creator-application': footer.creatorApplication,
			'creator-version': `${footer.creatorVersion >>> 16}.${footer.creatorVersion & 0xffff}`,
			'creator-host-os': footer.creatorHostOs,
			'current-size': footer.currentSize,
			'original-size': footer.originalSize,
			geometry: { cylinders: footer.cylinders, heads: footer.heads, 'sectors-per-track': footer.sectorsPerTrack },
			'saved-state': footer.savedState !== 0,
			...(type === 'differencing' &&
				sparse && {
					'parent-unique-id': uuidText(sparse.header.parentUniqueId),
					'parent-names': sparse.parents.map(({ locator, name }) => ({ locator, name })),
				}),
		},
	},
});
