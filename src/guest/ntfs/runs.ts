import { CorruptError } from '../../errors.ts';
import type { ByteReader } from '../reader.ts';

/** Clusters of a value that adjoin on the volume, or a hole. */
export type Run = {
	/** In the value. */
	readonly vcn: number;
	/** On the volume; undefined for a hole. */
	readonly lcn: number | undefined;
	readonly count: number;
};

/**
 * A run list: for each run the widths of two numbers in a byte, then how many clusters, then how far from the last run's start.
 * @param firstVcn of the first run.
 * @param clusters of the volume.
 * @throws CorruptError if a run is empty or leaves the volume.
 */
export const decodeRuns = (list: ByteReader, at: number, firstVcn: number, clusters: number, path: string): readonly Run[] => {
	const runs: Run[] = [];
	let vcn = firstVcn;
	let lcn = 0;
	for (let next = at; list.u8(next) !== 0; ) {
		const widths = list.u8(next++);
		const [countWidth, lcnWidth] = [widths & 0x0f, widths >> 4];
		if (countWidth > 8 || lcnWidth > 8) throw new CorruptError(`a run list has numbers of ${countWidth} and ${lcnWidth} bytes`, { path });
		const count = signed(list.bytes(next, countWidth));
		next += countWidth;
		const step = signed(list.bytes(next, lcnWidth));
		next += lcnWidth;
		lcn += step;
		const hole = lcnWidth === 0;
		if (count <= 0 || vcn + count > Number.MAX_SAFE_INTEGER)
			throw new CorruptError(`a run of ${count} clusters`, { path, field: 'run list' });
		if (!hole && (lcn < 0 || lcn + count > clusters)) {
			throw new CorruptError(`a run of ${count} clusters at ${lcn}, and the volume has ${clusters}`, { path, field: 'run list' });
		}
		runs.push({ vcn, lcn: hole ? undefined : lcn, count });
		vcn += count;
	}
	return runs;
};

/** Little-endian, of any width. */
const signed = (bytes: Uint8Array): number => {
	let value = (bytes.at(-1) ?? 0) > 127 ? -1 : 0;
	for (let index = bytes.length - 1; index >= 0; index--) value = value * 256 + (bytes[index] ?? 0);
	return value;
};
