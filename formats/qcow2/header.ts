import { isZero } from '../../src/bytes/align.ts';
import { humanSize } from '../../src/bytes/size.ts';
import { LARGEST_DISK } from '../../src/core/limits.ts';
import type { Source } from '../../src/core/source.ts';
import { CorruptError, UnrecognizedError, UnsupportedError } from '../../src/errors.ts';
import { type Extensions, readExtensions } from './extensions.ts';
import { checkFeatures, compressionOf, type Encryption, encryptionOf } from './features.ts';
import { COMPRESSION, type Geometry, geometry, header, headerAdditional, headerV3, INCOMPATIBLE, LIMIT, MAGIC } from './layout.ts';

/** The header, checked: every number in it is possible, and what it points to is within the file. */
export type Header = {
	readonly version: number;
	readonly geometry: Geometry;
	/** Virtual size in bytes. */
	readonly size: number;
	readonly l1: L1Table;
	/** Not checked: nothing but `check` reads refcounts. */
	readonly refcountTable: { readonly offset: number; readonly clusters: number };
	readonly refcountBits: number;
	readonly snapshots: { readonly offset: number; readonly count: number };
	readonly incompatible: bigint;
	readonly compatible: bigint;
	readonly autoclear: bigint;
	readonly compression: 'zlib' | 'zstd';
	/** The name of the backing file, as stored. */
	readonly backingFile?: string | undefined;
	readonly extensions: Extensions;
	/** Of what the guest has written; headers and tables are not encrypted. */
	readonly encryption?: Encryption | undefined;
};

/** Of the disk as it is, or of a snapshot. */
export type L1Table = {
	/** Host offset in bytes. */
	readonly offset: number;
	/** 8 bytes each. */
	readonly entries: number;
};

/**
 * Read what stands in the first cluster.
 * @throws UnrecognizedError, CorruptError, UnsupportedError for features that vconv does not know.
 */
export const readHeader = async (source: Source, signal?: AbortSignal): Promise<Header> => {
	const place = { path: source.name, offset: 0 };
	const h = header.decode(await source.read(0, header.size, signal), place);
	const corrupt = (field: keyof typeof header.offsets, why: string) =>
		new CorruptError(why, { path: source.name, offset: header.offsets[field], field });

	const tooMuch = (field: keyof typeof header.offsets, what: string, limit: string) =>
		new UnsupportedError(`${what} over vconv's limit of ${limit}`, { path: source.name, offset: header.offsets[field], field });

	if (h.magic !== MAGIC) throw new UnrecognizedError('this is not a QCOW2 image', place);
	if (h.version !== 2 && h.version !== 3) {
		throw new UnsupportedError(`there is no QCOW2 version ${h.version}: vconv reads 2 and 3`, { ...place, offset: 4, field: 'version' });
	}
	if (h.clusterBits < LIMIT.minClusterBits || h.clusterBits > LIMIT.maxClusterBits) {
		throw corrupt('clusterBits', `a cluster size of 2^${h.clusterBits} bytes is not within 512 bytes … 2 MiB`);
	}
	const clusterSize = 2 ** h.clusterBits;
	if (h.backingFileOffset > clusterSize) throw corrupt('backingFileOffset', "the backing file's name is outside of the first cluster");
	if (h.backingFileOffset > 0 && h.backingFileSize > Math.min(LIMIT.backingFileSize, clusterSize - h.backingFileOffset)) {
		throw corrupt('backingFileSize', `a backing file's name of ${h.backingFileSize} bytes is too long`);
	}

	const v3 = h.version === 3 ? await readVersion3(source, clusterSize, signal) : VERSION_2;
	const extensions = await readExtensions(source, v3.headerLength, h.backingFileOffset || clusterSize, signal);
	const grid = geometry(h.clusterBits, (v3.incompatibleFeatures & INCOMPATIBLE.extendedL2) !== 0n);
	checkFeatures(source.name, v3.incompatibleFeatures, v3.autoclearFeatures, extensions);
	const compression = compressionOf(source.name, v3.compressionType, v3.incompatibleFeatures);
	const encryption = encryptionOf(source.name, h.cryptMethod);

	if (grid.extendedL2 && h.clusterBits < LIMIT.minExtendedClusterBits) {
		throw corrupt('clusterBits', `extended L2 entries need clusters of 16 KiB at least, these have ${humanSize(clusterSize)}`);
	}
	if (h.size > LARGEST_DISK) throw tooMuch('size', `a virtual size of ${humanSize(h.size)} is`, humanSize(LARGEST_DISK));
	if (h.snapshotCount > LIMIT.snapshots) throw tooMuch('snapshotCount', `${h.snapshotCount} internal snapshots are`, `${LIMIT.snapshots}`);
	const l1 = { offset: h.l1TableOffset, entries: h.l1Size };
	checkL1(source, grid, l1, h.size, header.offsets.l1TableOffset);
	// A disk of 0 bytes maps nothing: where its L1 table does, the size is what is wrong.
	if (h.size === 0 && !isZero(await source.read(l1.offset, Math.min(l1.entries * 8, clusterSize), signal))) {
		throw corrupt('size', 'a disk of 0 bytes that has L2 tables');
	}

	return {
		version: h.version,
		geometry: grid,
		size: h.size,
		l1,
		refcountTable: { offset: h.refcountTableOffset, clusters: h.refcountTableClusters },
		refcountBits: 2 ** v3.refcountOrder,
		snapshots: { offset: h.snapshotsOffset, count: h.snapshotCount },
		incompatible: v3.incompatibleFeatures,
		compatible: v3.compatibleFeatures,
		autoclear: v3.autoclearFeatures,
		compression,
		encryption,
		backingFile:
			h.backingFileOffset > 0 && h.backingFileSize > 0
				? new TextDecoder().decode(await source.read(h.backingFileOffset, h.backingFileSize, signal))
				: undefined,
		extensions,
	};
};

/** What a version 2 header leaves unsaid. */
const VERSION_2 = {
	incompatibleFeatures: 0n,
	compatibleFeatures: 0n,
	autoclearFeatures: 0n,
	refcountOrder: 4,
	headerLength: header.size,
	compressionType: COMPRESSION.zlib as number,
};

const readVersion3 = async (source: Source, clusterSize: number, signal?: AbortSignal): Promise<typeof VERSION_2> => {
	const start = header.size + headerV3.size;
	const v3 = headerV3.decode(await source.read(header.size, headerV3.size, signal), { path: source.name, offset: header.size });
	const corrupt = (field: keyof typeof headerV3.offsets, why: string) =>
		new CorruptError(why, { path: source.name, offset: header.size + headerV3.offsets[field], field });
	if (v3.headerLength < start || v3.headerLength > clusterSize) {
		throw corrupt('headerLength', `a header of ${v3.headerLength} bytes is not within ${start} bytes … a cluster`);
	}
	if (v3.refcountOrder > LIMIT.refcountOrder)
		throw corrupt('refcountOrder', `refcounts of 2^${v3.refcountOrder} bits are wider than 64 bits`);
	if (v3.headerLength < start + headerAdditional.size) return { ...v3, compressionType: COMPRESSION.zlib };
	const additional = await source.read(start, headerAdditional.size, signal);
	return { ...v3, compressionType: headerAdditional.decode(additional, { path: source.name, offset: start }).compressionType };
};

/**
 * Whether an L1 table can map `size` bytes, and is within the file as far as it does.
 * @param at host offset of the field that says where it is.
 */
export const checkL1 = (source: Source, { clusterSize, tableSpan }: Geometry, l1: L1Table, size: number, at: number): void => {
	const needed = Math.ceil(size / tableSpan);
	const corrupt = (why: string, hint?: string) => new CorruptError(why, { path: source.name, offset: at, field: 'l1TableOffset', hint });
	if (l1.entries * 8 > LIMIT.l1Table) throw corrupt(`an L1 table of ${l1.entries} entries is over the limit of ${LIMIT.l1Table / 8}`);
	if (l1.entries < needed) throw corrupt(`an L1 table of ${l1.entries} entries is too small for ${size} bytes: it takes ${needed}`);
	if (l1.entries === 0) return;
	if (l1.offset % clusterSize !== 0) throw corrupt(`the L1 table at 0x${l1.offset.toString(16)} does not begin on a cluster`);
	if (l1.offset === 0) throw corrupt('the L1 table is where the header is');
	if (l1.offset + Math.max(1, needed) * 8 > source.size) {
		throw corrupt(`the L1 table at 0x${l1.offset.toString(16)} reaches beyond the end of the file`, 'a fresh copy: this one is truncated');
	}
};
