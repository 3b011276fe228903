import { CorruptError } from '../errors.ts';

/**
 * Numbers and texts of a structure of a guest at offsets within it, each checked against its end: for structures whose parts are where
 * other parts say. A record of fixed layout is better read with `struct`.
 */
export type ByteReader = {
	readonly length: number;
	u8(at: number): number;
	u16(at: number): number;
	u32(at: number): number;
	i32(at: number): number;
	/** @throws CorruptError over 2^53 too. */
	u64(at: number): number;
	/** A 64-bit set of flags. */
	bits64(at: number): bigint;
	/** The bytes themselves, not a copy. */
	bytes(at: number, length: number): Uint8Array;
	/** One byte a character, up to the first zero byte. */
	latin1(at: number, length: number): string;
	/** UTF-8, up to the first zero byte; what is none becomes U+FFFD. */
	utf8(at: number, length: number): string;
	/** UTF-16 little-endian of `length` bytes, up to the first zero character. */
	utf16(at: number, length: number): string;
};

/** Where the bytes are from, for messages: a device or file of the guest, and the offset of the first byte in it. */
export type ReaderPlace = { readonly path: string; readonly offset?: number | undefined; readonly endian?: 'big' | 'little' | undefined };

/** Little-endian unless it is said otherwise. Every method throws CorruptError for what is not wholly within `data`. */
export const byteReader = (data: Uint8Array, { path, offset = 0, endian }: ReaderPlace): ByteReader => {
	const little = endian !== 'big';
	const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
	const within = (at: number, size: number): number => {
		if (!Number.isSafeInteger(at) || !Number.isSafeInteger(size) || at < 0 || size < 0 || at + size > data.byteLength) {
			throw new CorruptError(`${size} bytes at ${at} of a structure of ${data.byteLength} bytes are needed`, { path, offset });
		}
		return at;
	};
	const bytes = (at: number, length: number): Uint8Array => data.subarray(within(at, length), at + length);
	return {
		length: data.byteLength,
		u8: (at) => view.getUint8(within(at, 1)),
		u16: (at) => view.getUint16(within(at, 2), little),
		u32: (at) => view.getUint32(within(at, 4), little),
		i32: (at) => view.getInt32(within(at, 4), little),
		u64(at) {
			const value = Number(view.getBigUint64(within(at, 8), little));
			if (value > Number.MAX_SAFE_INTEGER) throw new CorruptError('a number over 2^53', { path, offset: offset + at });
			return value;
		},
		bits64: (at) => view.getBigUint64(within(at, 8), little),
		bytes,
		latin1: (at, length) => Array.from(upToZero(bytes(at, length)), (byte) => String.fromCharCode(byte)).join(''),
		utf8: (at, length) => new TextDecoder().decode(upToZero(bytes(at, length))),
		utf16: (at, length) => new TextDecoder('utf-16le').decode(bytes(at, length)).replace(/\0.*$/s, ''),
	};
};

const upToZero = (bytes: Uint8Array): Uint8Array => {
	const end = bytes.indexOf(0);
	return end < 0 ? bytes : bytes.subarray(0, end);
};
