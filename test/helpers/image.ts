import { diskFormats } from '../../formats/index.ts';
import { convertDisk } from '../../src/convert/convert.ts';
import { flatten, openChain } from '../../src/convert/open.ts';
import type { Disk } from '../../src/core/disk.ts';
import type { BackingReference, DiskFormat, OptionValues } from '../../src/core/format.ts';
import type { Source } from '../../src/core/source.ts';
import type { Stamp } from '../../src/core/stamp.ts';
import { readDisk } from '../../src/disk/read.ts';
import { pakoCodec } from '../../src/engine/pako.ts';
import { portableMover } from '../../src/engine/portable.ts';
import { AccessError } from '../../src/errors.ts';
import { type MemorySink, memoryTarget } from '../../src/io/memory.ts';

/** The same time and ids every time. */
export const fixedStamp = (): Stamp => {
	let next = 1;
	return { now: new Date('2026-01-02T03:04:05Z'), id: () => new Uint8Array(16).fill(next++) };
};

export type WriteOptions = {
	readonly name?: string;
	readonly options?: OptionValues;
	readonly compress?: boolean;
	readonly backing?: BackingReference;
	readonly stamp?: Stamp;
};

/** Write a disk as an image in memory: the files that came of it, by name. */
export const writeImage = async (
	format: DiskFormat,
	disk: Disk,
	{ name = `disk.${format.extensions[0]}`, ...rest }: WriteOptions = {},
): Promise<Map<string, MemorySink>> => {
	const target = memoryTarget(name);
	await convertDisk({ disk, target, format, mover: portableMover(pakoCodec), stamp: fixedStamp(), ...rest });
	return target.files;
};

/** Open an image among files in memory, with its parents and extents. */
export const openImage = async (
	files: ReadonlyMap<string, { source(): Source }>,
	name: string,
	{ format, snapshot }: { readonly format?: string; readonly snapshot?: string } = {},
): Promise<Disk> => {
	const find = (file: string): Source => {
		const found = files.get(file);
		if (!found) throw new AccessError(`there is no ${file}`, { path: file });
		return found.source();
	};
	return flatten(
		await openChain(find(name), {
			formats: diskFormats,
			format,
			snapshot,
			gate: async (_, reference) => find(reference),
			async *siblings(source) {
				for (const [file, image] of files) if (file !== source.name) yield image.source();
			},
		}),
	);
};

/** The guest offset of the first byte in which two disks of one size differ; undefined if there is none. */
export const firstDifference = async (a: Disk, b: Disk): Promise<number | undefined> => {
	if (a.size !== b.size) return Math.min(a.size, b.size);
	const step = 1 << 20;
	for (let at = 0; at < a.size; at += step) {
		const length = Math.min(step, a.size - at);
		const [x, y] = [await readDisk(a, pakoCodec, at, length), await readDisk(b, pakoCodec, at, length)];
		if (Buffer.compare(x, y) === 0) continue;
		for (let i = 0; i < length; i++) if (x[i] !== y[i]) return at + i;
	}
	return undefined;
};
