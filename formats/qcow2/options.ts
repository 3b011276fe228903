import { isPowerOfTwo } from '../../src/bytes/align.ts';
import { parseSize } from '../../src/bytes/size.ts';
import type { OptionTable, WriteRequest } from '../../src/core/format.ts';
import { UsageError } from '../../src/errors.ts';
import { type Geometry, geometry, LIMIT } from './layout.ts';

/** Names, values and defaults are qemu-img's, and `compression_level` is our own. */
export const qcow2Options: OptionTable = {
	compat: { default: '1.1', values: ['1.1', '0.10', 'v3', 'v2'], help: 'version 3 (1.1), or version 2 (0.10) for QEMU before 1.1' },
	cluster_size: { default: '64k', help: 'the unit of allocation, a power of two from 512 to 2M' },
	refcount_bits: { default: '16', values: ['1', '2', '4', '8', '16', '32', '64'], help: 'width of a refcount' },
	extended_l2: { default: 'off', values: ['off', 'on'], help: 'allocate in 32nds of a cluster; QEMU 5.2 or later reads it' },
	lazy_refcounts: { default: 'off', values: ['off', 'on'], help: 'allow QEMU to postpone refcount updates' },
	preallocation: {
		default: 'off',
		values: ['off', 'metadata', 'falloc', 'full'],
		help: 'metadata gives every cluster its place; falloc and full write the zeros too',
	},
	compression_type: { default: 'zlib', values: ['zlib', 'zstd'], help: 'how -c compresses; QEMU 5.1 or later reads zstd' },
	compression_level: { default: 'default', help: 'for -c: 1 to 9 with zlib (default 3), 1 to 22 with zstd (default 3)' },
};

/** Levels by codec: what `default` stands for, and the most there is. */
const LEVELS = { zlib: { default: 3, most: 9 }, zstd: { default: 3, most: 22 } } as const;

/** What the options of a request come to. */
export type Settings = {
	readonly version: 2 | 3;
	readonly geometry: Geometry;
	/** A power of two. */
	readonly refcountBits: number;
	readonly lazyRefcounts: boolean;
	readonly preallocation: 'off' | 'metadata' | 'full';
	readonly compression: 'zlib' | 'zstd';
	readonly level: number;
};

/** @throws UsageError for options that are wrong or do not go together. QEMU refuses the same ones. */
export const settingsOf = ({ options, compress, backing }: WriteRequest): Settings => {
	const clusterSize = parseSize(options['cluster_size'] ?? '') ?? 0;
	const clusterBits = Math.log2(clusterSize);
	if (!isPowerOfTwo(clusterSize) || clusterBits < LIMIT.minClusterBits || clusterBits > LIMIT.maxClusterBits) {
		throw new UsageError(`cluster_size=${options['cluster_size']} is not a power of two from 512 to 2M`);
	}
	const version = options['compat'] === '0.10' || options['compat'] === 'v2' ? 2 : 3;
	const extendedL2 = options['extended_l2'] === 'on';
	const lazyRefcounts = options['lazy_refcounts'] === 'on';
	const refcountBits = Number(options['refcount_bits']);
	const compression = options['compression_type'] === 'zstd' ? 'zstd' : 'zlib';
	const preallocation = options['preallocation'] === 'falloc' ? 'full' : (options['preallocation'] as Settings['preallocation']);

	const refuse = (what: string, when: boolean, hint: string): void => {
		if (when) throw new UsageError(what, { hint });
	};
	if (version === 2) {
		refuse('extended_l2=on needs version 3', extendedL2, 'compat=1.1');
		refuse('lazy_refcounts=on needs version 3', lazyRefcounts, 'compat=1.1');
		refuse(`refcount_bits=${refcountBits} needs version 3`, refcountBits !== 16, 'compat=1.1, or refcount_bits=16');
		refuse('compression_type=zstd needs version 3', compression === 'zstd', 'compat=1.1');
	}
	refuse('extended_l2=on needs clusters of 16k or more', extendedL2 && clusterBits < LIMIT.minExtendedClusterBits, 'cluster_size=128k');
	if (preallocation !== 'off') {
		refuse('compressed clusters cannot be preallocated', compress, 'preallocation=off');
		refuse('an image with a backing file cannot be preallocated', backing !== undefined, 'preallocation=off');
	}
	const level = levelOf(options['compression_level'] ?? 'default', compression, compress);
	return { version, geometry: geometry(clusterBits, extendedL2), refcountBits, lazyRefcounts, preallocation, compression, level };
};

const levelOf = (said: string, compression: 'zlib' | 'zstd', compress: boolean): number => {
	const { default: usual, most } = LEVELS[compression];
	if (said === 'default') return usual;
	if (!compress) throw new UsageError('compression_level is said of an image that is not compressed', { hint: '-c' });
	const level = Number(said);
	if (!/^\d+$/.test(said) || level < 1 || level > most) {
		throw new UsageError(`compression_level=${said} is not a whole number from 1 to ${most}`);
	}
	return level;
};
