import { hex } from '../../src/bytes/size.ts';
import type { Extent } from '../../src/core/disk.ts';
import type { Source } from '../../src/core/source.ts';
import { clip } from '../../src/disk/clip.ts';
import { CorruptError } from '../../src/errors.ts';
import type { ExtentContext, ExtentFile } from './extent-file.ts';
import { grainMarker, MARKER, metadataMarker, SECTOR, SPARSE_MAGIC, type SparseHeader, sparseHeader } from './layout.ts';
import { ABSENT, checkPlace, type GrainMap, grainLookup, ZEROED } from './map.ts';

/** Some tools fill a file up with zeros behind the end of the stream: the footer is looked for in this many bytes. */
const TAIL = 1 << 16;

/**
 * The footer of a stream: the last sector that is not zero, between its marker and the end-of-stream marker, which is zeros.
 * @throws CorruptError if it is not there: the stream was cut off.
 */
export const readFooter = async (source: Source): Promise<{ footer: SparseHeader; offset: number }> => {
	const cut = (why: string) =>
		new CorruptError(why, { path: source.name, offset: source.size, field: 'footer', hint: 'a fresh copy: this one is truncated' });
	const length = Math.min(TAIL, source.size - (source.size % SECTOR));
	const start = source.size - (source.size % SECTOR) - length;
	const tail = await source.read(start, length);
	let at = length - SECTOR;
	while (at >= 0 && tail.subarray(at, at + SECTOR).every((byte) => byte === 0)) at -= SECTOR;
	if (at < SECTOR || at === length - SECTOR) throw cut('the stream ends without its footer and end-of-stream marker');
	const offset = start + at;
	const footer = sparseHeader.decode(tail.subarray(at), { path: source.name, offset });
	if (footer.magicNumber !== SPARSE_MAGIC) throw cut('the stream ends without its footer');
	const marker = metadataMarker.decode(tail.subarray(at - SECTOR), { path: source.name, offset: offset - SECTOR });
	if (marker.size !== 0 || marker.type !== MARKER.footer) throw cut('the footer has no marker before it');
	return { footer, offset };
};

/**
 * The map of a stream: every grain is a zlib stream behind its marker, which must name that grain. A table entry that leads to
 * another grain's bytes shows itself so, at the price of 12 bytes read for each grain.
 */
export const packedGrains = (map: GrainMap, context: Pick<ExtentContext, 'unpack'>): ExtentFile['extents'] => {
	const { grainSize } = map;
	const look = grainLookup(map);

	return async function* (guestOffset, length, signal) {
		const end = guestOffset + length;
		const stop = Math.ceil(end / grainSize);
		for (let grain = Math.floor(guestOffset / grainSize); grain < stop; ) {
			for (const run of await look(grain, stop - grain, signal)) {
				const offset = grain * grainSize;
				grain += run.grains;
				if (run.at === ABSENT || run.at === ZEROED) {
					yield clip({ kind: run.at === ZEROED ? 'zero' : 'absent', offset, length: run.grains * grainSize }, guestOffset, end);
					continue;
				}
				for (let i = 0; i < run.grains; i++) {
					const packed = await packedGrain(map, context, offset + i * grainSize, run.at + i * grainSize, signal);
					yield clip(packed, guestOffset, end);
				}
			}
		}
	};
};

const packedGrain = async (
	map: GrainMap,
	context: Pick<ExtentContext, 'unpack'>,
	guestOffset: number,
	at: number,
	signal?: AbortSignal,
): Promise<Extent> => {
	const { source, grainSize, capacity } = map;
	const { stored } = await readMarker(map, guestOffset, at, signal);
	const packed = { source, at: at + grainMarker.size, stored, method: 'zlib' } as const;
	const whole = guestOffset + grainSize <= capacity;
	const unpacked = whole ? grainSize : await lastGrain(packed, [grainSize, capacity - guestOffset], context, signal);
	return { kind: 'packed', offset: guestOffset, length: unpacked, ...packed, unpacked, skip: 0 };
};

/**
 * How many bytes of a packed grain are stored behind its marker at `at`, and where they end.
 * @throws CorruptError if it is another grain's marker, or none.
 */
export const readMarker = async (
	map: GrainMap,
	guestOffset: number,
	at: number,
	signal?: AbortSignal,
): Promise<{ readonly stored: number; readonly end: number }> => {
	const { source } = map;
	const name = `the grain of guest offset ${hex(guestOffset)}`;
	checkPlace(map, name, at, grainMarker.size);
	const stored = markedSize(map, guestOffset, at, await source.read(at, grainMarker.size, signal));
	checkPlace(map, name, at + grainMarker.size, stored);
	return { stored, end: at + grainMarker.size + stored };
};

/** How many bytes are stored of a grain, from the marker before it, at host offset `at`. @throws CorruptError if it is not its marker. */
export const markedSize = (
	{ source, grainSize }: Pick<GrainMap, 'source' | 'grainSize'>,
	guestOffset: number,
	at: number,
	marker: Uint8Array,
): number => {
	const corrupt = (field: string, why: string) =>
		new CorruptError(`the grain of guest offset ${hex(guestOffset)} ${why}`, { path: source.name, offset: at, field });
	const { lba, size } = grainMarker.decode(marker, { path: source.name, offset: at });
	if (lba * SECTOR !== guestOffset) throw corrupt('lba', `is marked as that of ${hex(lba * SECTOR)}`);
	if (size === 0 || size > 2 * grainSize) throw corrupt('size', `takes ${size} bytes packed`);
	return size;
};

/** A grain that the disk ends in: VMware packs all of it, QEMU only the part within the disk. Which it was, its stream says. */
export const lastGrain = async (
	{ source, at, stored, method }: { source: Source; at: number; stored: number; method: 'zlib' },
	sizes: readonly number[],
	context: Pick<ExtentContext, 'unpack'>,
	signal?: AbortSignal,
): Promise<number> => {
	const bytes = await source.read(at, stored, signal);
	let cause: unknown;
	for (const size of sizes) {
		try {
			context.unpack(method, bytes, size);
			return size;
		} catch (error) {
			cause = error;
		}
	}
	throw new CorruptError(`the last grain is damaged: ${(cause as Error).message}`, { path: source.name, offset: at, cause });
};
