import { alignUp, isPowerOfTwo } from '../../src/bytes/align.ts';
import { parseSize } from '../../src/bytes/size.ts';
import type { OptionTable, WriteRequest } from '../../src/core/format.ts';
import { refuseLarger } from '../../src/core/limits.ts';
import { UnsupportedError, UsageError } from '../../src/errors.ts';
import { type Geometry, geometry } from './geometry.ts';
import { MAX_BLOCK, MAX_LOG, MIN_BLOCK, MiB } from './layout.ts';

export const vhdxOptions: OptionTable = {
	subformat: { default: 'dynamic', values: ['dynamic', 'fixed'], help: 'fixed has a place for every block from the start' },
	block_size: { default: 'auto', help: 'a power of two from 1M to 256M; auto is the smallest that keeps the block table within 1M' },
	block_state_zero: { default: 'on', values: ['on', 'off'], help: 'off marks blocks without data as not present instead of zero' },
	log_size: { default: '1M', help: 'room for the log, a multiple of 1M up to 64M' },
	physical_sector_size: { default: '4096', values: ['512', '4096'], help: 'physical sectors that the guest is told of' },
};

/** What was asked for, checked. */
export type Settings = {
	/** Virtual size in bytes: whole sectors. */
	readonly size: number;
	readonly geometry: Geometry;
	readonly fixed: boolean;
	readonly stateZero: boolean;
	readonly logSize: number;
	readonly physicalSectorSize: 512 | 4096;
};

/** @throws UsageError, UnsupportedError for a disk over 64 TiB, and for one of nothing. */
export const settingsOf = ({ size: wanted, sectorSize, options, backing }: WriteRequest): Settings => {
	const physicalSectorSize = options['physical_sector_size'] === '512' ? 512 : 4096;
	if (physicalSectorSize < sectorSize) {
		throw new UsageError('physical sectors of 512 bytes cannot hold logical ones of 4096', { hint: 'physical_sector_size=4096' });
	}
	const size = alignUp(wanted, sectorSize);
	refuseLarger('a VHDX', size);
	if (size === 0) throw new UnsupportedError('a VHDX of no sectors is none that other programs open', { hint: '-O raw' });

	const fixed = options['subformat'] === 'fixed';
	if (fixed && backing) throw new UsageError('a fixed VHDX has no parent', { hint: 'subformat=dynamic' });
	const logSize = parseSize(options['log_size'] ?? '') ?? 0;
	if (logSize < MiB || logSize > MAX_LOG || logSize % MiB !== 0) {
		throw new UsageError(`log_size=${options['log_size']} is not a multiple of 1M up to 64M`);
	}
	return {
		size,
		geometry: geometry(size, blockSizeOf(options['block_size'] ?? 'auto', size), sectorSize, backing !== undefined),
		fixed,
		stateZero: options['block_state_zero'] !== 'off',
		logSize,
		physicalSectorSize,
	};
};

/** What is left of the last block of a run of data is lost, so blocks are small; up to 4 TiB, their table is a single MiB. */
const LARGEST_AUTO = 32 * MiB;

const blockSizeOf = (text: string, size: number): number => {
	if (text === 'auto' || text === '0') {
		let blockSize = MIN_BLOCK;
		while (blockSize < LARGEST_AUTO && (size / blockSize) * 8 > MiB) blockSize *= 2;
		return blockSize;
	}
	const blockSize = parseSize(text) ?? 0;
	if (!isPowerOfTwo(blockSize) || blockSize < MIN_BLOCK || blockSize > MAX_BLOCK) {
		throw new UsageError(`block_size=${text} is not a power of two from 1M to 256M`);
	}
	return blockSize;
};
