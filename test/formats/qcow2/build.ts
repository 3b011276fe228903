import { qcow2 } from '../../../formats/qcow2/index.ts';
import {
	bitmapEntry,
	bitmapsExtension,
	EXTENSION,
	extensionHeader,
	featureName,
	header,
	headerAdditional,
	headerV3,
	INCOMPATIBLE,
	MAGIC,
	snapshotEntry,
	snapshotExtra,
} from '../../../formats/qcow2/layout.ts';
import type { Extent } from '../../../src/core/disk.ts';
import type { OpenContext } from '../../../src/core/format.ts';
import { memorySource } from '../../../src/io/memory.ts';
import { alone } from '../../helpers/mutate.ts';

/** The cluster size of images made here, in bytes; the L2 table of one maps half as many bytes times itself. */
export const C = 16384;

/** Host offset of the L1 table, of the L2 table, and of the first cluster of data. */
export const L1 = 3 * C;
export const L2 = 4 * C;
export const DATA = 5 * C;

/** Bits of an L2 entry. */
export const COPIED = 1n << 63n;
export const PACKED = 1n << 62n;
export const ZERO = 1n;

/** An entry for a cluster of data, by its number among those. */
export const data = (index: number): bigint => COPIED | BigInt(DATA + index * C);

/** A compressed cluster: sectors beyond the first one. */
export const packed = (at: number, sectors: number): bigint => PACKED | (BigInt(sectors) << 56n) | BigInt(at);

type Header = ReturnType<typeof header.decode>;
type HeaderV3 = ReturnType<typeof headerV3.decode>;

export type Build = {
	readonly version?: 2 | 3;
	/** Entries of the only L2 table, which is not used without any; with `extended`, an entry and its bitmaps in turn. */
	readonly entries?: readonly bigint[];
	readonly extended?: boolean;
	/** Clusters of data: the first byte of each. */
	readonly clusters?: readonly number[];
	/** Virtual size; so many clusters as there are entries where left out. */
	readonly size?: number;
	readonly change?: Partial<Header>;
	readonly change3?: Partial<HeaderV3>;
	readonly compressionType?: number;
	readonly extensions?: readonly (readonly [type: number, data: Uint8Array])[];
	readonly backing?: string;
	/** Of the file in bytes; its last cluster's end where left out. */
	readonly length?: number;
};

/**
 * A QCOW2 image in memory with clusters of 16 KiB: header, refcount table, refcount block, L1 table, L2 table, then the clusters of
 * data, each used once.
 */
export const build = (image: Build): Uint8Array => {
	const { version = 3, entries = [], extended = false, clusters = [], change = {}, change3 = {}, extensions = [], backing = '' } = image;
	const bytes = new Uint8Array(image.length ?? DATA + clusters.length * C);
	const whole = new Uint8Array(Math.max(bytes.length, DATA + clusters.length * C));
	const view = new DataView(whole.buffer);
	let end = header.size;
	if (version === 3) {
		const incompatibleFeatures = extended ? INCOMPATIBLE.extendedL2 : 0n;
		const headerLength = 112;
		const extra = { incompatibleFeatures, compatibleFeatures: 0n, autoclearFeatures: 0n, refcountOrder: 4, headerLength, ...change3 };
		whole.set(headerV3.encode(extra), header.size);
		const additional = { compressionType: image.compressionType ?? 0, padding: new Uint8Array(7) };
		whole.set(headerAdditional.encode(additional), header.size + headerV3.size);
		end = headerLength;
	}
	for (const [type, content] of extensions) {
		whole.set(extensionHeader.encode({ type, length: content.length }), end);
		whole.set(content, end + 8);
		end += 8 + Math.ceil(content.length / 8) * 8;
	}
	if (extensions.length > 0) end += 8;
	whole.set(text(backing), end);
	const count = extended ? entries.length / 2 : entries.length;
	whole.set(
		header.encode({
			magic: MAGIC,
			version,
			backingFileOffset: backing ? end : 0,
			backingFileSize: backing.length,
			clusterBits: 14,
			size: image.size ?? count * C,
			cryptMethod: 0,
			l1Size: 1,
			l1TableOffset: L1,
			refcountTableOffset: C,
			refcountTableClusters: 1,
			snapshotCount: 0,
			snapshotsOffset: 0,
			...change,
		}),
	);
	view.setBigUint64(C, BigInt(2 * C));
	for (let cluster = 0; cluster < 5 + clusters.length; cluster++) view.setUint16(2 * C + cluster * 2, 1);
	if (count > 0) view.setBigUint64(L1, COPIED | BigInt(L2));
	for (const [i, entry] of entries.entries()) view.setBigUint64(L2 + i * 8, entry);
	for (const [i, first] of clusters.entries()) whole.fill(first, DATA + i * C, DATA + (i + 1) * C);
	bytes.set(whole.subarray(0, bytes.length));
	return bytes;
};

export const text = (value: string): Uint8Array => new TextEncoder().encode(value);

/** Join pieces, each padded to a multiple of 8 bytes as a whole. */
const record = (...pieces: readonly Uint8Array[]): Uint8Array => {
	const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
	const whole = new Uint8Array(Math.ceil(length / 8) * 8);
	let at = 0;
	for (const piece of pieces) {
		whole.set(piece, at);
		at += piece.length;
	}
	return whole;
};

export type SnapshotSaid = { readonly id: string; readonly name: string; readonly l1TableOffset?: number; readonly size: number };

/** An entry of the snapshot table, with one L1 entry. */
export const snapshot = ({ id, name, l1TableOffset = L1, size }: SnapshotSaid): Uint8Array =>
	record(
		snapshotEntry.encode({
			l1TableOffset,
			l1Size: 1,
			idSize: id.length,
			nameSize: name.length,
			dateSeconds: 1000,
			dateNanoseconds: 5,
			vmClockNanoseconds: 7n,
			vmStateSize: 0,
			extraDataSize: snapshotExtra.size,
		}),
		snapshotExtra.encode({ vmStateSize: 0, diskSize: size, icount: 2n ** 64n - 1n }),
		text(id),
		text(name),
	);

/** The bitmaps extension and the directory that it is for. */
export const bitmaps = (at: number, names: readonly string[], tableOffset: number, tableSize = 1) => {
	const entry = { tableOffset, tableSize, flags: 2, type: 1, granularityBits: 16, extraDataSize: 0 };
	const directory = record(...names.map((name) => record(bitmapEntry.encode({ ...entry, nameSize: name.length }), text(name))));
	const extension = { count: names.length, reserved: 0, directorySize: directory.length, directoryOffset: at };
	return { directory, extension: [EXTENSION.bitmaps, bitmapsExtension.encode(extension)] as const };
};

export const featureTable = (bit: number, name: string) => [EXTENSION.featureNames, featureName.encode({ kind: 0, bit, name })] as const;

export const open = (image: Build | Uint8Array, context: Partial<OpenContext> = {}) =>
	qcow2.open(memorySource(image instanceof Uint8Array ? image : build(image), 'disk.qcow2'), { ...alone, ...context });

/** Kind, length in clusters, and host offset of each extent. */
export const mapOf = async (image: Build | Uint8Array, context: Partial<OpenContext> = {}) => {
	const disk = await open(image, context);
	const extents: Extent[] = [];
	for await (const extent of disk.extents(0, disk.size)) extents.push(extent);
	const placed = (extent: Extent) => (extent.kind === 'zero' ? extent.place : 'at' in extent ? extent : undefined);
	return extents.map((extent) => [extent.kind, extent.length / C, placed(extent)?.at].filter((part) => part !== undefined));
};
