import type { Layout } from '../../src/core/format.ts';
import type { Sink } from '../../src/core/sink.ts';
import type { Descriptor } from './descriptor.ts';
import { allocateGrains, GRAIN, GRAIN_SECTORS, GT_SECTORS, GTES_PER_GT, grainDirectory, grainTables } from './grains.ts';
import { COMPRESSION, GD_AT_END, MARKER, metadataMarker, SECTOR, SPARSE_FLAGS } from './layout.ts';
import { embeddedDescriptor } from './print.ts';
import { DESCRIPTOR_AT, DESCRIPTOR_SECTORS, encodeSparseHeader } from './sparse-header.ts';

/**
 * One file that can be read front to back: header, descriptor, packed grains behind markers, the grain tables with anything in them,
 * the grain directory, a footer that says where that is, and the end-of-stream marker, which an empty disk has as well.
 * @param level of zlib, 1 … 9.
 */
export const layOutStream = (size: number, descriptor: Descriptor, level: number): Layout => {
	const text = embeddedDescriptor(descriptor, DESCRIPTOR_SECTORS * SECTOR);
	const capacity = size / SECTOR;
	const grains = allocateGrains(GRAIN_SECTORS, descriptor.extents[0]?.fileName ?? '');
	const header = (gdOffset: bigint): Uint8Array =>
		encodeSparseHeader(
			{
				version: 3,
				flags: SPARSE_FLAGS.validNewLine | SPARSE_FLAGS.compressed | SPARSE_FLAGS.markers,
				capacity,
				rgdOffset: 0,
				gdOffset,
				overHead: GRAIN_SECTORS,
				compressAlgorithm: COMPRESSION.deflate,
			},
			true,
		);

	return {
		size,
		block: GRAIN,
		packing: {
			method: 'zlib',
			level,
			windowBits: 15,
			always: true,
			atMost: GRAIN,
			frame: { fields: ['guestSector64', 'length32'], align: SECTOR },
		},
		place: (guestOffset, _, stored) => grains.place(guestOffset / GRAIN, Math.ceil(stored / SECTOR)) * SECTOR,
		preface() {
			const front = new Uint8Array((DESCRIPTOR_AT + DESCRIPTOR_SECTORS) * SECTOR);
			front.set(header(GD_AT_END));
			front.set(text, DESCRIPTOR_AT * SECTOR);
			return front;
		},
		outline: {
			unit: GRAIN,
			span: GRAIN * GTES_PER_GT,
			// Before the grains; the tables, the directory and the footer behind their markers; the end-of-stream marker.
			others: (_, tables) =>
				(GRAIN_SECTORS + tables * (1 + GT_SECTORS) + 1 + Math.ceil((grainTables(capacity) * 4) / SECTOR) + 2 + 1) * SECTOR,
		},
		async finish(sinks) {
			const sink = sinks[0] as Sink;
			let end = grains.end;
			/** Metadata behind its marker; gives the sector it begins at. */
			const append = async (type: number, bytes: Uint8Array): Promise<number> => {
				const numSectors = bytes.length / SECTOR;
				const whole = new Uint8Array(SECTOR + bytes.length);
				whole.set(metadataMarker.encode({ numSectors, size: 0, type, pad: new Uint8Array() }));
				whole.set(bytes, SECTOR);
				await sink.write(end * SECTOR, whole);
				end += 1 + numSectors;
				return end - numSectors;
			};

			const tableSectors = new Map<number, number>();
			for (const [index, bytes] of grains.tables()) tableSectors.set(index, await append(MARKER.grainTable, bytes));
			const gdOffset = await append(
				MARKER.grainDirectory,
				grainDirectory(grainTables(capacity), (index) => tableSectors.get(index) ?? 0),
			);
			await append(MARKER.footer, header(BigInt(gdOffset)));
			await append(MARKER.endOfStream, new Uint8Array());
			await sink.write(DESCRIPTOR_AT * SECTOR, text);
			await sink.write(0, header(GD_AT_END));
		},
	};
};
