import type { Layout } from '../../src/core/format.ts';
import type { Descriptor } from './descriptor.ts';
import { printDescriptor } from './print.ts';
import { EXTENT_SIZE, extentNumber } from './split.ts';

/** Runs of zeros of this many bytes become holes of the data file. */
const HOLE = 64 * 1024;

/** A descriptor, and guest bytes as they are in the one file that it names, or in one for every 2047 MiB. */
export const layOutFlat = (size: number, descriptor: Descriptor): Layout => {
	const text = printDescriptor(descriptor);
	const { extents } = descriptor;
	const split = extents.length > 1;
	return {
		size,
		block: HOLE,
		files: extents.map((line) => line.fileName ?? ''),
		...(split ? {} : { fixedAt: 0 }),
		fileOf: split ? (guestOffset) => extentNumber(guestOffset) + 1 : () => 1,
		place: split ? (guestOffset) => guestOffset % EXTENT_SIZE : (guestOffset) => guestOffset,
		outline: { unit: 1, reserved: true, others: () => text.length },
		async finish([sink, ...rest]) {
			for (const [index, line] of extents.entries()) await rest[index]?.resize(line.size);
			await sink?.write(0, text);
		},
	};
};
