import { hex } from '../../bytes/size.ts';
import { CorruptError } from '../../errors.ts';
import { type ByteReader, byteReader } from '../reader.ts';
import type { HiveFile } from './file.ts';
import { BINS_AT } from './layout.ts';

/** The cells of a hive. */
export type Cells = {
	/**
	 * The bytes of a cell, or the first `limit` of them.
	 * @param offset from the end of the base block, as cells name each other.
	 * @throws CorruptError if there is no used cell.
	 */
	read(offset: number, limit: number): Promise<Uint8Array>;
	/** The same, to be read bit by bit. */
	reader(offset: number, limit: number): Promise<ByteReader>;
	/** Of a cell, for a message. */
	place(offset: number): { readonly path: string; readonly offset: number };
};

/** @param binsSize of all bins, in bytes, within the file's size. */
export const hiveCells = (file: HiveFile, binsSize: number): Cells => {
	const place: Cells['place'] = (offset) => ({ path: file.name, offset: BINS_AT + offset });
	const read: Cells['read'] = async (offset, limit) => {
		if (offset % 8 !== 0 || offset + 8 > binsSize) {
			throw new CorruptError(`a cell is said to be at ${hex(offset)} of bins of ${hex(binsSize)} bytes`, { path: file.name });
		}
		// Most cells are smaller than what they may be: one read is enough for them.
		const first = await file.read(BINS_AT + offset, Math.min(4 + Math.min(limit, 256), binsSize - offset));
		const size = -byteReader(first, place(offset)).i32(0);
		if (size < 8 || offset + size > binsSize) {
			throw new CorruptError(size < 0 ? 'a cell that is not in use is named' : `a cell of ${size} bytes does not fit`, place(offset));
		}
		const length = Math.min(size - 4, limit);
		return length + 4 <= first.length ? first.subarray(4, 4 + length) : file.read(BINS_AT + offset + 4, length);
	};
	return { read, place, reader: async (offset, limit) => byteReader(await read(offset, limit), place(offset)) };
};
