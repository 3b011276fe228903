import { alignUp, isPowerOfTwo } from '../../src/bytes/align.ts';
import { parseSize } from '../../src/bytes/size.ts';
import type { DiskWriter } from '../../src/core/format.ts';
import { UsageError } from '../../src/errors.ts';

/** Host bytes are guest bytes. Runs of zeros of `sparse` bytes become holes; 0 writes them out. */
export const rawWriter: DiskWriter = {
	sectorSizes: 'unsaid',
	options: {
		sparse: { default: '4k', help: 'shortest run of zeros left as a hole; 0 for none (the same as -S)' },
		align: { default: '1', help: 'round the size up to a multiple of this; Google Cloud takes multiples of 1G' },
		preallocation: { default: 'off', values: ['off', 'falloc', 'full'], help: 'falloc and full write every zero' },
	},
	plan({ size: wanted, options }) {
		const sparse = parseSize(options['sparse'] ?? '');
		if (sparse === undefined || (sparse !== 0 && (!isPowerOfTwo(sparse) || sparse < 512 || sparse > 2 ** 21))) {
			throw new UsageError(`sparse=${options['sparse']} is not 0 or a power of two from 512 to 2M`);
		}
		const unit = parseSize(options['align'] ?? '');
		if (!unit) throw new UsageError(`align=${options['align']} is not a number of bytes`);
		const size = alignUp(wanted, unit);
		const dense = sparse === 0 || options['preallocation'] !== 'off';
		return {
			size,
			block: sparse === 0 ? 4096 : sparse,
			dense,
			fixedAt: 0,
			place: (guestOffset) => guestOffset,
			outline: { unit: 1, reserved: true, others: () => 0 },
			finish: async ([sink]) => sink?.resize(size),
		};
	},
};
