import { fileName } from '../../src/bytes/path.ts';
import type { Disk, ImageInfo, ParentReference, SnapshotInfo } from '../../src/core/disk.ts';
import type { OpenContext } from '../../src/core/format.ts';
import type { Source } from '../../src/core/source.ts';
import { concat } from '../../src/disk/concat.ts';
import { overlay } from '../../src/disk/overlay.ts';
import { AccessError, CorruptError, UnsupportedError } from '../../src/errors.ts';
import { DESCRIPTOR, type Descriptor, type Image, lineage, readDescriptor, type Storage } from './descriptor.ts';
import { openImage } from './reader.ts';

/** More images are not opened for one disk. */
const MAX_IMAGES = 256;

/** The disk that a description file tells of: every part, each with all of its snapshots' images on top of each other. */
export const openBundle = async (source: Source, context: OpenContext): Promise<Disk> => {
	const descriptor = await readDescriptor(source, context.signal);
	const line = lineage(descriptor, shown(descriptor, source, context.snapshot), source.name, context.limits);
	if (descriptor.storages.length * line.length > MAX_IMAGES) {
		throw new UnsupportedError(`it has ${descriptor.storages.length * line.length} images, over ${MAX_IMAGES}`, { path: source.name });
	}
	const parts: Disk[] = [];
	try {
		for (const storage of descriptor.storages) parts.push(await openStorage(storage, line, source, context));
	} catch (error) {
		for (const part of parts) await part.close();
		throw error;
	}
	const info: ImageInfo = {
		format: 'parallels',
		clusterSize: descriptor.storages[0]?.clusterSize,
		dirty: parts.some((part) => part.info.dirty),
		snapshots: [...descriptor.shots.keys()].filter((guid) => guid !== descriptor.top).map(snapshotInfo),
		snapshot: context.snapshot === undefined ? undefined : line[0],
	};
	const disk = concat(parts, info);
	return {
		...disk,
		async close() {
			await disk.close();
			await source.close();
		},
	};
};

/** The state to show: the present one, or the snapshot asked for. */
const shown = ({ top, shots }: Descriptor, source: Source, snapshot: string | undefined): string => {
	if (snapshot === undefined) return top;
	const wanted = `{${snapshot
		.toLowerCase()
		.replace(/^snapshot\.id=/, '')
		.replaceAll(/[{}]/g, '')}}`;
	if (shots.has(wanted)) return wanted;
	throw new UnsupportedError(`it has no snapshot '${snapshot}'`, { path: source.name, hint: [...shots.keys()].slice(0, 5).join(' or ') });
};

const openStorage = async (storage: Storage, line: readonly string[], source: Source, context: OpenContext): Promise<Disk> => {
	const layers: Disk[] = [];
	try {
		for (const [depth, guid] of line.entries()) {
			const image = storage.images.get(guid);
			if (!image) throw new CorruptError(`a part of the disk has no image for the snapshot ${guid}`, { path: source.name, field: 'GUID' });
			if (image.plain && depth < line.length - 1) {
				throw new CorruptError(`${image.file} is a delta, and plain images cannot be`, { path: source.name, field: 'Type' });
			}
			layers.push(await openMember(image, storage, context));
		}
	} catch (error) {
		for (const layer of layers) await layer.close();
		throw error;
	}
	return layers.reduceRight((base, top) => overlay(top, base));
};

const openMember = async (image: Image, storage: Storage, context: OpenContext): Promise<Disk> => {
	const source = await follow(image.file, context);
	try {
		const size = storage.end - storage.start;
		const disk = image.plain ? plainDisk(source, size, context) : await openImage(source, context);
		if (disk.size !== size) throw new CorruptError(`it holds ${disk.size} bytes, and ${DESCRIPTOR} says ${size}`, { path: source.name });
		if (!image.plain && disk.info.clusterSize !== storage.clusterSize) {
			throw new CorruptError(`its clusters have ${disk.info.clusterSize} bytes, and ${DESCRIPTOR} says ${storage.clusterSize}`, {
				path: source.name,
			});
		}
		return disk;
	} catch (error) {
		await source.close();
		throw error;
	}
};

/** An image by the name that the descriptor has for it, or beside the descriptor where that is a path from before the bundle moved. */
const follow = async (file: string, context: OpenContext): Promise<Source> => {
	try {
		return await context.follow(file);
	} catch (error) {
		const plainName = fileName(file);
		if (!(error instanceof AccessError) || plainName === file || plainName === '') throw error;
		return await context.follow(plainName).catch(() => {
			throw error;
		});
	}
};

const plainDisk = (source: Source, size: number, context: OpenContext): Disk => {
	if (source.size < size) throw new CorruptError(`it ends at ${source.size} bytes, and ${DESCRIPTOR} says ${size}`, { path: source.name });
	if (source.size > size) {
		const what = `the last ${source.size - size} bytes are no part of the disk`;
		context.note({ kind: 'assumed', what, why: `${DESCRIPTOR} says where the disk ends`, path: source.name });
	}
	return {
		size,
		sectorSize: 512,
		info: { format: 'raw' },
		async *extents(guestOffset, length) {
			yield { kind: 'data', offset: guestOffset, length, source, at: guestOffset };
		},
		close: () => source.close(),
	};
};

/**
 * One image of a bundle, opened by itself: the descriptor beside it, if there is one, says what it is a delta of.
 * @throws UnsupportedError for a part of a split disk.
 */
export const openAlone = async (source: Source, context: OpenContext): Promise<Disk> => {
	const disk = await openImage(source, context);
	const descriptor = await descriptorBeside(source, context);
	const name = fileName(source.name);
	for (const storage of descriptor?.storages ?? []) {
		const [guid] = [...storage.images].find(([, image]) => fileName(image.file) === name) ?? [];
		if (!guid) continue;
		if (descriptor?.storages.length !== 1) {
			throw new UnsupportedError('it is one part of a disk that is split', { path: source.name, hint: `the ${DESCRIPTOR} beside it` });
		}
		return { ...disk, parent: parentOf(storage, descriptor.shots.get(guid), source) };
	}
	return disk;
};

const parentOf = (storage: Storage, guid: string | undefined, source: Source): ParentReference | undefined => {
	if (guid === undefined) return undefined;
	const image = storage.images.get(guid);
	if (!image) throw new CorruptError(`${DESCRIPTOR} has no image for its parent ${guid}`, { path: source.name });
	return { names: [image.file, fileName(image.file)], format: image.plain ? 'raw' : 'parallels', ids: [] };
};

const descriptorBeside = async (source: Source, context: OpenContext): Promise<Descriptor | undefined> => {
	let beside: Source;
	try {
		beside = await context.follow(DESCRIPTOR);
	} catch (error) {
		if (!(error instanceof AccessError)) throw error;
		if (source.name.endsWith('.hds')) {
			const why = `there is no ${DESCRIPTOR} to look into, and only that says what a delta is a delta of`;
			context.note({ kind: 'assumed', what: 'it is a whole disk', why });
		}
		return undefined;
	}
	try {
		return await readDescriptor(beside, context.signal);
	} finally {
		await beside.close();
	}
};

const snapshotInfo = (guid: string): SnapshotInfo => ({
	id: guid,
	name: guid,
	vmStateSize: 0,
	dateSeconds: 0,
	dateNanoseconds: 0,
	vmClockNanoseconds: 0n,
});
