import { diskFormats } from '../../../formats/index.ts';
import { vhdx } from '../../../formats/vhdx/index.ts';
import { CHECKSUM_AT, HEADER_SIZE, HEADERS_AT, header, ITEM, REGION_TABLES_AT } from '../../../formats/vhdx/layout.ts';
import { crc32c } from '../../../src/bytes/crc32c.ts';
import { flatten, openChain } from '../../../src/convert/open.ts';
import type { Disk } from '../../../src/core/disk.ts';
import type { OpenContext } from '../../../src/core/format.ts';
import type { Note } from '../../../src/core/note.ts';
import { clip } from '../../../src/disk/clip.ts';
import { pakoCodec } from '../../../src/engine/pako.ts';
import { AccessError } from '../../../src/errors.ts';
import { memorySource } from '../../../src/io/memory.ts';
import { type WriteOptions, writeImage } from '../../helpers/image.ts';
import { patternBytes, patternDisk, type Runs } from '../../helpers/pattern.ts';

export const MiB = 1 << 20;

/** Where the writer puts things with the default options. */
export const LOG_AT = 1 * MiB;
export const METADATA_AT = 2 * MiB;
export const BAT_AT = 3 * MiB;
export const DATA_AT = 4 * MiB;

/** A disk as the bytes of a VHDX file. */
export const vhdxBytes = async (disk: Disk, options: WriteOptions = {}): Promise<Uint8Array> => {
	const source = (await writeImage(vhdx, disk, { name: 'disk.vhdx', ...options })).get('disk.vhdx')?.source();
	if (!source) throw new Error('nothing was written');
	return source.read(0, source.size);
};

/** What a single image is opened with. */
export const context: OpenContext = {
	follow: () => Promise.reject(new Error('no other file is needed')),
	note() {},
	unpack: pakoCodec.unpack,
};

/** Open the first of these files, with its parents among the others. */
export const openVhdx = async (files: Readonly<Record<string, Uint8Array>>, notes: Note[] = []): Promise<Disk> => {
	const open = (name: string) => {
		const bytes = files[name];
		if (!bytes) throw new AccessError(`there is no ${name}`, { path: name });
		return memorySource(bytes, name);
	};
	const gate = async (_: unknown, reference: string) => open(reference.replace(/^.*\\/, ''));
	const options = { formats: diskFormats, gate, note: (note: Note) => notes.push(note) };
	return flatten(await openChain(open(Object.keys(files)[0] ?? ''), options));
};

/** A copy with changes, in which the checksums of headers and region tables hold again. */
export const changed = (bytes: Uint8Array, change: (view: DataView, bytes: Uint8Array) => void): Uint8Array => {
	const copy = bytes.slice();
	const view = new DataView(copy.buffer);
	change(view, copy);
	for (const at of HEADERS_AT) view.setUint32(at + CHECKSUM_AT, crc32c(copy.subarray(at, at + HEADER_SIZE), CHECKSUM_AT), true);
	for (const at of REGION_TABLES_AT) view.setUint32(at + CHECKSUM_AT, crc32c(copy.subarray(at, at + ITEM), CHECKSUM_AT), true);
	return copy;
};

/** Do something where both headers have this field. */
export const inHeaders = (field: keyof typeof header.offsets, set: (at: number) => void): void => {
	for (const at of HEADERS_AT) set(at + header.offsets[field]);
};

/** Set a BAT entry of an image with default options. */
export const setBat = (bytes: Uint8Array, index: number, state: number, hostOffset = 0): Uint8Array =>
	changed(bytes, (view) => view.setBigUint64(BAT_AT + index * 8, (BigInt(hostOffset / MiB) << 20n) | BigInt(state), true));

/** A delta: pattern bytes in its `data` runs, zeros in its `zero` runs, the rest absent. Runs do not overlap. */
export const deltaDisk = ({ size, data, zero }: { readonly size: number; readonly data: Runs; readonly zero: Runs }): Disk => ({
	...patternDisk({ size, data }),
	async *extents(guestOffset, length) {
		const own = [
			...data.map(([offset, count]) => ({
				kind: 'computed' as const,
				offset,
				length: count,
				read: async (o: number, n: number) => patternBytes(o, n),
			})),
			...zero.map(([offset, count]) => ({ kind: 'zero' as const, offset, length: count })),
		];
		const end = guestOffset + length;
		let at = guestOffset;
		for (const extent of own.toSorted((a, b) => a.offset - b.offset)) {
			if (extent.offset >= end || extent.offset + extent.length <= at) continue;
			const part = clip(extent, at, end);
			if (part.offset > at) yield { kind: 'absent', offset: at, length: part.offset - at };
			yield part;
			at = part.offset + part.length;
		}
		if (at < end) yield { kind: 'absent', offset: at, length: end - at };
	},
});
