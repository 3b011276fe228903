import { CorruptError, UnsupportedError } from '../../errors.ts';
import type { BlockDevice } from '../device.ts';
import type { Attribute } from './attributes.ts';
import type { Geometry } from './geometry.ts';
import { ATTRIBUTE_FLAG } from './layout.ts';
import { unpackLznt1 } from './lznt1.ts';
import type { Run } from './runs.ts';

/** Clusters compressed together are 64 KiB; more than 1 MiB is not believed. */
const LARGEST_UNIT = 1 << 20;

/** The size of an attribute's value, in bytes. */
export const valueSize = (attribute: Attribute): number => (attribute.resident ? attribute.value.length : attribute.size);

/**
 * Exactly `length` bytes of an attribute's value.
 * @throws CorruptError past its end, UnsupportedError if it is encrypted or compressed in an unknown way.
 */
export const readValue = async (
	device: BlockDevice,
	{ clusterSize }: Geometry,
	attribute: Attribute,
	offset: number,
	length: number,
): Promise<Uint8Array> => {
	const path = device.name;
	if (offset + length > valueSize(attribute)) {
		throw new CorruptError(`${length} bytes at ${offset} of a value of ${valueSize(attribute)} bytes`, { path });
	}
	if (attribute.flags & ATTRIBUTE_FLAG.encrypted) throw new UnsupportedError('the file is encrypted', { path });
	if (attribute.resident) return attribute.value.subarray(offset, offset + length);
	const out = new Uint8Array(length);
	const end = Math.min(offset + length, attribute.initialized);

	const last = attribute.runs.at(-1);
	if (end > (last ? (last.vcn + last.count) * clusterSize : 0)) {
		throw new CorruptError(`the clusters of a value of ${attribute.size} bytes are not all told`, { path, field: 'run list' });
	}

	const plain = async (): Promise<void> => {
		for (const { vcn, lcn, count } of attribute.runs) {
			const start = Math.max(offset, vcn * clusterSize);
			const stop = Math.min(end, (vcn + count) * clusterSize);
			if (lcn === undefined || start >= stop) continue;
			out.set(await device.read(lcn * clusterSize + start - vcn * clusterSize, stop - start), start - offset);
		}
	};

	const compressed = async (): Promise<void> => {
		const unit = attribute.compressionUnit * clusterSize;
		if (unit > LARGEST_UNIT) throw new UnsupportedError(`it is compressed in units of ${unit} bytes`, { path });
		for (let at = offset - (offset % unit); at < end; at += unit) {
			const stored = within(attribute.runs, at / clusterSize, attribute.compressionUnit);
			const full = stored.reduce((sum, { count }) => sum + count, 0) === attribute.compressionUnit;
			if (stored.length === 0) continue;
			const packed = new Uint8Array(unit);
			let filled = 0;
			for (const { lcn, count } of stored) {
				packed.set(await device.read(lcn * clusterSize, count * clusterSize), filled);
				filled += count * clusterSize;
			}
			const bytes = full ? packed : unpackLznt1(packed.subarray(0, filled), unit, path);
			const start = Math.max(offset, at);
			out.set(bytes.subarray(start - at, Math.min(end, at + unit) - at), start - offset);
		}
	};

	if ((attribute.flags & ATTRIBUTE_FLAG.compressed) !== 0 && attribute.compressionUnit > 0) await compressed();
	else await plain();
	return out;
};

type StoredRun = Run & { readonly lcn: number };

/** The parts of runs with clusters among `count` of a value from `vcn` on. */
const within = (runs: readonly Run[], vcn: number, count: number): readonly StoredRun[] =>
	runs.flatMap((run) => {
		const start = Math.max(vcn, run.vcn);
		const end = Math.min(vcn + count, run.vcn + run.count);
		return run.lcn === undefined || start >= end ? [] : [{ vcn: start, lcn: run.lcn + start - run.vcn, count: end - start }];
	});
