import { isPowerOfTwo } from '../../src/bytes/align.ts';
import { hex, humanSize } from '../../src/bytes/size.ts';
import { LARGEST_DISK } from '../../src/core/limits.ts';
import type { Source } from '../../src/core/source.ts';
import { CorruptError, UnsupportedError } from '../../src/errors.ts';
import { FEATURES, type Header, header, MAGIC } from './layout.ts';

/** QEMU takes no longer name, in bytes. */
const MAX_NAME = 1023;

const KNOWN = FEATURES.backingFile | FEATURES.needCheck | FEATURES.backingFormatNoProbe;

/** The header, with every field checked against the others and against the file's size. @throws CorruptError, UnsupportedError. */
export const readHeader = async (source: Source, signal?: AbortSignal): Promise<Header> => {
	const h = header.decode(await source.read(0, header.size, signal), { path: source.name, offset: 0 });
	const at = (field: keyof Header) => ({ path: source.name, offset: header.offsets[field], field });
	const corrupt = (field: keyof Header, why: string) => new CorruptError(why, at(field));

	if (h.magic !== MAGIC) throw corrupt('magic', 'it does not begin as a QED image does');
	const unknown = h.features & ~KNOWN;
	if (unknown !== 0n) {
		throw new UnsupportedError(`it uses features that vconv does not know: 0x${unknown.toString(16)}`, at('features'));
	}
	if (!isPowerOfTwo(h.clusterSize) || h.clusterSize < 2 ** 12 || h.clusterSize > 2 ** 26) {
		throw corrupt('clusterSize', `a cluster of ${h.clusterSize} bytes is no power of two within 4 KiB … 64 MiB`);
	}
	if (!isPowerOfTwo(h.tableSize) || h.tableSize > 16)
		throw corrupt('tableSize', `a table of ${h.tableSize} clusters is none of 1, 2, 4, 8, 16`);
	if (h.headerSize < 1 || h.headerSize * h.clusterSize > source.size) {
		throw corrupt('headerSize', `a header of ${h.headerSize} clusters does not fit into the file`);
	}
	const entries = tableEntries(h);
	if (h.imageSize % 512 !== 0) throw corrupt('imageSize', `the disk of ${h.imageSize} bytes is not made of whole sectors`);
	if (h.imageSize > entries * entries * h.clusterSize)
		throw corrupt('imageSize', `the tables cannot hold a disk of ${humanSize(h.imageSize)}`);
	if (h.imageSize > LARGEST_DISK) {
		throw new UnsupportedError(`its virtual size of ${humanSize(h.imageSize)} is over ${humanSize(LARGEST_DISK)}`, at('imageSize'));
	}
	const why = misplaced(source, h, h.l1TableOffset, tableBytes(h));
	if (why) throw corrupt('l1TableOffset', `the L1 table ${why}`);
	if ((h.features & FEATURES.backingFile) !== 0n) {
		if (h.backingFilenameSize === 0 || h.backingFilenameSize > MAX_NAME) {
			throw corrupt('backingFilenameSize', `the backing file's name has ${h.backingFilenameSize} bytes, not 1 … ${MAX_NAME}`);
		}
		if (h.backingFilenameOffset < header.size || h.backingFilenameOffset + h.backingFilenameSize > h.headerSize * h.clusterSize) {
			throw corrupt('backingFilenameOffset', `the backing file's name at ${hex(h.backingFilenameOffset)} is outside the header`);
		}
	}
	return h;
};

/** Size of the L1 table and of each L2 table in bytes. */
export const tableBytes = (h: Header): number => h.tableSize * h.clusterSize;

/** Entries of each table. */
export const tableEntries = (h: Header): number => tableBytes(h) / 8;

/** What is wrong with a place in the file that a table names; undefined if nothing is. */
export const misplaced = (source: Source, h: Header, hostOffset: number, length: number): string | undefined => {
	if (hostOffset % h.clusterSize !== 0) return `at ${hex(hostOffset)} is not on a cluster boundary`;
	if (hostOffset < h.headerSize * h.clusterSize) return `at ${hex(hostOffset)} is inside the header`;
	if (hostOffset + length > source.size) return `at ${hex(hostOffset)} is past the end of the file`;
	return undefined;
};
