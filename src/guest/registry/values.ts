import { CorruptError, UnsupportedError } from '../../errors.ts';
import { byteReader } from '../reader.ts';
import type { Cells } from './cells.ts';
import { bigData, DATA_INLINE, keyValue, SEGMENT, VALUE_NAME_LATIN1, VALUE_TYPE } from './layout.ts';

/** No value that vconv asks for is larger, in bytes. */
const LARGEST_VALUE = 4 << 20;

/** Names are 16,383 characters at the most. */
const LONGEST_NAME = 32766;

/** What a key holds under a name. */
export type Value = {
	/** Empty for the default value. */
	readonly name: string;
	/** As `VALUE_TYPE` has it. */
	readonly type: number;
	/** @throws CorruptError, or UnsupportedError over 4 MiB. */
	data(): Promise<Uint8Array>;
};

/** The value of a "vk" cell. */
export const readValue = async (cells: Cells, offset: number): Promise<Value> => {
	const cell = await cells.reader(offset, keyValue.size + LONGEST_NAME);
	const value = keyValue.decode(cell.bytes(0, keyValue.size), cells.place(offset));
	if (value.signature !== 'vk') throw new CorruptError('a value is expected here', cells.place(offset));
	const name = value.flags & VALUE_NAME_LATIN1 ? cell.latin1(keyValue.size, value.nameLength) : cell.utf16(keyValue.size, value.nameLength);
	return {
		name,
		type: value.type,
		async data() {
			const size = (value.dataSize & ~DATA_INLINE) >>> 0;
			if (value.dataSize & DATA_INLINE || size === 0) return cell.bytes(keyValue.offsets.data, Math.min(size, 4));
			if (size > LARGEST_VALUE) throw new UnsupportedError(`a value of ${size} bytes is over ${LARGEST_VALUE}`, cells.place(offset));
			return size > SEGMENT ? segments(cells, value.data, size) : whole(await cells.read(value.data, size), size, cells, value.data);
		},
	};
};

const whole = (bytes: Uint8Array, size: number, cells: Cells, offset: number): Uint8Array => {
	if (bytes.length < size) throw new CorruptError(`a value of ${size} bytes stands in a cell of ${bytes.length}`, cells.place(offset));
	return bytes;
};

/** Data in several cells; hives of before Windows XP have one large cell instead. */
const segments = async (cells: Cells, offset: number, size: number): Promise<Uint8Array> => {
	const head = await cells.read(offset, size);
	const { signature, segments: count, list } = bigData.decode(head, cells.place(offset));
	if (signature !== 'db' || head.length === size) return whole(head, size, cells, offset);
	if (count !== Math.ceil(size / SEGMENT)) throw new CorruptError(`${count} segments for a value of ${size} bytes`, cells.place(offset));
	const entries = await cells.reader(list, count * 4);
	const out = new Uint8Array(size);
	for (let index = 0; index < count; index++) {
		const part = Math.min(SEGMENT, size - index * SEGMENT);
		const segment = entries.u32(index * 4);
		out.set(whole(await cells.read(segment, part), part, cells, segment), index * SEGMENT);
	}
	return out;
};

/** What a value says as text, with what it expands to left as it is; undefined for another type. */
export const valueText = async (value: Value): Promise<string | undefined> => {
	if (value.type !== VALUE_TYPE.text && value.type !== VALUE_TYPE.expandable) return undefined;
	return utf16(await value.data()).replace(/\0.*$/s, '');
};

/** What a list of texts says. A single text is a list of one. */
export const valueTexts = async (value: Value): Promise<readonly string[] | undefined> => {
	if (value.type !== VALUE_TYPE.texts) {
		const text = await valueText(value);
		return text === undefined ? undefined : [text];
	}
	return utf16(await value.data())
		.split('\0')
		.filter((text) => text !== '');
};

/** The number of a DWORD of either byte order; undefined for another type, and where there are fewer than four bytes. */
export const valueNumber = async (value: Value): Promise<number | undefined> => {
	if (value.type !== VALUE_TYPE.number && value.type !== VALUE_TYPE.bigEndian) return undefined;
	const data = await value.data();
	if (data.length < 4) return undefined;
	return byteReader(data, { path: value.name, endian: value.type === VALUE_TYPE.bigEndian ? 'big' : 'little' }).u32(0);
};

const utf16 = (data: Uint8Array): string => new TextDecoder('utf-16le').decode(data.subarray(0, data.length & ~1));
