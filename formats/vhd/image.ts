import { isPowerOfTwo } from '../../src/bytes/align.ts';
import { humanSize } from '../../src/bytes/size.ts';
import type { Source } from '../../src/core/source.ts';
import { CorruptError, UnsupportedError } from '../../src/errors.ts';
import { type FoundFooter, type Report, readFooter } from './footer.ts';
import { virtualSize } from './geometry.ts';
import {
	bitmapSize,
	checksum,
	DISK_TYPES,
	type DiskType,
	FEATURES,
	type Footer,
	footerStruct,
	HEADER_COOKIE,
	type Header,
	headerStruct,
	MAX_BLOCK,
	MAX_SIZE,
	SECTOR,
} from './layout.ts';
import { type ParentName, parentNames } from './locators.ts';

/** What an image says of itself, every number checked against the file. */
export type Image = {
	readonly footer: Footer;
	readonly type: DiskType;
	/** Virtual size in bytes. */
	readonly size: number;
	/** Where the footer begins: nothing of the guest's is behind it. */
	readonly dataEnd: number;
	/** Absent in fixed images, whose guest offsets are host offsets. */
	readonly sparse?: Sparse | undefined;
};

/** `vconv check` gets no further than a reader does. */
const FRESH = 'a fresh copy: this one is damaged';

export type Sparse = {
	readonly header: Header;
	/** Bytes of the sector bitmap before each block. */
	readonly bitmapSize: number;
	/** Blocks that the virtual size needs; the table may have more. */
	readonly blocks: number;
	/** Names of the parent, the likeliest first; empty in dynamic images. */
	readonly parents: readonly ParentName[];
	/** Ranges of the file that no block may touch: `[start, end)` in host bytes. */
	readonly metadata: readonly (readonly [number, number])[];
};

/**
 * Footer, header and parent locators of an image. Damage that can be read around is reported.
 * @throws CorruptError, UnsupportedError.
 */
export const readImage = async (source: Source, report: Report, signal?: AbortSignal): Promise<Image> => {
	const found = await readFooter(source, report, signal);
	const { footer } = found;
	const type = diskType(source, footer);
	const dataEnd = source.size - found.length;
	if (footer.currentSize === 0 && footer.originalSize > 0) {
		throw wrong(source, found, 'currentSize', `the disk has no bytes, and had ${footer.originalSize} when it was made`);
	}
	if (type === 'fixed') {
		if (footer.currentSize !== dataEnd) {
			const sizes = `the footer tells of ${footer.currentSize} bytes, and ${dataEnd} are before it`;
			throw wrong(source, found, 'currentSize', `${sizes}: it was truncated or resized`);
		}
		return { footer, type, size: virtualSize(footer, dataEnd), dataEnd };
	}
	if (footer.currentSize > MAX_SIZE) {
		throw wrong(source, found, 'currentSize', `${humanSize(footer.currentSize)} are over the format's limit of ${humanSize(MAX_SIZE)}`);
	}
	const { header, at } = await readHeader(source, found, signal);
	const room = header.maxTableEntries * header.blockSize;
	if (footer.currentSize > room) {
		throw new CorruptError(`a table of ${header.maxTableEntries} blocks is too short for ${footer.currentSize} bytes`, {
			path: source.name,
			offset: at + headerStruct.offsets.maxTableEntries,
			field: 'maxTableEntries',
		});
	}
	const size = virtualSize(footer, room);
	const parents = type === 'differencing' ? await parentNames(source, header, at, report, signal) : [];
	if (type === 'differencing' && parents.length === 0) {
		throw new CorruptError('it is a differencing image that names no parent', {
			path: source.name,
			offset: at + headerStruct.offsets.parentUnicodeName,
			field: 'parentUnicodeName',
		});
	}
	const sparse: Sparse = {
		header,
		bitmapSize: bitmapSize(header.blockSize),
		blocks: Math.ceil(size / header.blockSize),
		parents,
		metadata: [
			[0, SECTOR],
			[at, at + headerStruct.size],
			[header.tableOffset, header.tableOffset + 4 * header.maxTableEntries],
		],
	};
	return { footer, type, size, dataEnd, sparse };
};

const diskType = (source: Source, footer: Footer): DiskType => {
	const { diskType: value, features, fileFormatVersion } = footer;
	const place = (field: keyof Footer) => ({ path: source.name, field });
	if (fileFormatVersion >>> 16 !== 1) {
		const version = `${fileFormatVersion >>> 16}.${fileFormatVersion & 0xffff}`;
		throw new UnsupportedError(`VHD version ${version}, and vconv knows 1`, place('fileFormatVersion'));
	}
	const unknown = features & ~(FEATURES.temporary | FEATURES.reserved);
	if (unknown !== 0) throw new UnsupportedError(`it has features unknown to vconv: 0x${(unknown >>> 0).toString(16)}`, place('features'));
	const type = (Object.keys(DISK_TYPES) as DiskType[]).find((name) => DISK_TYPES[name] === value);
	if (!type) throw new UnsupportedError(`disk type ${value}, and there are 2 (fixed), 3 (dynamic) and 4 (differencing)`, place('diskType'));
	return type;
};

const readHeader = async (
	source: Source,
	found: FoundFooter,
	signal?: AbortSignal,
): Promise<{ readonly header: Header; readonly at: number }> => {
	const { dataOffset } = found.footer;
	if (dataOffset < SECTOR || dataOffset + BigInt(headerStruct.size) > source.size) {
		throw wrong(source, found, 'dataOffset', `the dynamic header would be at 0x${dataOffset.toString(16)}, outside the file`);
	}
	const at = Number(dataOffset);
	const raw = await source.read(at, headerStruct.size, signal);
	const header = headerStruct.decode(raw, { path: source.name, offset: at });
	const corrupt = (field: keyof Header, message: string): CorruptError =>
		new CorruptError(message, { path: source.name, offset: at + headerStruct.offsets[field], field, hint: FRESH });

	if (header.cookie !== HEADER_COOKIE) throw corrupt('cookie', 'no dynamic header is where the footer says');
	if (header.headerVersion >>> 16 !== 1) throw corrupt('headerVersion', `header version 0x${header.headerVersion.toString(16)} is not 1`);
	if (!isPowerOfTwo(header.blockSize) || header.blockSize < SECTOR || header.blockSize > MAX_BLOCK) {
		throw corrupt('blockSize', `block size ${header.blockSize} is not a power of two from ${SECTOR} to ${MAX_BLOCK}`);
	}
	const tableEnd = header.tableOffset + 4 * header.maxTableEntries;
	if (header.tableOffset < SECTOR || tableEnd > source.size) {
		throw corrupt(
			'tableOffset',
			`a table of ${header.maxTableEntries} entries at 0x${header.tableOffset.toString(16)} is not within the file`,
		);
	}
	if (header.tableOffset < at + headerStruct.size && tableEnd > at) throw corrupt('tableOffset', 'the table lies over the header');
	const right = checksum(raw, headerStruct.offsets.checksum);
	// It has no copy, and what follows from a wrong field of it is other bytes.
	if (right !== header.checksum) {
		throw corrupt('checksum', `the checksum of the dynamic header is wrong: 0x${right.toString(16)} would be right`);
	}
	return { header, at };
};

const wrong = (source: Source, { offset }: FoundFooter, field: keyof Footer, message: string): CorruptError =>
	new CorruptError(message, { path: source.name, offset: offset + footerStruct.offsets[field], field, hint: FRESH });
