import type { Disk } from '../../src/core/disk.ts';
import type { OpenContext } from '../../src/core/format.ts';
import type { Source } from '../../src/core/source.ts';
import { joined } from '../../src/disk/clip.ts';
import { CorruptError } from '../../src/errors.ts';
import { cached } from '../../src/io/cached.ts';
import { readBitmaps } from './bitmaps.ts';
import { checkL1, type Header, type L1Table, readHeader } from './header.ts';
import { imageInfo, notesOf } from './info.ts';
import { INCOMPATIBLE } from './layout.ts';
import { encryptionInfo } from './luks.ts';
import { mapDisk, type Region } from './map.ts';
import { findSnapshot, readSnapshots } from './snapshots.ts';

/**
 * One QCOW2 image: the disk as it is, or as an internal snapshot kept it. An external data file is opened when its data is first
 * asked for, so that `info` opens nothing that an image names.
 */
export const openQcow2 = async (image: Source, context: OpenContext): Promise<Disk> => {
	const tables = cached(image);
	const header = await readHeader(tables, context.signal);
	const snapshots = await readSnapshots(tables, header, context.signal);
	const bitmaps = await readBitmaps(tables, header, context.signal);
	const shown = context.snapshot === undefined ? undefined : findSnapshot(snapshots.list, context.snapshot, image.name);
	const { l1, size } = shown ?? header;
	if (shown) checkL1(tables, header.geometry, l1, size, shown.at);
	for (const note of notesOf(header, snapshots.list, bitmaps, shown)) context.note(note);

	const dataFile = (header.incompatible & INCOMPATIBLE.dataFile) !== 0n;
	let followed: Promise<Source> | undefined;
	const dataSource = async (): Promise<Source> => {
		if (!dataFile) return image;
		followed ??= follow(header, image.name, context);
		return followed;
	};
	const parts = {
		version: header.version,
		geometry: header.geometry,
		dataFile,
		tables,
		l1,
		method: header.compression === 'zstd' ? ('zstd' as const) : ('deflate' as const),
		occupied: structures(header, l1, snapshots.end),
	};

	return {
		size,
		sectorSize: 512,
		parent:
			header.backingFile === undefined ? undefined : { names: [header.backingFile], format: header.extensions.backingFormat, ids: [] },
		info: imageInfo(header, snapshots.list, bitmaps, shown, await encryptionInfo(tables, header, context.signal)),
		unreadable: header.encryption?.refusal,
		async *extents(guestOffset, length, signal) {
			if (header.encryption) throw header.encryption.refusal;
			yield* joined(mapDisk({ ...parts, data: await dataSource() }, guestOffset, length, signal));
		},
		async close() {
			const opened = await followed?.catch(() => undefined);
			await opened?.close();
			await image.close();
		},
	};
};

const follow = async ({ extensions: { dataFile } }: Header, path: string, context: OpenContext): Promise<Source> => {
	if (dataFile === undefined)
		throw new CorruptError('its data is in an external file, which it does not name', { path, field: 'dataFile' });
	return context.follow(dataFile);
};

/** Where the image's own structures are, as far as the header says. */
const structures = ({ geometry, l1, refcountTable, snapshots }: Header, shown: L1Table, snapshotsEnd: number): Region[] => [
	{ what: 'the header', offset: 0, length: geometry.clusterSize },
	{ what: 'the L1 table', offset: l1.offset, length: l1.entries * 8 },
	{ what: 'the L1 table of the snapshot', offset: shown.offset, length: shown.entries * 8 },
	{ what: 'the refcount table', offset: refcountTable.offset, length: refcountTable.clusters * geometry.clusterSize },
	{ what: 'the snapshot table', offset: snapshots.offset, length: snapshots.count === 0 ? 0 : snapshotsEnd - snapshots.offset },
];
