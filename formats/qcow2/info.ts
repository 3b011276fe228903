import type { ImageInfo } from '../../src/core/disk.ts';
import type { Note } from '../../src/core/note.ts';
import { type Bitmap, bitmapsSize } from './bitmaps.ts';
import type { Header } from './header.ts';
import { AUTOCLEAR, COMPATIBLE, INCOMPATIBLE } from './layout.ts';
import type { Snapshot } from './snapshots.ts';

/** What `info` tells of the image, by qemu-img's names where it has them. */
export const imageInfo = (
	header: Header,
	snapshots: readonly Snapshot[],
	bitmaps: readonly Bitmap[] | undefined,
	shown: Snapshot | undefined,
	encrypt: object | undefined,
): ImageInfo => ({
	format: 'qcow2',
	clusterSize: header.geometry.clusterSize,
	compressed: !has(header.incompatible, INCOMPATIBLE.dataFile),
	dirty: has(header.incompatible, INCOMPATIBLE.dirty),
	snapshots: snapshots.length === 0 ? undefined : snapshots.map(({ l1: _, size: __, at: ___, ...info }) => info),
	...(header.version === 3 && { bitmapsSize: (clusterSize: number) => bitmapsSize(bitmaps ?? [], header.size, clusterSize) }),
	snapshot: shown?.name,
	encrypted: encrypt && true,
	specific: {
		type: 'qcow2',
		data: { ...specificOf(header, bitmaps, encrypt), ...unknown(header) },
	},
});

const has = (flags: bigint, bit: bigint): boolean => (flags & bit) !== 0n;

/** In the order in which qemu-img prints it, so that its text can be compared. */
const specificOf = (
	{ version, compression, refcountBits, compatible, incompatible, autoclear, geometry, extensions }: Header,
	bitmaps: readonly Bitmap[] | undefined,
	encrypt: object | undefined,
) => ({
	compat: version === 2 ? '0.10' : '1.1',
	'compression-type': compression,
	...(version === 3 && { 'lazy-refcounts': has(compatible, COMPATIBLE.lazyRefcounts) }),
	...(version === 3 &&
		bitmaps && {
			bitmaps: bitmaps.map(({ name, granularity, inUse, auto }) => ({
				flags: [...(inUse ? ['in-use'] : []), ...(auto ? ['auto'] : [])],
				name,
				granularity,
			})),
		}),
	'refcount-bits': refcountBits,
	...(encrypt && { encrypt }),
	...(version === 3 &&
		has(incompatible, INCOMPATIBLE.dataFile) && {
			'data-file': extensions.dataFile,
			'data-file-raw': has(autoclear, AUTOCLEAR.dataFileRaw),
		}),
	...(version === 3 && { corrupt: has(incompatible, INCOMPATIBLE.corrupt), 'extended-l2': geometry.extendedL2 }),
});

/** Header extensions, which qemu-img passes over in silence. */
const unknown = ({ extensions }: Header) =>
	extensions.unknown.length === 0
		? {}
		: { 'unknown-extensions': extensions.unknown.map(({ type, length }) => ({ type: `0x${type.toString(16)}`, length })) };

/** What the user should know of an image whose disk is read, though it stops nothing. */
export const notesOf = (
	{ incompatible }: Header,
	snapshots: readonly Snapshot[],
	bitmaps: readonly Bitmap[] | undefined,
	shown: Snapshot | undefined,
): Note[] => {
	const notes: Note[] = [];
	if (has(incompatible, INCOMPATIBLE.dirty)) {
		const why = 'it was not closed cleanly: refcounts may be behind, the disk itself is complete';
		notes.push({ kind: 'assumed', what: 'the image is marked dirty', why });
	}
	if (has(incompatible, INCOMPATIBLE.corrupt)) {
		const why = 'its writer met a contradiction in it; what is read here was found consistent';
		notes.push({ kind: 'assumed', what: 'the image is marked corrupt', why });
	}
	const others = snapshots.filter((snapshot) => snapshot !== shown);
	if (others.length > 0) {
		const why = `only ${shown ? `snapshot '${shown.name}'` : 'the present state'} of the disk is read`;
		notes.push({ kind: 'dropped', what: `internal snapshots: ${others.map(({ name }) => name).join(', ')}`, why });
	}
	if (bitmaps && bitmaps.length > 0) {
		const what = `dirty bitmaps: ${bitmaps.map(({ name }) => name).join(', ')}`;
		notes.push({ kind: 'dropped', what, why: 'they tell of changes to this image, not to a copy of it' });
	}
	return notes;
};
