import { alignUp } from '../../src/bytes/align.ts';
import { guidBytes } from '../../src/bytes/guid.ts';
import type { DiskWriter, Layout, WriteRequest } from '../../src/core/format.ts';
import { refuseLarger } from '../../src/core/limits.ts';
import type { Sink } from '../../src/core/sink.ts';
import { UnsupportedError, UsageError } from '../../src/errors.ts';
import { ENTRY, HEADER_SIZE, header, IMAGE_TYPE, SIGNATURE, VERSION } from './layout.ts';
import { type BlockMap, blockMap } from './map.ts';

/** VirtualBox takes any power of two, and others only this. */
const BLOCK = 1 << 20;

/** What is tested for zeros: a part of a block, so that a sparse file stays sparse within its blocks. */
const GRANULE = 1 << 16;

/** Both the block map and the data start on a multiple of this, as VirtualBox has it. */
const ALIGN = 1 << 20;

const NIL = new Uint8Array(16);

/** VDI 1.1: dynamic, fixed, or differencing over `backing`. */
export const vdiWriter: DiskWriter = {
	options: {
		subformat: { default: 'dynamic', values: ['dynamic', 'fixed'], help: 'fixed keeps room for every block' },
		static: { default: 'off', values: ['on', 'off'], help: "on is subformat=fixed, in qemu-img's words" },
	},
	plan(request) {
		const size = alignUp(request.size, 512);
		refuseLarger('a VDI', size);
		const fixed = request.options['subformat'] === 'fixed' || request.options['static'] === 'on';
		if (!request.backing) return fixed ? fixedLayout(request, size) : dynamicLayout(request, size);
		if (fixed) throw new UsageError('a differencing VDI cannot be fixed', { hint: 'subformat=dynamic' });
		return differencingLayout(request, size, parentIds(request.backing.id));
	},
};

const blocksOf = (size: number): number => Math.ceil(size / BLOCK);

/** Where the data starts, in bytes. */
const dataOffset = (size: number): number => ALIGN + alignUp(blocksOf(size) * 4, ALIGN);

const fixedLayout = (request: WriteRequest, size: number): Layout => ({
	size,
	block: GRANULE,
	fixedAt: dataOffset(size),
	place: (guestOffset) => dataOffset(size) + guestOffset,
	outline: { unit: BLOCK, reserved: true, others: () => dataOffset(size) },
	async finish([sink]) {
		const map = blockMap(blocksOf(size), 'in place');
		if (sink) await finish(sink, request, { size, map, allocated: blocksOf(size), imageType: IMAGE_TYPE.fixed });
	},
});

const dynamicLayout = (request: WriteRequest, size: number): Layout => {
	const map = blockMap(blocksOf(size), 'free');
	return {
		size,
		block: GRANULE,
		place(guestOffset) {
			const block = Math.floor(guestOffset / BLOCK);
			return dataOffset(size) + map.allocate(block) * BLOCK + (guestOffset % BLOCK);
		},
		outline: { unit: BLOCK, others: () => dataOffset(size) },
		async finish([sink]) {
			if (sink) await finish(sink, request, { size, map, allocated: map.allocated(), imageType: IMAGE_TYPE.dynamic });
		},
	};
};

/** A block is the parent's, zeros, or here whole: so whole blocks are what is moved. */
const differencingLayout = (request: WriteRequest, size: number, parent: ParentIds): Layout => {
	const map = blockMap(blocksOf(size), 'free');
	return {
		size,
		block: BLOCK,
		place: (guestOffset) => dataOffset(size) + map.allocate(Math.floor(guestOffset / BLOCK)) * BLOCK,
		zero(guestOffset, length) {
			const end = guestOffset + length;
			if (guestOffset % BLOCK !== 0 || (end % BLOCK !== 0 && end < request.size)) {
				throw new UnsupportedError("a differencing VDI cannot say that a part of a block is zeros and the rest its parent's", {
					hint: 'the whole chain in one image',
				});
			}
			for (let block = guestOffset / BLOCK; block * BLOCK < end; block++) map.set(block, ENTRY.zero);
		},
		async finish([sink]) {
			const imageType = IMAGE_TYPE.differencing;
			if (sink) await finish(sink, request, { size, map, allocated: map.allocated(), imageType, parent });
		},
	};
};

type ParentIds = { readonly create: Uint8Array; readonly modify: Uint8Array };

/** The two UUIDs of `Disk.id`. */
const parentIds = (id: string | undefined): ParentIds => {
	const [create, modify] = (id ?? '').split('/').map(guidBytes);
	if (!create || !modify) throw new UnsupportedError('a differencing VDI finds its parent by its UUIDs, so that must be a VDI too');
	return { create, modify };
};

type Ending = {
	readonly size: number;
	readonly map: BlockMap;
	readonly allocated: number;
	readonly imageType: number;
	readonly parent?: ParentIds;
};

/** The end of the last block, then the map, then the header. */
const finish = async (sink: Sink, { stamp }: WriteRequest, { size, map, allocated, imageType, parent }: Ending): Promise<void> => {
	await sink.resize(dataOffset(size) + allocated * BLOCK);
	await map.write(sink, ALIGN);
	const head = header.encode({
		fileInfo: '<<< vconv Virtual Disk Image >>>\n',
		signature: SIGNATURE,
		version: VERSION,
		headerSize: HEADER_SIZE,
		imageType,
		flags: 0,
		comment: new Uint8Array(256),
		blocksOffset: ALIGN,
		dataOffset: dataOffset(size),
		cylinders: 0,
		heads: 0,
		sectors: 0,
		sectorSize: 512,
		unused: 0,
		diskSize: size,
		blockSize: BLOCK,
		blockExtra: 0,
		blocks: blocksOf(size),
		blocksAllocated: allocated,
		uuidCreate: stamp.id(),
		uuidModify: stamp.id(),
		uuidLink: parent?.create ?? NIL,
		uuidParentModify: parent?.modify ?? NIL,
	});
	await sink.write(0, head);
};
