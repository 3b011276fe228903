import { isPowerOfTwo } from '../../src/bytes/align.ts';
import { hex } from '../../src/bytes/size.ts';
import { LARGEST_DISK } from '../../src/core/limits.ts';
import type { ByteRange, Source } from '../../src/core/source.ts';
import { CorruptError, UnsupportedError } from '../../src/errors.ts';
import { COMPRESSION, GD_AT_END, NEW_LINES, SECTOR, SPARSE_FLAGS, SPARSE_MAGIC, type SparseHeader, sparseHeader } from './layout.ts';
import { readFooter } from './stream.ts';

/** Grains of 4 KiB to 16 MiB; every product writes 64 KiB. In sectors. */
const GRAIN_SECTORS = { least: 8, most: 2 ** 15 } as const;
/** Entries of a grain table; every product writes 512. */
const MOST_GTES = 4096;

/** Of one extent file: 64 TiB in grains of 16 KiB. */
const MOST_TABLES = 2 ** 23;

/** The lower half of the flags may be ignored by those who do not know them; the upper half may not. */
const KNOWN_INCOMPATIBLE = SPARSE_FLAGS.compressed | SPARSE_FLAGS.markers;

/** A hosted sparse extent's header, checked, in bytes instead of sectors. */
export type Sparse = {
	/** As stored: of the footer where the file has one. */
	readonly header: SparseHeader;
	readonly capacity: number;
	readonly grainSize: number;
	readonly compressed: boolean;
	/** A grain table entry of 1 is a grain of zeros. */
	readonly zeroedGrains: boolean;
	/** Grain tables that the disk takes. */
	readonly tables: number;
	/** Host offset of the grain directory. */
	readonly directory: number;
	/** Host offset of its redundant copy. */
	readonly redundant?: number | undefined;
	/** The room of the embedded descriptor. */
	readonly descriptor?: ByteRange | undefined;
	/** The footer that stands in for the header, and the markers round it. */
	readonly footer?: ByteRange | undefined;
};

/**
 * The header of a hosted sparse extent, or the footer that stands in for it.
 * @throws CorruptError, UnsupportedError naming the field.
 */
export const readSparse = async (source: Source): Promise<Sparse> => {
	const first = sparseHeader.decode(await source.read(0, Math.min(sparseHeader.size, source.size)), { path: source.name, offset: 0 });
	checkHeader(first, source, 0);
	if (first.gdOffset !== GD_AT_END) return describe(first, first, source, 0);
	const { footer, offset } = await readFooter(source);
	checkFooter(footer, first, source, offset);
	return describe(footer, first, source, offset);
};

/** What a footer, at `at`, must have in common with the header. @throws CorruptError, UnsupportedError. */
export const checkFooter = (footer: SparseHeader, first: SparseHeader, source: Pick<Source, 'name'>, at: number): void => {
	checkHeader(footer, source, at);
	for (const field of ['version', 'flags', 'capacity', 'grainSize', 'numGTEsPerGT', 'compressAlgorithm'] as const) {
		if (footer[field] === first[field]) continue;
		throw new CorruptError(`the footer says ${field} ${footer[field]}, and the header ${first[field]}`, {
			path: source.name,
			offset: at + sparseHeader.offsets[field],
			field,
		});
	}
	if (footer.gdOffset === GD_AT_END) {
		throw new CorruptError('the footer does not say where the grain directory is', {
			path: source.name,
			offset: at + sparseHeader.offsets.gdOffset,
			field: 'gdOffset',
		});
	}
};

/**
 * What needs no other part of the file to be seen as wrong. `at` is where the header is.
 * @throws CorruptError, UnsupportedError naming the field.
 */
export const checkHeader = (header: SparseHeader, source: Pick<Source, 'name'>, at: number): void => {
	const place = (field: keyof SparseHeader) => ({ path: source.name, offset: at + sparseHeader.offsets[field], field });
	const corrupt = (field: keyof SparseHeader, why: string, hint?: string) => new CorruptError(why, { ...place(field), hint });
	const unsupported = (field: keyof SparseHeader, why: string) => new UnsupportedError(why, place(field));

	if (header.magicNumber !== SPARSE_MAGIC) throw corrupt('magicNumber', 'no sparse header is there');
	if (header.version < 1 || header.version > 3)
		throw unsupported('version', `sparse header version ${header.version}, and vconv knows 1 to 3`);
	const unknown = (header.flags & 0xffff_0000 & ~KNOWN_INCOMPATIBLE) >>> 0;
	if (unknown !== 0) throw unsupported('flags', `incompatible flags ${hex(unknown)} that vconv does not know`);
	const ends = [header.singleEndLineChar, header.nonEndLineChar, header.doubleEndLineChar1, header.doubleEndLineChar2];
	if (header.flags & SPARSE_FLAGS.validNewLine && ends.some((end, i) => end !== NEW_LINES[i])) {
		throw corrupt('singleEndLineChar', 'its line ends were changed: it was transferred as text', 'a fresh copy, transferred as binary');
	}
	const { least, most } = GRAIN_SECTORS;
	if (!isPowerOfTwo(header.grainSize) || header.grainSize < least || header.grainSize > most) {
		throw corrupt('grainSize', `a grain of ${header.grainSize} sectors is not a power of two within ${least} … ${most}`);
	}
	if (header.numGTEsPerGT < 1 || header.numGTEsPerGT > MOST_GTES) {
		throw corrupt('numGTEsPerGT', `grain tables of ${header.numGTEsPerGT} entries are not within 1 … ${MOST_GTES}`);
	}
	if (header.capacity === 0) throw corrupt('capacity', 'a disk of 0 sectors');
	if (header.capacity > LARGEST_DISK / SECTOR) throw unsupported('capacity', 'the disk is larger than 64 TiB');

	const packed = header.compressAlgorithm === COMPRESSION.deflate;
	if (!packed && header.compressAlgorithm !== COMPRESSION.none) {
		throw unsupported('compressAlgorithm', `compression ${header.compressAlgorithm}, and vconv knows 1, deflate`);
	}
	const flagged = { packed: (header.flags & SPARSE_FLAGS.compressed) !== 0, marked: (header.flags & SPARSE_FLAGS.markers) !== 0 };
	if (packed !== flagged.packed || packed !== flagged.marked) {
		throw corrupt('flags', `flags ${hex(header.flags)} and compressAlgorithm ${header.compressAlgorithm} contradict each other`);
	}
};

/** How many grain tables the disk takes. */
export const tableCount = ({ capacity, grainSize, numGTEsPerGT }: SparseHeader): number => Math.ceil(capacity / grainSize / numGTEsPerGT);

/** @throws UnsupportedError for more grain tables than any disk has. */
export const checkTables = (header: SparseHeader, source: Pick<Source, 'name'>, at: number): void => {
	const tables = tableCount(header);
	if (tables <= MOST_TABLES) return;
	throw new UnsupportedError(`a grain directory of ${tables} entries, and vconv reads up to ${MOST_TABLES}`, {
		path: source.name,
		offset: at + sparseHeader.offsets.numGTEsPerGT,
		field: 'numGTEsPerGT',
	});
};

/** `header` is the one with the directory, at `at`; `first` is at the start of the file and names the descriptor. */
const describe = (header: SparseHeader, first: SparseHeader, source: Source, at: number): Sparse => {
	checkTables(header, source, at);
	const tables = tableCount(header);
	const directory = Number(header.gdOffset) * SECTOR;
	const redundant = header.flags & SPARSE_FLAGS.redundantTable && header.rgdOffset !== 0 ? header.rgdOffset * SECTOR : undefined;
	const fits = (offset: number) => offset >= SECTOR && offset + tables * 4 <= source.size;
	if (!fits(directory) && (redundant === undefined || !fits(redundant))) {
		throw new CorruptError(`the grain directory of ${tables} entries at ${hex(directory)} is not within the file`, {
			path: source.name,
			offset: at + sparseHeader.offsets.gdOffset,
			field: 'gdOffset',
			hint: 'a fresh copy: this one may be truncated',
		});
	}
	const descriptor = { offset: first.descriptorOffset * SECTOR, length: first.descriptorSize * SECTOR };
	const embedded = first.descriptorOffset !== 0 && first.descriptorSize !== 0;
	if (embedded && descriptor.offset + descriptor.length > source.size) {
		throw new CorruptError(`the descriptor at ${hex(descriptor.offset)} is past the end of the file`, {
			path: source.name,
			offset: sparseHeader.offsets.descriptorOffset,
			field: 'descriptorOffset',
		});
	}
	return {
		header,
		capacity: header.capacity * SECTOR,
		grainSize: header.grainSize * SECTOR,
		compressed: header.compressAlgorithm === COMPRESSION.deflate,
		zeroedGrains: (header.flags & SPARSE_FLAGS.zeroedGrain) !== 0,
		tables,
		directory,
		redundant,
		descriptor: embedded ? descriptor : undefined,
		footer: at === 0 ? undefined : { offset: at - SECTOR, length: 3 * SECTOR },
	};
};
