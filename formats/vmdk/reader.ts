import type { Disk, Extent } from '../../src/core/disk.ts';
import type { OpenContext } from '../../src/core/format.ts';
import type { Source } from '../../src/core/source.ts';
import { UnsupportedError } from '../../src/errors.ts';
import type { DiskExtent } from './extent.ts';
import { describeDisk } from './info.ts';
import { type OpenedFiles, openFiles } from './open.ts';
import { parentOf, virtualBoxIds } from './parent.ts';

/** One VMDK: its descriptor, embedded or not, and all its extent files. @throws CorruptError, UnsupportedError, AccessError. */
export const openVmdk = async (source: Source, context: OpenContext): Promise<Disk> => {
	refuseSnapshot(source, context);
	const files = await openFiles(source, context);
	if (files.extents.some(({ unclean }) => unclean)) {
		context.note({ kind: 'assumed', what: 'its tables are true', why: 'it was not closed by its last writer' });
	}
	return diskOf(source, files);
};

/** @throws UnsupportedError where one is asked for. */
export const refuseSnapshot = ({ name }: Pick<Source, 'name'>, { snapshot }: Pick<OpenContext, 'snapshot'>): void => {
	if (snapshot === undefined) return;
	throw new UnsupportedError('a VMDK has no internal snapshots: each is an image of its own', {
		path: name,
		hint: 'the VMDK of that snapshot',
	});
};

const diskOf = (source: Source, { descriptor, extents, closeExtents }: OpenedFiles): Disk => ({
	size: extents.reduce((sum, { line }) => sum + line.size, 0),
	sectorSize: 512,
	parent: parentOf(descriptor),
	id: descriptor.cid,
	otherIds: virtualBoxIds(descriptor),
	info: describeDisk(source, descriptor, extents),
	extents: (guestOffset, length, signal) => joinedExtents(extents, guestOffset, length, signal),
	async close() {
		await closeExtents();
		await source.close();
	},
});

/** The maps of the extents, one behind the other. */
async function* joinedExtents(
	extents: readonly DiskExtent[],
	guestOffset: number,
	length: number,
	signal?: AbortSignal,
): AsyncGenerator<Extent> {
	const end = guestOffset + length;
	let base = 0;
	for (const { line, extents: map } of extents) {
		const start = Math.max(guestOffset, base);
		const stop = Math.min(end, base + line.size);
		if (start < stop) {
			for await (const extent of map(start - base, stop - start, signal)) yield { ...extent, offset: extent.offset + base };
		}
		base += line.size;
		if (base >= end) return;
	}
}
