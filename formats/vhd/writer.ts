import { alignUp, isPowerOfTwo, isZero } from '../../src/bytes/align.ts';
import { uuidBytes } from '../../src/bytes/guid.ts';
import { humanSize, parseSize } from '../../src/bytes/size.ts';
import type { BackingReference, DiskWriter, Layout, WriteRequest } from '../../src/core/format.ts';
import { LARGEST_DISK } from '../../src/core/limits.ts';
import { UnsupportedError, UsageError } from '../../src/errors.ts';
import { blockAllocator, endOf } from './allocator.ts';
import { geometryOf, roundedToGeometry } from './geometry.ts';
import {
	DISK_TYPES,
	type DiskType,
	FEATURES,
	FOOTER_COOKIE,
	footerStruct,
	HEADER_COOKIE,
	headerStruct,
	MAX_BLOCK,
	MAX_SIZE,
	NO_OFFSET,
	SECTOR,
	sealed,
	VERSION,
} from './layout.ts';
import { headerName, makeLocators } from './locators.ts';

/** What is tested for zeros: a part of a block, so that a sparse file stays sparse within its blocks. */
const GRANULE = 1 << 16;

const MIN_BLOCK = 1 << 19;

/** Behind the copy of the footer. */
const HEADER_OFFSET = SECTOR;
const TABLE_OFFSET = HEADER_OFFSET + headerStruct.size;

/**
 * Fixed, dynamic, or differencing over `backing`. The size is exact: it is that of the disk in whole sectors unless options say more.
 * The creator is given as Windows, for QEMU before 10 believes the current size of few others (README.md).
 */
export const vhdWriter: DiskWriter = {
	options: {
		subformat: { default: 'dynamic', values: ['dynamic', 'fixed'], help: 'fixed is the raw disk with a footer behind it, for Azure' },
		block_size: { default: '2M', help: 'a power of two from 512k to 256M; Windows makes 512k and 2M' },
		force_size: { default: 'on', values: ['on', 'off'], help: 'off rounds the virtual size up to whole cylinders, for Virtual PC' },
		align: { default: '512', help: 'round the virtual size up to a multiple of this; Azure takes multiples of 1M' },
	},
	plan(request) {
		if (request.sectorSize !== 512) {
			throw new UnsupportedError(`VHD has sectors of 512 bytes, and the disk of ${request.sectorSize}`, { hint: '-O vhdx' });
		}
		const size = virtualSize(request);
		if (size > MAX_SIZE) {
			throw new UnsupportedError(`VHD holds at most ${MAX_SIZE / 2 ** 30} GiB, and this disk has ${humanSize(size)}`, {
				hint: size > LARGEST_DISK ? '-O raw' : '-O vhdx',
			});
		}
		if (request.options['subformat'] !== 'fixed') return sparseLayout(request, size);
		if (request.backing) throw new UsageError('a differencing VHD cannot be fixed', { hint: 'subformat=dynamic' });
		return fixedLayout(request, size);
	},
};

const virtualSize = ({ size, options }: WriteRequest): number => {
	const unit = parseSize(options['align'] ?? '');
	if (unit === undefined || unit === 0 || unit % SECTOR !== 0) {
		throw new UsageError(`align=${options['align']} is not a multiple of ${SECTOR} bytes`);
	}
	if (options['force_size'] !== 'off') return alignUp(size, unit);
	if (unit !== SECTOR) throw new UsageError(`a size in whole cylinders is no multiple of ${humanSize(unit)}`, { hint: 'force_size=on' });
	return roundedToGeometry(alignUp(size, SECTOR));
};

const fixedLayout = (request: WriteRequest, size: number): Layout => {
	const footer = makeFooter(request, size, 'fixed');
	return {
		size,
		block: GRANULE,
		fixedAt: 0,
		place: (guestOffset) => guestOffset,
		outline: { unit: 1, reserved: true, others: () => footer.length },
		finish: async ([sink]) => sink?.write(size, footer),
	};
};

/** In a differencing image single sectors are told apart, and moved: a delta's blocks must not hold both its own bytes and its parent's. */
const sparseLayout = (request: WriteRequest, size: number): Layout => {
	const { backing } = request;
	const blockSize = parseSize(request.options['block_size'] ?? '') ?? 0;
	if (!isPowerOfTwo(blockSize) || blockSize < MIN_BLOCK || blockSize > MAX_BLOCK) {
		throw new UsageError(`block_size=${request.options['block_size']} is not a power of two from 512k to 256M`);
	}
	const entries = Math.max(1, Math.ceil(size / blockSize));
	const tableEnd = TABLE_OFFSET + alignUp(4 * entries, SECTOR);
	const parentId = backing && parentIdOf(backing, size);
	const locators = backing && makeLocators(backing, tableEnd);
	const firstBlock = tableEnd + (locators?.data.length ?? 0);
	if (endOf(entries, blockSize, firstBlock) > 0xffffffff * SECTOR) {
		throw new UsageError(`with blocks of ${humanSize(blockSize)} a full disk of ${humanSize(size)} is more than VHD can address`, {
			hint: 'block_size=2M',
		});
	}
	const footer = makeFooter(request, size, backing ? 'differencing' : 'dynamic');
	const header = headerStruct.encode({
		cookie: HEADER_COOKIE,
		dataOffset: NO_OFFSET,
		tableOffset: TABLE_OFFSET,
		headerVersion: VERSION,
		maxTableEntries: entries,
		blockSize,
		checksum: 0,
		parentUniqueId: parentId ?? new Uint8Array(16),
		parentTimestamp: 0,
		reserved1: 0,
		parentUnicodeName: backing ? headerName(backing.name) : new Uint8Array(512),
		parentLocators: locators?.entries ?? new Uint8Array(0),
		reserved2: new Uint8Array(256),
	});
	const blocks = blockAllocator(entries, blockSize, firstBlock, backing !== undefined);
	return {
		size,
		block: backing ? SECTOR : GRANULE,
		place(guestOffset, length) {
			if (backing) blocks.own(guestOffset, length);
			return blocks.place(guestOffset);
		},
		// VHD cannot say that something reads as zeros: sectors that were never written do.
		...(backing && { zero: blocks.own }),
		outline: {
			unit: blockSize,
			others: (count) => endOf(count, blockSize, firstBlock) - count * blockSize + footer.length,
		},
		async finish([sink]) {
			if (!sink) return;
			await blocks.writeBitmaps(sink);
			await blocks.writeTable(sink, TABLE_OFFSET);
			if (locators) await sink.write(tableEnd, locators.data);
			await sink.write(HEADER_OFFSET, sealed(header, headerStruct.offsets.checksum));
			// Without either footer it is no VHD: they are last.
			await sink.write(0, footer);
			await sink.write(blocks.end(), footer);
		},
	};
};

/** @throws UnsupportedError for what Windows takes for no parent of a VHD of `size` bytes. */
const parentIdOf = (backing: BackingReference, size: number): Uint8Array => {
	const at = { path: backing.name };
	if (backing.format !== 'vhd') throw new UnsupportedError(`the parent of a VHD is a VHD, and this is ${backing.format}`, at);
	const id = uuidBytes(backing.id ?? '');
	if (!id || isZero(id)) throw new UnsupportedError('it has no unique id, by which a differencing VHD must know its parent', at);
	if (backing.size !== size) {
		// ERROR_VHD_CHILD_PARENT_SIZE_MISMATCH: Windows takes such a chain for a corrupt one.
		throw new UnsupportedError(`a VHD has the size of its parent: that has ${backing.size} bytes, and this disk ${size}`, {
			...at,
			hint: '-O vhdx, which may differ, or the whole chain as one image',
		});
	}
	return id;
};

const makeFooter = ({ stamp }: WriteRequest, size: number, type: DiskType): Uint8Array => {
	const seconds = Math.floor((stamp.now.getTime() - Date.UTC(2000, 0, 1)) / 1000);
	const footer = footerStruct.encode({
		cookie: FOOTER_COOKIE,
		features: FEATURES.reserved,
		fileFormatVersion: VERSION,
		dataOffset: type === 'fixed' ? NO_OFFSET : BigInt(HEADER_OFFSET),
		timestamp: Math.min(Math.max(0, seconds), 0xffffffff),
		creatorApplication: 'win ',
		creatorVersion: 0x000a0000,
		creatorHostOs: 'Wi2k',
		originalSize: size,
		currentSize: size,
		...geometryOf(size),
		diskType: DISK_TYPES[type],
		checksum: 0,
		uniqueId: stamp.id(),
		savedState: 0,
		reserved: new Uint8Array(427),
	});
	return sealed(footer, footerStruct.offsets.checksum);
};
