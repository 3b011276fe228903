import { alignUp } from '../../src/bytes/align.ts';
import { joinBytes } from '../../src/bytes/join.ts';
import type { BackingReference } from '../../src/core/format.ts';
import { UnsupportedError } from '../../src/errors.ts';
import {
	COMPATIBLE,
	COMPRESSION,
	CRYPT,
	EXTENSION,
	extensionHeader,
	featureName,
	header,
	headerAdditional,
	headerV3,
	INCOMPATIBLE,
	LIMIT,
	MAGIC,
} from './layout.ts';
import type { Settings } from './options.ts';

/** Where the tables are. */
export type Tables = {
	/** In entries. */
	readonly l1Size: number;
	readonly l1TableOffset: number;
	readonly refcountTableOffset: number;
	readonly refcountTableClusters: number;
};

/** What QEMU names of each kind: incompatible, compatible, autoclear. The bit of each is its place in the list. */
const FEATURES = [
	['dirty bit', 'corrupt bit', 'external data file', 'compression type', 'extended L2 entries'],
	['lazy refcounts'],
	['bitmaps', 'raw external data'],
] as const;

/** QEMU's names of the formats that it calls something else than we do. */
const DRIVERS: Readonly<Record<string, string>> = { vhd: 'vpc' };

/**
 * All that stands in the first cluster: header, extensions and the backing file's name. Gives what makes the bytes of it once the
 * tables have their places.
 * @throws UnsupportedError where the first cluster has no room for the name.
 */
export const preamble = (settings: Settings, size: number, backing: BackingReference | undefined): ((tables: Tables) => Uint8Array) => {
	const { version, geometry, compression, lazyRefcounts, refcountBits } = settings;
	const headerLength = version === 2 ? header.size : header.size + headerV3.size + headerAdditional.size;
	const name = new TextEncoder().encode(backing?.name ?? '');
	const format = backing ? extension(EXTENSION.backingFormat, new TextEncoder().encode(DRIVERS[backing.format] ?? backing.format)) : [];
	const end = extension(EXTENSION.end, new Uint8Array());
	const rest = (extensions: readonly Uint8Array[]): Uint8Array[] => [...extensions, ...end, name];

	// The names of the features are a courtesy: in the smallest clusters there may be no room for them.
	const full = rest([...format, ...(version === 2 ? [] : extension(EXTENSION.featureNames, featureNames()))]);
	const parts = headerLength + lengthOf(full) <= geometry.clusterSize ? full : rest(format);
	const total = headerLength + lengthOf(parts);
	if (name.length > LIMIT.backingFileSize || total > geometry.clusterSize) {
		const most = Math.min(LIMIT.backingFileSize, geometry.clusterSize - total + name.length);
		throw new UnsupportedError(`the backing file's name takes ${name.length} bytes, and there is room for ${most}`, {
			field: 'backingFileSize',
			hint: most < LIMIT.backingFileSize ? 'a larger cluster_size, or a shorter name' : 'a shorter name',
		});
	}

	return (tables) => {
		const head = header.encode({
			magic: MAGIC,
			version,
			backingFileOffset: backing ? total - name.length : 0,
			backingFileSize: name.length,
			clusterBits: geometry.clusterBits,
			size,
			cryptMethod: CRYPT.none,
			...tables,
			snapshotCount: 0,
			snapshotsOffset: 0,
		});
		const more = headerV3.encode({
			incompatibleFeatures:
				(compression === 'zlib' ? 0n : INCOMPATIBLE.compressionType) | (geometry.extendedL2 ? INCOMPATIBLE.extendedL2 : 0n),
			compatibleFeatures: lazyRefcounts ? COMPATIBLE.lazyRefcounts : 0n,
			autoclearFeatures: 0n,
			refcountOrder: Math.log2(refcountBits),
			headerLength,
		});
		const additional = headerAdditional.encode({ compressionType: COMPRESSION[compression], padding: new Uint8Array(7) });
		return joinBytes(version === 2 ? [head, ...parts] : [head, more, additional, ...parts]);
	};
};

/** "Header extensions": one of them, padded. */
const extension = (type: number, data: Uint8Array): Uint8Array[] => [
	extensionHeader.encode({ type, length: data.length }),
	data,
	new Uint8Array(alignUp(data.length, 8) - data.length),
];

const featureNames = (): Uint8Array =>
	joinBytes(FEATURES.flatMap((names, kind) => names.map((name, bit) => featureName.encode({ kind, bit, name }))));

const lengthOf = (parts: readonly Uint8Array[]): number => parts.reduce((sum, part) => sum + part.length, 0);
