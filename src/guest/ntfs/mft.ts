import { CorruptError, UnsupportedError } from '../../errors.ts';
import type { BlockDevice } from '../device.ts';
import { byteReader } from '../reader.ts';
import { type Attribute, attributeNamed, recordAttributes } from './attributes.ts';
import { withoutFixups } from './fixups.ts';
import type { Geometry } from './geometry.ts';
import { ATTRIBUTE, fileRecord, listEntry, RECORD, RECORD_FLAG } from './layout.ts';
import { readValue, valueSize } from './value.ts';

/** Extension records of one file; Windows stops at an attribute list of 256 KiB. */
const MOST_EXTENSIONS = 4096;
const LARGEST_LIST = 256 << 10;

/** A file's record with all of its attributes, those in extension records too. */
export type FileRecord = {
	readonly number: number;
	readonly directory: boolean;
	readonly attributes: readonly Attribute[];
};

export type Mft = {
	/** @throws CorruptError if there is no such file in use. */
	file(number: number): Promise<FileRecord>;
};

/** The number of a record in a reference, whose upper 16 bits are a sequence number. */
export const recordNumber = (reference: Uint8Array): number => {
	const reader = byteReader(reference, { path: '' });
	return reader.u32(0) + reader.u16(4) * 2 ** 32;
};

/** Opens the master file table, which is a file of its own first record. */
export const openMft = async (device: BlockDevice, geometry: Geometry): Promise<Mft> => {
	const path = device.name;
	const { recordSize } = geometry;

	type Part = { readonly flags: number; readonly base: number; readonly attributes: readonly Attribute[] };
	const decode = (stored: Uint8Array, offset: number): Part => {
		const record = withoutFixups(stored, 'FILE', { path, offset });
		const { flags, baseRecord } = fileRecord.decode(record, { path, offset });
		return { flags, base: recordNumber(baseRecord), attributes: recordAttributes(record, geometry, { path, offset }) };
	};

	/** A record by what is known of where the table is. */
	const read = async (table: Attribute | undefined, number: number): Promise<Part> => {
		if (!table) throw new CorruptError('the MFT has no data', { path, offset: geometry.mftAt });
		if ((number + 1) * recordSize > valueSize(table)) {
			throw new CorruptError(`record ${number} is needed, and the MFT has ${Math.floor(valueSize(table) / recordSize)}`, { path });
		}
		return decode(await readValue(device, geometry, table, number * recordSize, recordSize), number * recordSize);
	};

	/** The attributes of a record and of all that its attribute list names. */
	const gather = async (number: number, own: Part, extension: (number: number, known: readonly Attribute[]) => Promise<Part>) => {
		const attributes = [...own.attributes];
		const list = attributeNamed(own.attributes, ATTRIBUTE.list, path);
		if (!list) return attributes;
		if (valueSize(list) > LARGEST_LIST) throw new UnsupportedError(`an attribute list of ${valueSize(list)} bytes`, { path });
		const reader = byteReader(await readValue(device, geometry, list, 0, valueSize(list)), { path });
		const seen = new Set([number]);
		for (let at = 0; at + listEntry.size <= reader.length; ) {
			const entry = listEntry.decode(reader.bytes(at, listEntry.size), { path, offset: at });
			if (entry.size < listEntry.size) throw new CorruptError(`an entry of ${entry.size} bytes in an attribute list`, { path });
			at += entry.size;
			const record = recordNumber(entry.record);
			if (seen.has(record)) continue;
			if (seen.add(record).size > MOST_EXTENSIONS) throw new UnsupportedError(`a file of over ${MOST_EXTENSIONS} records`, { path });
			const part = await extension(record, attributes);
			if (part.base !== number) throw new CorruptError(`record ${record} is of file ${part.base}, not of ${number}`, { path });
			attributes.push(...part.attributes);
		}
		return attributes;
	};

	const first = decode(await device.read(geometry.mftAt, recordSize), geometry.mftAt);
	// Its own extension records lie in parts of the table that the records in front of them tell.
	const all = await gather(RECORD.mft, first, (number, known) => read(attributeNamed(known, ATTRIBUTE.data, path), number));
	const table = attributeNamed(all, ATTRIBUTE.data, path);

	return {
		async file(number) {
			const own = await read(table, number);
			if ((own.flags & RECORD_FLAG.inUse) === 0) throw new CorruptError(`record ${number} of the MFT is not in use`, { path });
			if (own.base !== 0) throw new CorruptError(`record ${number} of the MFT is a part of file ${own.base}`, { path });
			const attributes = await gather(number, own, (part) => read(table, part));
			return { number, directory: (own.flags & RECORD_FLAG.directory) !== 0, attributes };
		},
	};
};
