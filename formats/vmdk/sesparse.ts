import { hex } from '../../src/bytes/size.ts';
import { LARGEST_DISK } from '../../src/core/limits.ts';
import type { Source } from '../../src/core/source.ts';
import { CorruptError, UnsupportedError } from '../../src/errors.ts';
import { cached } from '../../src/io/cached.ts';
import { type ExtentFile, plainGrains } from './extent-file.ts';
import { SECTOR, SESPARSE_VERSION, SESPARSE_VOLATILE_MAGIC, seSparseHeader, seSparseVolatileHeader } from './layout.ts';
import { ABSENT, checkPlace, type GrainMap, ZEROED } from './map.ts';

/** The one shape that ESXi writes: grains of 8 sectors, grain tables of 64. */
const GRAIN_SECTORS = 8;
const TABLE_SECTORS = 64;
const TABLE_ENTRIES = (TABLE_SECTORS * SECTOR) / 8;

/** The upper half of a directory entry that names a table; the lower half is the table's number. */
const TABLE_PRESENT = 0x1000_0000;
/** The top four bits of a grain table entry. */
const GRAIN = { unallocated: 0, unmapped: 1, zero: 2, allocated: 3 } as const;

/**
 * Open a space-efficient sparse extent of ESXi (`seSparse`).
 * @throws UnsupportedError where its journal is to be replayed first, CorruptError.
 */
export const openSeSparse = async (source: Source): Promise<ExtentFile> => {
	const header = seSparseHeader.decode(await source.read(0, Math.min(SECTOR, source.size)), { path: source.name, offset: 0 });
	const place = (field: keyof typeof header) => ({ path: source.name, offset: seSparseHeader.offsets[field], field });
	const unsupported = (field: keyof typeof header) =>
		new UnsupportedError(`${field} is ${header[field]}, which vconv does not know`, place(field));
	if (header.version !== SESPARSE_VERSION) throw unsupported('version');
	if (header.grainSize !== GRAIN_SECTORS) throw unsupported('grainSize');
	if (header.grainTableSize !== TABLE_SECTORS) throw unsupported('grainTableSize');
	for (const field of ['flags', 'reserved1', 'reserved2', 'reserved3', 'reserved4'] as const) {
		if (header[field] !== 0n) throw unsupported(field);
	}
	if (header.capacity === 0) throw new CorruptError('a disk of 0 sectors', place('capacity'));
	if (header.capacity > LARGEST_DISK / SECTOR) throw new UnsupportedError('the disk is larger than 64 TiB', place('capacity'));

	const headers = { source, metadata: [{ offset: 0, length: SECTOR }] };
	const volatile = { offset: header.volatileHeaderOffset * SECTOR, length: SECTOR };
	checkPlace(headers, 'the volatile header', volatile.offset, volatile.length);
	await refuseDirty(source, volatile.offset);
	const tables = Math.ceil(header.capacity / GRAIN_SECTORS / TABLE_ENTRIES);
	if (header.grainDirSize * SECTOR < tables * 8) {
		throw new CorruptError(
			`a grain directory of ${header.grainDirSize} sectors, and the disk has ${tables} grain tables`,
			place('grainDirSize'),
		);
	}
	const directory = { offset: header.grainDirOffset * SECTOR, length: tables * 8 };
	checkPlace(headers, 'the grain directory', directory.offset, directory.length);

	const pages = cached(source);
	const map: GrainMap = {
		source,
		capacity: header.capacity * SECTOR,
		grainSize: GRAIN_SECTORS * SECTOR,
		tableEntries: TABLE_ENTRIES,
		entrySize: 8,
		metadata: [
			...headers.metadata,
			volatile,
			directory,
			{ offset: header.grainTablesOffset * SECTOR, length: header.grainTablesSize * SECTOR },
		],
		async directory(first, count, signal) {
			const bytes = await pages.read(directory.offset + first * 8, count * 8, signal);
			const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
			return Array.from({ length: count }, (_, i) => {
				const [low, high] = [view.getUint32(i * 8, true), view.getUint32(i * 8 + 4, true)];
				if (low === 0 && high === 0) return 0;
				const at = (header.grainTablesOffset + low * TABLE_SECTORS) * SECTOR;
				const within = high === TABLE_PRESENT && (low + 1) * TABLE_SECTORS <= header.grainTablesSize;
				if (!within) {
					throw new CorruptError(`grain directory entry ${first + i} is ${hex(high)}:${hex(low)}, which names no grain table`, {
						path: source.name,
						offset: directory.offset + (first + i) * 8,
						field: 'grain directory',
					});
				}
				checkPlace(
					{ source, metadata: [...headers.metadata, volatile, directory] },
					`grain table ${first + i}`,
					at,
					TABLE_SECTORS * SECTOR,
				);
				return at;
			});
		},
		entry(view, at) {
			const [low, high] = [view.getUint32(at, true), view.getUint32(at + 4, true)];
			const kind = high >>> 28;
			if (kind === GRAIN.unallocated && low === 0 && high === 0) return ABSENT;
			if (kind === GRAIN.unmapped || kind === GRAIN.zero) return ZEROED;
			// The number of the grain: its upper 48 bits are bits 0–47 of the entry, its lower 12 are bits 48–59.
			const grain = ((high & 0xffff) * 2 ** 32 + low) * 2 ** 12 + ((high >>> 16) & 0xfff);
			if (kind !== GRAIN.allocated || (grain + 1) * GRAIN_SECTORS > header.grainsSize) {
				throw new CorruptError(`a grain table entry is ${hex(high)}:${hex(low)}, which names no grain`, {
					path: source.name,
					field: 'grain table',
				});
			}
			return (header.grainsOffset + grain * GRAIN_SECTORS) * SECTOR;
		},
	};
	return { map, capacity: map.capacity, grainSize: map.grainSize, extents: plainGrains(map) };
};

/** The journal holds changes of the tables that were not made yet: without them the disk is not what the guest last saw. */
const refuseDirty = async (source: Source, offset: number): Promise<void> => {
	const header = seSparseVolatileHeader.decode(await source.read(offset, SECTOR), { path: source.name, offset });
	const place = (field: keyof typeof header) => ({ path: source.name, offset: offset + seSparseVolatileHeader.offsets[field], field });
	if (header.magic !== SESPARSE_VOLATILE_MAGIC) throw new CorruptError('no volatile header is there', place('magic'));
	if (header.replayJournal === 0) return;
	throw new UnsupportedError('its journal has changes that are not in its tables yet: the machine was not shut down', {
		...place('replayJournal'),
		hint: 'starting and stopping the machine, or consolidating its snapshots, on ESXi',
	});
};
