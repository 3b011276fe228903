import { alignUp } from '../../src/bytes/align.ts';
import type { BackingReference, DiskWriter, Layout, WriteRequest } from '../../src/core/format.ts';
import { refuseLarger } from '../../src/core/limits.ts';
import { UnsupportedError } from '../../src/errors.ts';
import { describe } from './describe.ts';
import type { Descriptor } from './descriptor.ts';
import { SECTOR } from './layout.ts';
import { type Choices, chosen, vmdkOptions } from './options.ts';
import { layOutFlat } from './write-flat.ts';
import { layOutSparse, layOutSplitSparse } from './write-sparse.ts';
import { layOutStream } from './write-stream.ts';

/** All kinds that hosted products and ESXi take; a delta of an existing VMDK in the sparse ones. */
export const vmdkWriter: DiskWriter = {
	options: vmdkOptions,
	plan(request) {
		const choices = chosen(request);
		const size = alignUp(request.size, SECTOR);
		refuse(request, size);
		return layOut(size, choices, describe(size, choices, request), request.backing !== undefined);
	},
};

const refuse = ({ sectorSize, backing }: WriteRequest, size: number): void => {
	if (sectorSize !== SECTOR) {
		throw new UnsupportedError(`a VMDK has sectors of ${SECTOR} bytes, and this disk has ${sectorSize}`, { hint: '-O vhdx or -O raw' });
	}
	if (size === 0) throw new UnsupportedError('a VMDK of no sectors is none that other programs open', { hint: '-O raw' });
	refuseLarger('a VMDK', size);
	if (backing) refuseParent(backing, size);
};

const refuseParent = ({ name, format, size }: BackingReference, childSize: number): void => {
	if (format !== 'vmdk') {
		throw new UnsupportedError(`the parent of a VMDK is a VMDK, and ${name} is ${format}`, {
			hint: 'convert the parent first, or write the whole chain',
		});
	}
	if (size !== childSize) {
		throw new UnsupportedError(`a VMDK has the size of its parent: ${name} has ${size} bytes, and this disk ${childSize}`, {
			hint: 'write the whole chain as one image',
		});
	}
};

const layOut = (size: number, { subformat, zeroedGrain, level }: Choices, descriptor: Descriptor, delta: boolean): Layout => {
	switch (subformat) {
		case 'monolithicSparse':
			return layOutSparse({ size, descriptor, delta, zeroedGrain });
		case 'twoGbMaxExtentSparse':
			return layOutSplitSparse({ size, descriptor, delta, zeroedGrain });
		case 'streamOptimized':
			return layOutStream(size, descriptor, level);
		case 'monolithicFlat':
		case 'twoGbMaxExtentFlat':
		case 'vmfs':
			return layOutFlat(size, descriptor);
	}
};
