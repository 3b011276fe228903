import { CorruptError } from '../../errors.ts';
import { byteReader } from '../reader.ts';
import type { Geometry } from './geometry.ts';
import { ATTRIBUTE, attributeHead, fileRecord, nonResidentPart, residentPart, valueSizes } from './layout.ts';
import { decodeRuns, type Run } from './runs.ts';

/** A part of an attribute that is in clusters, as one record has it. */
type NonResident = {
	readonly resident: false;
	readonly firstVcn: number;
	readonly runs: readonly Run[];
	/** In bytes; 0 in parts that are not the first. */
	readonly size: number;
	/** In bytes; behind it the value reads as zeros. */
	readonly initialized: number;
	/** In clusters; 0 where nothing is compressed. */
	readonly compressionUnit: number;
};

type Resident = { readonly resident: true; readonly value: Uint8Array };

export type Attribute = { readonly type: number; readonly name: string; readonly flags: number } & (Resident | NonResident);

/**
 * The attributes of a record, in their order.
 * @param record without its fixups.
 * @param place of the record on the volume.
 * @throws CorruptError where one leaves the record.
 */
export const recordAttributes = (
	record: Uint8Array,
	{ clusters }: Geometry,
	place: { readonly path: string; readonly offset: number },
): readonly Attribute[] => {
	const reader = byteReader(record, place);
	const attributes: Attribute[] = [];
	for (let at = fileRecord.decode(record, place).attributesAt; reader.u32(at) !== ATTRIBUTE.end; ) {
		const head = attributeHead.decode(reader.bytes(at, attributeHead.size), place);
		if (head.size < attributeHead.size || head.size % 8 !== 0) {
			throw new CorruptError(`an attribute of ${head.size} bytes`, { ...place, field: `attribute at ${at}` });
		}
		const bytes = reader.bytes(at, head.size);
		const own = byteReader(bytes, { path: place.path, offset: place.offset + at });
		const behind = bytes.subarray(attributeHead.size);
		const common = { type: head.type, name: own.utf16(head.nameAt, head.nameLength * 2), flags: head.flags };
		if (head.nonResident === 0) {
			const { valueAt, valueSize } = residentPart.decode(behind, place);
			attributes.push({ ...common, resident: true, value: own.bytes(valueAt, valueSize) });
		} else {
			const { firstVcn, runsAt, compressionUnit } = nonResidentPart.decode(behind, place);
			const { size, initialized } =
				firstVcn === 0 ? valueSizes.decode(behind.subarray(nonResidentPart.size), place) : { size: 0, initialized: 0 };
			attributes.push({
				...common,
				resident: false,
				firstVcn,
				runs: decodeRuns(own, runsAt, firstVcn, clusters, place.path),
				size,
				initialized,
				compressionUnit: compressionUnit === 0 ? 0 : 2 ** compressionUnit,
			});
		}
		at += head.size;
	}
	return attributes;
};

/**
 * One attribute by its type and name, its parts from several records put together; undefined if there is none.
 * @throws CorruptError if a part is missing.
 */
export const attributeNamed = (attributes: readonly Attribute[], type: number, path: string, name = ''): Attribute | undefined => {
	const parts = attributes.filter((attribute) => attribute.type === type && attribute.name === name);
	const [first, ...rest] = parts.sort((a, b) => firstVcnOf(a) - firstVcnOf(b));
	if (!first || first.resident) return first;
	const runs = [...first.runs];
	for (const part of rest) {
		const last = runs.at(-1);
		if (part.resident || part.firstVcn !== (last ? last.vcn + last.count : 0)) {
			throw new CorruptError(`a part of an attribute of type 0x${type.toString(16)} is missing`, { path, field: name });
		}
		for (const run of part.runs) runs.push(run);
	}
	if (first.firstVcn !== 0) throw new CorruptError(`the first part of an attribute of type 0x${type.toString(16)} is missing`, { path });
	return { ...first, runs };
};

const firstVcnOf = (attribute: Attribute): number => (attribute.resident ? 0 : attribute.firstVcn);
