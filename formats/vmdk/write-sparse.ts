import { alignUp } from '../../src/bytes/align.ts';
import type { Layout } from '../../src/core/format.ts';
import type { Sink } from '../../src/core/sink.ts';
import type { Descriptor } from './descriptor.ts';
import { allocateGrains, checkEnd, GRAIN, GRAIN_SECTORS, GT_SECTORS, grainDirectory, grainTables } from './grains.ts';
import { COMPRESSION, SECTOR, SPARSE_FLAGS } from './layout.ts';
import { embeddedDescriptor, printDescriptor } from './print.ts';
import { DESCRIPTOR_AT, DESCRIPTOR_SECTORS, encodeSparseHeader } from './sparse-header.ts';
import { EXTENT_SIZE, extentNumber } from './split.ts';

type SparseRequest = {
	/** Virtual size in bytes. */
	readonly size: number;
	readonly descriptor: Descriptor;
	/** Whether the image is a delta, in which zeros must be said, and whether zeroed grains say them. */
	readonly delta: boolean;
	readonly zeroedGrain: boolean;
};

/** One file: header, descriptor, the redundant grain directory and its tables, the grain directory and its tables, grains. */
export const layOutSparse = (request: SparseRequest): Layout => {
	const { size, descriptor, delta } = request;
	const text = embeddedDescriptor(descriptor, DESCRIPTOR_SECTORS * SECTOR);
	const extent = sparseExtent(size, descriptor.extents[0]?.fileName ?? '', request, text);
	return {
		size,
		block: GRAIN,
		place: (guestOffset) => extent.place(guestOffset),
		...(delta && { zero: (guestOffset, length) => extent.zero(guestOffset, length) }),
		outline: { unit: GRAIN, others: (grains) => extent.overhead(grains) },
		finish: async ([sink]) => extent.finish(sink as Sink),
	};
};

/** A descriptor, and a sparse file for every 2047 MiB. */
export const layOutSplitSparse = (request: SparseRequest): Layout => {
	const { size, descriptor, delta } = request;
	const text = printDescriptor(descriptor);
	const files = descriptor.extents.map((line) => line.fileName ?? '');
	const extents = descriptor.extents.map((line) => sparseExtent(line.size, line.fileName ?? '', request));
	const extentAt = (guestOffset: number) => extents[extentNumber(guestOffset)] as SparseExtent;
	return {
		size,
		block: GRAIN,
		files,
		fileOf: (guestOffset) => extentNumber(guestOffset) + 1,
		place: (guestOffset) => extentAt(guestOffset).place(guestOffset % EXTENT_SIZE),
		...(delta && {
			zero(guestOffset, length) {
				for (let at = guestOffset, end = guestOffset + length; at < end; ) {
					const part = Math.min(end - at, EXTENT_SIZE - (at % EXTENT_SIZE));
					extentAt(at).zero(at % EXTENT_SIZE, part);
					at += part;
				}
			},
		}),
		outline: { unit: GRAIN, others: () => extents.reduce((sum, extent) => sum + extent.overhead(0), text.length) },
		async finish([sink, ...rest]) {
			for (const [index, extent] of extents.entries()) await extent.finish(rest[index] as Sink);
			await sink?.write(0, text);
		},
	};
};

/** One sparse file being laid out. Offsets are within its part of the disk. */
type SparseExtent = {
	place(offset: number): number;
	zero(offset: number, length: number): void;
	/** Bytes before the grains. @throws UnsupportedError for more grains than it can hold. */
	overhead(grains: number): number;
	finish(sink: Sink): Promise<void>;
};

const sparseExtent = (
	size: number,
	name: string,
	{ zeroedGrain }: Pick<SparseRequest, 'zeroedGrain'>,
	descriptor?: Uint8Array,
): SparseExtent => {
	const capacity = size / SECTOR;
	const tables = grainTables(capacity);
	const directorySectors = Math.ceil((tables * 4) / SECTOR);
	// Each directory is followed by its tables.
	const rgdOffset = DESCRIPTOR_AT + (descriptor ? DESCRIPTOR_SECTORS : 0);
	const gdOffset = rgdOffset + directorySectors + tables * GT_SECTORS;
	const overHead = alignUp(gdOffset + directorySectors + tables * GT_SECTORS, GRAIN_SECTORS);
	const grains = allocateGrains(overHead, name);

	return {
		place: (offset) => grains.place(offset / GRAIN, GRAIN_SECTORS) * SECTOR,
		zero(offset, length) {
			const first = offset / GRAIN;
			const count = Math.ceil(length / GRAIN);
			if (zeroedGrain) grains.zero(first, count);
			// Never written, they read as zeros.
			else for (let grain = first; grain < first + count; grain++) grains.place(grain, GRAIN_SECTORS);
		},
		overhead(count) {
			checkEnd(overHead + count * GRAIN_SECTORS, name);
			return overHead * SECTOR;
		},
		async finish(sink) {
			await sink.resize(grains.end * SECTOR);
			for (const at of [rgdOffset, gdOffset]) {
				const firstTable = at + directorySectors;
				for (const [index, bytes] of grains.tables()) await sink.write((firstTable + index * GT_SECTORS) * SECTOR, bytes);
				await sink.write(
					at * SECTOR,
					grainDirectory(tables, (index) => firstTable + index * GT_SECTORS),
				);
			}
			if (descriptor) await sink.write(DESCRIPTOR_AT * SECTOR, descriptor);
			const header = encodeSparseHeader(
				{
					version: zeroedGrain ? 2 : 1,
					flags: SPARSE_FLAGS.validNewLine | SPARSE_FLAGS.redundantTable | (zeroedGrain ? SPARSE_FLAGS.zeroedGrain : 0),
					capacity,
					rgdOffset,
					gdOffset: BigInt(gdOffset),
					overHead,
					compressAlgorithm: COMPRESSION.none,
				},
				descriptor !== undefined,
			);
			await sink.write(0, header);
		},
	};
};
