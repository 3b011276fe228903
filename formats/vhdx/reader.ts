import { guidText } from '../../src/bytes/guid.ts';
import type { Disk, Extent } from '../../src/core/disk.ts';
import type { OpenContext } from '../../src/core/format.ts';
import type { Source } from '../../src/core/source.ts';
import { clip, joined } from '../../src/disk/clip.ts';
import { CorruptError } from '../../src/errors.ts';
import { cached } from '../../src/io/cached.ts';
import { decodeBitmap, decodePayload, splitEntry } from './bat.ts';
import { bitmapIndex, payloadIndex } from './geometry.ts';
import { type Image, readImage } from './image.ts';
import { parentOf } from './locator.ts';

/** BAT entries that are read at a time. */
const BATCH = 8192;

/** Open a fixed, dynamic or differencing VHDX. A log that was not applied is replayed in memory. */
export const openVhdx = async (source: Source, context: OpenContext): Promise<Disk> => {
	const image = await readImage(source, context.signal);
	noteOddities(image, context);
	const { headers, metadata, geometry } = image;
	const tables = cached(image.source);
	return {
		size: metadata.size,
		sectorSize: metadata.sectorSize,
		id: guidText(headers.current.dataWriteGuid),
		parent: parentReference(image, source.name),
		info: {
			format: 'vhdx',
			clusterSize: metadata.blockSize,
			dirty: headers.dirty,
			specific: {
				type: 'vhdx',
				data: {
					subformat: metadata.hasParent ? 'differencing' : metadata.fixed ? 'fixed' : 'dynamic',
					'block-size': metadata.blockSize,
					'logical-sector-size': metadata.sectorSize,
					'physical-sector-size': metadata.physicalSectorSize,
					'log-size': headers.current.logLength,
					'log-entries-replayed': image.log?.entries ?? 0,
					'disk-id': metadata.diskId,
					'data-write-guid': guidText(headers.current.dataWriteGuid),
					creator: headers.creator,
				},
			},
		},
		async *extents(guestOffset, length, signal) {
			const end = guestOffset + length;
			const first = Math.floor(guestOffset / geometry.blockSize);
			const last = Math.ceil(end / geometry.blockSize);
			for await (const extent of joined(blocks(image, tables, first, last, signal))) {
				// The last block reaches past the end of the disk.
				if (extent.offset < end && extent.offset + extent.length > guestOffset) yield clip(extent, guestOffset, end);
			}
		},
		close: () => source.close(),
	};
};

const parentReference = ({ metadata, regions }: Image, path: string) => {
	if (!metadata.hasParent) return undefined;
	if (!metadata.parentLocator) {
		throw new CorruptError('it is a differencing image, and does not say of what', {
			path,
			offset: regions.metadata.offset,
			field: 'parentLocator',
		});
	}
	return parentOf(metadata.parentLocator, path);
};

const noteOddities = ({ headers, regions, metadata, log }: Image, { note }: OpenContext): void => {
	if (headers.damaged.length > 0)
		note({ kind: 'assumed', what: 'the header that is whole is the current one', why: 'the other is damaged' });
	if (regions.damaged.length > 0) note({ kind: 'assumed', what: 'its region table is the one that is whole', why: 'the other is damaged' });
	if (regions.differ) note({ kind: 'assumed', what: 'its region table is the first of the two', why: 'they differ' });
	if (log) {
		const why = 'the image was not closed; the file itself is left as it is';
		note({ kind: 'assumed', what: `${log.entries} log entries, replayed in memory`, why });
	}
	if (metadata.parentLocator && !metadata.hasParent) {
		note({ kind: 'dropped', what: 'the parent that it names', why: 'it is not marked as a differencing image' });
	}
	for (const id of metadata.unknown) note({ kind: 'dropped', what: `the metadata item ${id}`, why: 'vconv does not know it' });
};

/** The extents of whole blocks, from `first` to before `last`. */
async function* blocks(image: Image, tables: Source, first: number, last: number, signal?: AbortSignal): AsyncGenerator<Extent> {
	const { ratio } = image.geometry;
	for (let block = first; block < last; ) {
		const chunkEnd = (Math.floor(block / ratio) + 1) * ratio;
		const count = Math.min(last, chunkEnd, block + BATCH) - block;
		const index = payloadIndex(image.geometry, block);
		const table = await tables.read(image.regions.bat.offset + index * 8, count * 8, signal);
		for (const extent of decodeRuns(image, new DataView(table.buffer, table.byteOffset), block, count, index)) {
			if (extent.kind === 'partial') yield* sectors(image, tables, extent.block, extent.at, signal);
			else yield extent;
		}
		block += count;
	}
}

type PartialBlock = { readonly kind: 'partial'; readonly block: number; readonly at: number };

/** What the entries of one piece of the BAT say; blocks without data that adjoin are one, so that an empty disk is quick. */
function* decodeRuns(image: Image, table: DataView, first: number, count: number, index: number): Generator<Extent | PartialBlock> {
	const { blockSize } = image.geometry;
	for (let done = 0; done < count; ) {
		const block = decodePayload(image, splitEntry(table, done * 8), index + done);
		const offset = (first + done) * blockSize;
		let end = done + 1;
		if (block.kind === 'partial') yield { kind: 'partial', block: first + done, at: block.at };
		else if (block.kind === 'full') yield dataExtent(image, offset, blockSize, block.at);
		else {
			while (end < count && sameEntry(table, done * 8, end * 8)) end++;
			yield { kind: block.kind, offset, length: (end - done) * blockSize };
		}
		done = end;
	}
}

/** Whether two entries are alike to the bit: of blocks without data most are, and that is quickly seen. */
const sameEntry = (table: DataView, a: number, b: number): boolean =>
	table.getUint32(a) === table.getUint32(b) && table.getUint32(a + 4) === table.getUint32(b + 4);

const dataExtent = (image: Image, offset: number, length: number, at: number): Extent => ({
	kind: 'data',
	offset,
	length,
	source: image.dataSource({ offset: at, length }),
	at,
});

/** The runs of a block that is partly here and partly in the parent, by its sector bitmap (§2.4). */
async function* sectors(image: Image, tables: Source, block: number, at: number, signal?: AbortSignal): AsyncGenerator<Extent> {
	const { geometry, regions } = image;
	const chunk = Math.floor(block / geometry.ratio);
	const index = bitmapIndex(geometry, chunk);
	const entry = await tables.read(regions.bat.offset + index * 8, 8, signal);
	const bitmapAt = decodeBitmap(image, splitEntry(new DataView(entry.buffer, entry.byteOffset), 0), index);
	const bits = await tables.read(bitmapAt + (block % geometry.ratio) * geometry.bitmapSize, geometry.bitmapSize, signal);

	const isPresent = (sector: number) => (((bits[sector >>> 3] as number) >> (sector & 7)) & 1) === 1;
	const count = geometry.bitmapSize * 8;
	const offset = block * geometry.blockSize;
	for (let sector = 0; sector < count; ) {
		const start = sector;
		const present = isPresent(sector);
		while (sector < count && isPresent(sector) === present) sector++;
		const from = start * geometry.sectorSize;
		const length = (sector - start) * geometry.sectorSize;
		yield present ? dataExtent(image, offset + from, length, at + from) : { kind: 'absent', offset: offset + from, length };
	}
}
