import { isPowerOfTwo } from '../../src/bytes/align.ts';
import { guidText } from '../../src/bytes/guid.ts';
import { hex } from '../../src/bytes/size.ts';
import type { Struct, Values } from '../../src/bytes/struct.ts';
import { LARGEST_DISK } from '../../src/core/limits.ts';
import type { ByteRange, Source } from '../../src/core/source.ts';
import { CorruptError, UnsupportedError } from '../../src/errors.ts';
import { type Item, type ItemName, readItems } from './items.ts';
import {
	FILE_FLAG,
	fileParameters,
	logicalSectorSize,
	MAX_BLOCK,
	MIN_BLOCK,
	physicalSectorSize,
	virtualDiskId,
	virtualDiskSize,
} from './layout.ts';

/** What the metadata region says of the disk (§2.6.2). */
export type Metadata = {
	/** Virtual size in bytes. */
	readonly size: number;
	readonly blockSize: number;
	/** Every block is to stay allocated: a fixed disk. */
	readonly fixed: boolean;
	readonly hasParent: boolean;
	readonly sectorSize: 512 | 4096;
	readonly physicalSectorSize: 512 | 4096;
	/** As GUID text. */
	readonly diskId: string;
	/** The item that names the parent. */
	readonly parentLocator: Item | undefined;
	/** Ids of items that vconv does not know, and need not. */
	readonly unknown: readonly string[];
};

/** @throws CorruptError, UnsupportedError for an item that must be understood and is not. */
export const readMetadata = async (source: Source, region: ByteRange, signal?: AbortSignal): Promise<Metadata> => {
	const path = source.name;
	const items = await readItems(source, region, signal);
	const value = async <F>(name: ItemName, layout: Struct<F>): Promise<Values<F> & { fault(why: string): CorruptError }> => {
		const { bytes, offset } = await items.read(name);
		const fault = (why: string) => new CorruptError(why, { path, offset, field: name });
		if (bytes.length !== layout.size) throw fault(`a metadata item of ${bytes.length} bytes, which has ${layout.size}`);
		return { ...layout.decode(bytes, { path, offset }), fault };
	};

	const parameters = await value('fileParameters', fileParameters);
	const { blockSize, flags } = parameters;
	if (!isPowerOfTwo(blockSize) || blockSize < MIN_BLOCK || blockSize > MAX_BLOCK) {
		throw parameters.fault(`a block size of ${blockSize} bytes is not a power of two from 1 MiB to 256 MiB`);
	}
	if (flags & ~(FILE_FLAG.leaveBlockAllocated | FILE_FLAG.hasParent)) {
		throw new UnsupportedError(`unknown file parameters ${hex(flags)}`, { path, offset: region.offset, field: 'fileParameters' });
	}
	const logical = await value('logicalSectorSize', logicalSectorSize);
	const physical = await value('physicalSectorSize', physicalSectorSize);
	const sectors = (size: number, fault: (why: string) => CorruptError): 512 | 4096 => {
		if (size !== 512 && size !== 4096) throw fault(`a sector size of ${size} bytes is neither 512 nor 4096`);
		return size;
	};
	const sectorSize = sectors(logical.logicalSectorSize, logical.fault);
	const disk = await value('virtualDiskSize', virtualDiskSize);
	const size = disk.virtualDiskSize;
	if (size > LARGEST_DISK) throw disk.fault(`a virtual size of ${size} bytes is over 64 TiB`);
	if (size % sectorSize !== 0) throw disk.fault(`a virtual size of ${size} bytes is no multiple of the sector size, ${sectorSize}`);
	return {
		size,
		blockSize,
		fixed: (flags & FILE_FLAG.leaveBlockAllocated) !== 0,
		hasParent: (flags & FILE_FLAG.hasParent) !== 0,
		sectorSize,
		physicalSectorSize: sectors(physical.physicalSectorSize, physical.fault),
		diskId: guidText((await value('virtualDiskId', virtualDiskId)).virtualDiskId),
		parentLocator: items.has('parentLocator') ? await items.read('parentLocator') : undefined,
		unknown: items.unknown,
	};
};
