import type { ByteRange, Source } from '../../src/core/source.ts';
import { CorruptError } from '../../src/errors.ts';
import { type Geometry, geometry } from './geometry.ts';
import { type Headers, readHeaders } from './header.ts';
import { type Log, readLog } from './log.ts';
import { type Metadata, readMetadata } from './metadata.ts';
import { type Regions, readRegions } from './regions.ts';
import { type Replayed, replay } from './replay.ts';

/** A VHDX file with everything read but its BAT, and its log replayed in memory. */
export type Image = {
	readonly headers: Headers;
	/** What was replayed; undefined for a file that was closed. */
	readonly log: Log | undefined;
	/** The file as it is after the replay: all structures are read from it. */
	readonly source: Source;
	/** Where guest data is read from: the file itself, but for ranges that the replay touched. */
	dataSource(range: ByteRange): Source;
	readonly regions: Regions;
	readonly metadata: Metadata;
	readonly geometry: Geometry;
};

/** @throws UnrecognizedError, CorruptError, UnsupportedError. */
export const readImage = async (file: Source, signal?: AbortSignal): Promise<Image> => {
	const headers = await readHeaders(file, signal);
	const log = headers.dirty ? await readLog(file, headers.current, signal) : undefined;
	const replayed: Replayed | undefined = log && replay(file, log);
	const source = replayed?.source ?? file;
	const regions = await readRegions(source, headers.current, signal);
	const metadata = await readMetadata(source, regions.metadata, signal);
	const shape = geometry(metadata.size, metadata.blockSize, metadata.sectorSize, metadata.hasParent);
	if (shape.entries * 8 > regions.bat.length) {
		throw new CorruptError(`a BAT of ${regions.bat.length} bytes, and ${shape.entries} entries of 8 bytes are needed`, {
			path: file.name,
			offset: regions.bat.offset,
			field: 'BAT',
		});
	}
	return {
		headers,
		log,
		source,
		dataSource: (range) => (replayed?.touches(range) ? replayed.source : file),
		regions,
		metadata,
		geometry: shape,
	};
};
