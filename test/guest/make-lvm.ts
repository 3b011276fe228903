import { extendCrc32 } from '../../src/bytes/crc32.ts';
import { type Piece, record } from './make-disk.ts';

/** Of each physical volume, in bytes. */
export const SIZE = 4 << 20;

const AREA = 4096;
const AREA_SIZE = 65536;

/** A description of the group `vg` with extents of 64 KiB from 1 MiB on, and these logical volumes. */
export const description = (physical: readonly string[], logical: string): string => `vg {
	id = "gggggg-gggg-gggg-gggg-gggg-gggg-gggggg"
	seqno = 3
	extent_size = 128
	physical_volumes {
		${physical.map((uuid, index) => `pv${index} { id = "${uuid}" pe_start = 2048 pe_count = 48 }`).join('\n')}
	}
	logical_volumes { ${logical} }
}
`;

/** The label and metadata area of a physical volume; the description begins at `at` of the area and wraps where that ends. */
export const physicalPieces = (uuid: string, text: string, at = 512): readonly Piece[] => {
	const label = record(512, [
		[8, 8, 1],
		[20, 4, 32],
		[64, 8, SIZE],
		[72, 8, 1 << 20],
		[104, 8, AREA],
		[112, 8, AREA_SIZE],
	]);
	const header = record(512, [
		[20, 4, 1],
		[24, 8, AREA],
		[32, 8, AREA_SIZE],
		[40, 8, at],
		[48, 8, text.length],
		[56, 4, extendCrc32(0xf597a6cf, new TextEncoder().encode(text)) >>> 0],
	]);
	const first = text.slice(0, AREA_SIZE - at);
	return [
		[512, label],
		[512, 'LABELONE'],
		[512 + 24, 'LVM2 001'],
		[512 + 32, uuid.replaceAll('-', '')],
		[AREA, header],
		[AREA + 4, ' LVM2 x[5A%r0N*>'],
		[AREA + at, first],
		[AREA + 512, text.slice(first.length)],
	];
};
