import { isPowerOfTwo } from '../../src/bytes/align.ts';
import type { Source } from '../../src/core/source.ts';
import { CorruptError, UnsupportedError } from '../../src/errors.ts';
import { cached } from '../../src/io/cached.ts';
import { type ExtentFile, plainGrains } from './extent-file.ts';
import { COWD_GTES_PER_GT, cowdHeader, SECTOR } from './layout.ts';
import { ABSENT, checkPlace, type GrainMap } from './map.ts';

/** Grains of up to 1 MiB, in sectors; ESX writes 1. */
const MOST_GRAIN_SECTORS = 2048;

/** Open a sparse extent of ESX (`vmfsSparse`), which is a delta's as a rule. @throws CorruptError, UnsupportedError. */
export const openCowd = async (source: Source): Promise<ExtentFile> => {
	const header = cowdHeader.decode(await source.read(0, Math.min(cowdHeader.size, source.size)), { path: source.name, offset: 0 });
	const place = (field: keyof typeof header) => ({ path: source.name, offset: cowdHeader.offsets[field], field });
	const corrupt = (field: keyof typeof header, why: string) => new CorruptError(why, place(field));
	if (header.version !== 1) throw new UnsupportedError(`COWD version ${header.version}, and vconv knows 1`, place('version'));
	if (header.flags !== 3) throw new UnsupportedError(`COWD flags ${header.flags}, and vconv knows 3`, place('flags'));
	if (!isPowerOfTwo(header.grainSize) || header.grainSize > MOST_GRAIN_SECTORS) {
		throw corrupt('grainSize', `a grain of ${header.grainSize} sectors is not a power of two within 1 … ${MOST_GRAIN_SECTORS}`);
	}
	if (header.numSectors === 0) throw corrupt('numSectors', 'a disk of 0 sectors');
	const tables = Math.ceil(header.numSectors / header.grainSize / COWD_GTES_PER_GT);
	if (header.numGDEntries < tables) {
		throw corrupt('numGDEntries', `a grain directory of ${header.numGDEntries} entries, and the disk takes ${tables}`);
	}
	const directory = { offset: header.gdOffset * SECTOR, length: tables * 4 };
	const headers = { source, metadata: [{ offset: 0, length: cowdHeader.size }] };
	checkPlace(headers, 'the grain directory', directory.offset, directory.length);

	const pages = cached(source);
	const map: GrainMap = {
		source,
		capacity: header.numSectors * SECTOR,
		grainSize: header.grainSize * SECTOR,
		tableEntries: COWD_GTES_PER_GT,
		entrySize: 4,
		metadata: [...headers.metadata, directory],
		async directory(first, count, signal) {
			const bytes = await pages.read(directory.offset + first * 4, count * 4, signal);
			const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
			return Array.from({ length: count }, (_, i) => {
				const at = view.getUint32(i * 4, true) * SECTOR;
				if (at !== 0) checkPlace(map, `grain table ${first + i}`, at, COWD_GTES_PER_GT * 4);
				return at;
			});
		},
		entry(view, at) {
			const sector = view.getUint32(at, true);
			return sector === 0 ? ABSENT : sector * SECTOR;
		},
	};
	return { map, capacity: map.capacity, grainSize: map.grainSize, unclean: header.uncleanShutdown !== 0, extents: plainGrains(map) };
};
