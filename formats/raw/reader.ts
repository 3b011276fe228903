import type { Disk } from '../../src/core/disk.ts';
import type { Source } from '../../src/core/source.ts';
import { storedExtents } from '../../src/disk/stored.ts';
import { UnsupportedError } from '../../src/errors.ts';

/** The whole source, with its holes as zeros where the store can tell them. */
export const openRaw = async (source: Source, context: { readonly snapshot?: string | undefined }): Promise<Disk> => {
	if (context.snapshot !== undefined) throw new UnsupportedError('a raw disk has no internal snapshots', { path: source.name });
	return {
		size: source.size,
		sectorSize: 512,
		info: { format: 'raw' },
		extents: (guestOffset, length) => storedExtents(source, guestOffset, length, guestOffset),
		close: () => source.close(),
	};
};
