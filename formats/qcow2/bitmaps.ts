import { alignUp } from '../../src/bytes/align.ts';
import type { Source } from '../../src/core/source.ts';
import { CorruptError } from '../../src/errors.ts';
import type { Header } from './header.ts';
import { AUTOCLEAR, BITMAP, bitmapEntry, LIMIT } from './layout.ts';

/** A persistent dirty bitmap, by its entry in the directory. */
export type Bitmap = {
	readonly name: string;
	readonly inUse: boolean;
	readonly auto: boolean;
	/** Guest bytes a bit stands for. */
	readonly granularity: number;
	/** Host offset of its table. */
	readonly tableOffset: number;
	/** In entries of 8 bytes. */
	readonly tableSize: number;
};

/** "Bitmap directory". Undefined where there is none, or other software has written to the disk since and it means nothing any more. */
export const readBitmaps = async (
	source: Source,
	{ autoclear, extensions }: Pick<Header, 'autoclear' | 'extensions'>,
	signal?: AbortSignal,
): Promise<readonly Bitmap[] | undefined> => {
	const extension = extensions.bitmaps;
	if (!extension || !(autoclear & AUTOCLEAR.bitmaps)) return undefined;
	const { count, directoryOffset, directorySize } = extension;
	const corrupt = (why: string, at: number) => new CorruptError(why, { path: source.name, offset: at, field: 'bitmapDirectory' });
	if (directorySize > LIMIT.bitmapDirectory) throw corrupt('the directory of bitmaps is over vconv’s limit of 1 MiB', directoryOffset);
	const directory = await source.read(directoryOffset, directorySize, signal);
	const list: Bitmap[] = [];
	for (let at = 0; list.length < count; ) {
		const place = { path: source.name, offset: directoryOffset + at };
		const entry = bitmapEntry.decode(directory.subarray(at), place);
		const start = at + bitmapEntry.size + entry.extraDataSize;
		const end = start + entry.nameSize;
		if (end > directory.length) throw corrupt('a bitmap’s entry does not fit into the directory', place.offset);
		list.push({
			name: new TextDecoder().decode(directory.subarray(start, end)),
			inUse: (entry.flags & BITMAP.inUse) !== 0,
			auto: (entry.flags & BITMAP.auto) !== 0,
			granularity: 2 ** entry.granularityBits,
			tableOffset: entry.tableOffset,
			tableSize: entry.tableSize,
		});
		at = alignUp(end, 8);
	}
	return list;
};

/** What they would take in an image of another cluster size, as qemu-img measures it: every bitmap whole, its table, and the directory. */
export const bitmapsSize = (bitmaps: readonly Bitmap[], diskSize: number, clusterSize: number): number => {
	const valid = bitmaps.filter(({ inUse }) => !inUse);
	const nameSize = (name: string): number => new TextEncoder().encode(name).length;
	const directory = valid.reduce((sum, { name }) => sum + alignUp(bitmapEntry.size + nameSize(name), 8), 0);
	const sizes = valid.map(({ granularity }) => {
		const clusters = Math.ceil(Math.ceil(diskSize / granularity) / 8 / clusterSize);
		return clusters * clusterSize + alignUp(clusters * 8, clusterSize);
	});
	return sizes.reduce((sum, size) => sum + size, alignUp(directory, clusterSize));
};
