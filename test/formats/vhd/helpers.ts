import { vhd } from '../../../formats/vhd/index.ts';
import { checksum, footerStruct, headerStruct, SECTOR } from '../../../formats/vhd/layout.ts';
import type { Disk } from '../../../src/core/disk.ts';
import type { OpenContext } from '../../../src/core/format.ts';
import type { Note } from '../../../src/core/note.ts';
import { pakoCodec } from '../../../src/engine/pako.ts';
import { memorySource } from '../../../src/io/memory.ts';
import { type WriteOptions, writeImage } from '../../helpers/image.ts';

/** The bytes of a VHD of this disk. */
export const vhdBytes = async (disk: Disk, options: WriteOptions = {}): Promise<Uint8Array> => {
	const [sink] = (await writeImage(vhd, disk, options)).values();
	return sink ? sink.source().read(0, sink.size) : new Uint8Array(0);
};

/** What a VHD is opened with: it names nothing but its parent, and packs nothing. */
export const contextOf = (notes: Note[] = []): OpenContext => ({
	follow: () => Promise.reject(new Error('no other file is needed')),
	note: (note) => notes.push(note),
	unpack: pakoCodec.unpack,
});

/** Open bytes as a VHD on its own. */
export const openBytes = (bytes: Uint8Array, notes: Note[] = []): Promise<Disk> =>
	vhd.open(memorySource(bytes, 'disk.vhd'), contextOf(notes));

type FooterField = keyof typeof footerStruct.offsets;
type HeaderField = keyof typeof headerStruct.offsets;

/** The last footer, or the copy before the header, with fields of 32 bits (64 for bigints) changed and its checksum made right. */
export const withFooter = (
	bytes: Uint8Array,
	changes: Partial<Record<FooterField, number | bigint>>,
	where: 'both' | 'last' | 'first',
): Uint8Array => {
	const out = bytes.slice();
	const places = where === 'both' ? [0, out.length - SECTOR] : [where === 'last' ? out.length - SECTOR : 0];
	for (const at of places) patch(out.subarray(at, at + SECTOR), footerStruct.offsets, changes);
	return out;
};

/** The dynamic header, changed likewise. */
export const withHeader = (bytes: Uint8Array, changes: Partial<Record<HeaderField, number | bigint>>): Uint8Array => {
	const out = bytes.slice();
	patch(out.subarray(SECTOR, SECTOR + headerStruct.size), headerStruct.offsets, changes);
	return out;
};

const patch = (record: Uint8Array, offsets: Readonly<Record<string, number>>, changes: Readonly<Record<string, number | bigint>>): void => {
	const view = new DataView(record.buffer, record.byteOffset);
	for (const [field, value] of Object.entries(changes)) {
		if (typeof value === 'bigint') view.setBigUint64(offsets[field] ?? 0, value);
		else view.setUint32(offsets[field] ?? 0, value);
	}
	const at = offsets['checksum'] ?? 0;
	view.setUint32(at, checksum(record, at));
};
