import { alignUp } from '../../src/bytes/align.ts';
import { hex, humanSize } from '../../src/bytes/size.ts';
import { LARGEST_DISK } from '../../src/core/limits.ts';
import type { Source } from '../../src/core/source.ts';
import { CorruptError, UnsupportedError } from '../../src/errors.ts';
import { EMPTY, type Header, header, IN_USE, MAGIC, SECTOR, VERSION } from './layout.ts';

/** What the header says, in bytes. */
export type Geometry = {
	readonly magic: string;
	/** Virtual size. */
	readonly size: number;
	readonly clusterSize: number;
	/** Host bytes that one step of a BAT entry stands for. */
	readonly unit: number;
	readonly batEntries: number;
	/** Host offset below which no cluster may be. */
	readonly dataOffset: number;
	/** It was not closed. */
	readonly dirty: boolean;
	/** No cluster may be stored. */
	readonly empty: boolean;
	/** Host offset of the format extension; 0 for none. */
	readonly extensionOffset: number;
};

/** The header, with every field checked against the others and against the file's size. @throws CorruptError, UnsupportedError. */
export const readHeader = async (source: Source, signal?: AbortSignal): Promise<Geometry> => {
	const h = header.decode(await source.read(0, header.size, signal), { path: source.name, offset: 0 });
	const at = (field: keyof Header) => ({ path: source.name, offset: header.offsets[field], field });
	const corrupt = (field: keyof Header, why: string) => new CorruptError(why, at(field));

	const counted = h.magic === MAGIC.clusters;
	if (!counted && h.magic !== MAGIC.sectors) throw corrupt('magic', 'it does not begin as a Parallels image does');
	if (h.version !== VERSION) throw new UnsupportedError(`version ${h.version} of a Parallels image: vconv knows ${VERSION}`, at('version'));
	if (h.tracks === 0) throw corrupt('tracks', 'its clusters have no sectors');
	const clusterSize = h.tracks * SECTOR;

	const sectors = counted ? h.sectors + h.sectorsHigh * 2 ** 32 : h.sectors;
	const size = sectors * SECTOR;
	if (size > LARGEST_DISK)
		throw new UnsupportedError(`its virtual size of ${humanSize(size)} is over ${humanSize(LARGEST_DISK)}`, at('sectors'));
	if (sectors > h.batEntries * h.tracks) {
		throw corrupt('batEntries', `${h.batEntries} clusters of ${h.tracks} sectors cannot hold a disk of ${sectors}`);
	}
	const batEnd = header.size + h.batEntries * 4;
	if (batEnd > source.size)
		throw corrupt('batEntries', `the BAT of ${h.batEntries} entries ends at ${hex(batEnd)}, past the end of the file`);
	if (counted && h.dataOffset === 0) throw corrupt('dataOffset', 'it does not say where the data starts');
	const dataOffset = h.dataOffset === 0 ? alignUp(batEnd, SECTOR) : h.dataOffset * SECTOR;
	if (dataOffset < batEnd) throw corrupt('dataOffset', `the data starts at ${hex(dataOffset)}, inside the BAT`);

	const dirty = h.inUse === IN_USE;
	// Old images have no extension, whatever stands there; an unclosed image has none that counts.
	const extension = counted && !dirty ? h.extensionOffset * BigInt(SECTOR) : 0n;
	if (extension >= BigInt(source.size) && extension !== 0n)
		throw corrupt('extensionOffset', `the format extension at 0x${extension.toString(16)} is past the end of the file`);
	return {
		magic: h.magic,
		size,
		clusterSize,
		unit: counted ? clusterSize : SECTOR,
		batEntries: h.batEntries,
		dataOffset,
		dirty,
		empty: (h.flags & EMPTY) !== 0,
		extensionOffset: Number(extension),
	};
};

/** What is wrong with the place of `length` bytes of a cluster; undefined if nothing is. */
export const misplaced = (source: Source, g: Geometry, hostOffset: number, length: number): string | undefined => {
	if (hostOffset < g.dataOffset) return `is at ${hex(hostOffset)}, before the data area`;
	if (hostOffset + length > source.size) return `is at ${hex(hostOffset)}, past the end of the file`;
	return undefined;
};
