import { hex } from '../../src/bytes/size.ts';
import type { ByteRange, Source } from '../../src/core/source.ts';
import { CorruptError } from '../../src/errors.ts';
import { cached } from '../../src/io/cached.ts';
import type { ExtentContext, ExtentFile } from './extent-file.ts';
import { plainGrains } from './extent-file.ts';
import { GTE_ZEROED, SECTOR } from './layout.ts';
import { ABSENT, type GrainMap, misplaced, ZEROED } from './map.ts';
import { readSparse, type Sparse } from './sparse.ts';
import { packedGrains } from './stream.ts';

/** Open a hosted sparse extent, stream or not. @throws CorruptError, UnsupportedError. */
export const openSparse = async (source: Source, context: ExtentContext): Promise<ExtentFile> => {
	const sparse = await readSparse(source);
	const unclean = sparse.header.uncleanShutdown !== 0;
	const map = sparseMap(source, sparse, context);
	return {
		map,
		capacity: sparse.capacity,
		grainSize: sparse.grainSize,
		compressed: sparse.compressed,
		unclean,
		extents: sparse.compressed ? packedGrains(map, context) : plainGrains(map),
	};
};

/**
 * The tables of a hosted sparse extent. Where the primary directory cannot be right (it is not in the file, leads to a table that
 * cannot be there, or to none where the copy does) its redundant copy is taken, and that is said; not for a disk that was not closed, whose copies may be of different
 * times. A grain that cannot be there is never guessed at.
 */
export const sparseMap = (source: Source, sparse: Sparse, { note }: Pick<ExtentContext, 'note'>): GrainMap => {
	const { tables, grainSize, zeroedGrains } = sparse;
	const tableEntries = sparse.header.numGTEsPerGT;
	const metadata = metadataOf(sparse);
	const pages = cached(source);
	let said = false;

	const entries = async (directory: number, first: number, count: number, signal?: AbortSignal): Promise<number[] | undefined> => {
		if (directory < SECTOR || directory + tables * 4 > source.size) return undefined;
		const bytes = await pages.read(directory + first * 4, count * 4, signal);
		const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
		return Array.from({ length: count }, (_, i) => view.getUint32(i * 4, true) * SECTOR);
	};
	const wrong = (place: number | undefined): string | undefined =>
		place === undefined
			? 'in a directory outside the file'
			: place === 0
				? undefined
				: misplaced({ source, metadata }, place, tableEntries * 4);

	return {
		source,
		capacity: sparse.capacity,
		grainSize,
		tableEntries,
		entrySize: 4,
		metadata,
		async directory(first, count, signal) {
			const primary = await entries(sparse.directory, first, count, signal);
			const whole = primary?.every((place) => wrong(place) === undefined) ? primary : undefined;
			if (whole && (sparse.redundant === undefined || !whole.includes(0))) return whole;
			const copy = sparse.redundant === undefined ? undefined : await entries(sparse.redundant, first, count, signal);
			return Array.from({ length: count }, (_, i) => {
				const place = copy?.[i];
				const lost = primary?.[i] === 0 && place !== undefined && place !== 0 && wrong(place) === undefined;
				const why = lost ? 'missing where its copy is not' : wrong(primary?.[i]);
				if (why === undefined) return primary?.[i] ?? 0;
				if (place === undefined || place === 0 || wrong(place) !== undefined || sparse.header.uncleanShutdown !== 0) {
					throw new CorruptError(`grain table ${first + i} is ${why}, and no redundant copy of it is to be trusted`, {
						path: source.name,
						offset: sparse.directory + (first + i) * 4,
						field: 'grain directory',
						hint: `vconv check ${source.name}`,
					});
				}
				if (!said) {
					note({
						kind: 'assumed',
						what: 'the redundant grain directory is right',
						why: `the primary at ${hex(sparse.directory)} is damaged`,
					});
				}
				said = true;
				return place;
			});
		},
		...(sparse.redundant !== undefined && {
			copies: async (first, count) => (await entries(sparse.redundant ?? 0, first, count)) ?? Array.from({ length: count }, () => 0),
		}),
		entry(view, at) {
			const sector = view.getUint32(at, true);
			if (sector === 0) return ABSENT;
			return zeroedGrains && sector === GTE_ZEROED ? ZEROED : sector * SECTOR;
		},
	};
};

/** What the header says is no place for grains. */
const metadataOf = ({ tables, directory, redundant, descriptor, footer }: Sparse): ByteRange[] => {
	const directories = [directory, ...(redundant === undefined ? [] : [redundant])].map((offset) => ({ offset, length: tables * 4 }));
	return [{ offset: 0, length: SECTOR }, ...(descriptor ? [descriptor] : []), ...directories, ...(footer ? [footer] : [])];
};
