import { CorruptError } from '../errors.ts';

/** One fixed-width value on disk: how wide it is, how to read it, how to write it. */
export type Field<T> = {
	/** In bytes. */
	readonly size: number;
	get(view: DataView, at: number, little: boolean): T;
	set(view: DataView, at: number, value: T, little: boolean): void;
};

type Fields = Readonly<Record<string, Field<never> | Field<unknown>>>;

/** The values of a record, by its fields. */
export type Values<F> = { -readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never };

/** Where a record was read from, for the message when a value cannot be. */
type Place = { readonly path: string; readonly offset: number };

export type Struct<F> = {
	/** In bytes. */
	readonly size: number;
	/** Of each field, from the start of the record. */
	readonly offsets: { readonly [K in keyof F]: number };
	/** @throws CorruptError if the bytes are too few or a 64-bit value is over 2^53. */
	decode(data: Uint8Array, place: Place): Values<F>;
	encode(values: Values<F>): Uint8Array<ArrayBuffer>;
};

export const u8: Field<number> = {
	size: 1,
	get: (view, at) => view.getUint8(at),
	set: (view, at, value) => view.setUint8(at, value),
};

export const u16: Field<number> = {
	size: 2,
	get: (view, at, little) => view.getUint16(at, little),
	set: (view, at, value, little) => view.setUint16(at, value, little),
};

export const u32: Field<number> = {
	size: 4,
	get: (view, at, little) => view.getUint32(at, little),
	set: (view, at, value, little) => view.setUint32(at, value, little),
};

/** A 64-bit count, size or offset, as a number: exact up to 2^53, and more is refused with the field's name. */
export const u64: Field<number> = {
	size: 8,
	get: (view, at, little) => Number(view.getBigUint64(at, little)),
	set: (view, at, value, little) => view.setBigUint64(at, BigInt(value), little),
};

/** A 64-bit set of flags, or a value with a meaning beyond 2^53, as a bigint: its bits are tested, never added. */
export const bits64: Field<bigint> = {
	size: 8,
	get: (view, at, little) => view.getBigUint64(at, little),
	set: (view, at, value, little) => view.setBigUint64(at, value, little),
};

/** Bytes as they are: a GUID, a reserved area. */
export const bytes = (size: number): Field<Uint8Array> => ({
	size,
	get: (view, at) => new Uint8Array(view.buffer, view.byteOffset + at, size).slice(),
	set: (view, at, value) => new Uint8Array(view.buffer, view.byteOffset + at, size).set(value.subarray(0, size)),
});

/** One byte a character, padded with zero bytes, which are not part of the value. */
export const ascii = (size: number): Field<string> => ({
	size,
	get: (view, at) => String.fromCharCode(...new Uint8Array(view.buffer, view.byteOffset + at, size)).replace(/\0+$/, ''),
	set: (view, at, value) => {
		for (let i = 0; i < size; i++) view.setUint8(at + i, i < value.length ? value.charCodeAt(i) : 0);
	},
});

/** A record laid out field after field, in the order written, with no padding but what is spelled out. */
export const struct = <F extends Fields>(endian: 'big' | 'little', fields: F): Struct<F> => {
	const little = endian === 'little';
	const entries = Object.entries(fields) as [string, Field<unknown>][];
	const offsets: Record<string, number> = {};
	let size = 0;
	for (const [key, field] of entries) {
		offsets[key] = size;
		size += field.size;
	}

	return {
		size,
		offsets: offsets as { [K in keyof F]: number },
		decode(data, place) {
			if (data.byteLength < size) {
				throw new CorruptError(`${data.byteLength} bytes where a structure of ${size} bytes must be`, place);
			}
			const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
			const out: Record<string, unknown> = {};
			for (const [key, field] of entries) {
				const at = offsets[key] as number;
				const value = field.get(view, at, little);
				if (typeof value === 'number' && value > Number.MAX_SAFE_INTEGER) {
					throw new CorruptError(`${key} is ${view.getBigUint64(at, little)}, over 2^53`, {
						path: place.path,
						offset: place.offset + at,
						field: key,
					});
				}
				out[key] = value;
			}
			return out as Values<F>;
		},
		encode(values) {
			const data = new Uint8Array(size);
			const view = new DataView(data.buffer);
			for (const [key, field] of entries) field.set(view, offsets[key] as number, values[key as keyof F], little);
			return data;
		},
	};
};
