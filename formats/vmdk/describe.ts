import { hexDigits } from '../../src/bytes/hex.ts';
import { humanSize } from '../../src/bytes/size.ts';
import type { BackingReference, WriteRequest } from '../../src/core/format.ts';
import { UnsupportedError } from '../../src/errors.ts';
import type { Descriptor, ExtentLine, ExtentType } from './descriptor.ts';
import { geometryOf } from './geometry.ts';
import type { Choices, Subformat } from './options.ts';
import { EXTENT_SIZE, MAX_EXTENTS, nameBeside } from './split.ts';

/** What the descriptor of a new image says. @throws UnsupportedError for a parent without a CID, and for too many files. */
export const describe = (size: number, choices: Choices, { name, backing, stamp }: WriteRequest): Descriptor => {
	const contentId = stamp.id();
	// CIDs with the highest bits set have meanings: ffffffff is "no parent", fffffffe "never written to".
	contentId[12] = (contentId[12] as number) & 0x7f;
	const longContentId = hexDigits(contentId);
	return {
		version: 1,
		encoding: 'UTF-8',
		cid: longContentId.slice(24),
		parentCid: backing && parentCid(backing),
		createType: choices.subformat,
		parentFileNameHint: backing?.name,
		extents: extentLines(choices.subformat, name, size),
		ddb: diskDatabase(size, choices, longContentId, backing ? undefined : stamp.id()),
		others: new Map(),
		unknown: [],
	};
};

const parentCid = ({ name, id }: BackingReference): string => {
	if (!id || !/^[0-9a-f]{8}$/i.test(id))
		throw new UnsupportedError(`the content id of the parent ${name} is not known`, { field: 'parentCID' });
	return id.toLowerCase();
};

/** @param uuid undefined for a delta: what the guest sees of the disk's identity is its base's. */
const diskDatabase = (size: number, choices: Choices, longContentId: string, uuid: Uint8Array | undefined): Map<string, string> => {
	const { cylinders, heads, sectors } = geometryOf(size, choices.adapterType);
	return new Map([
		['ddb.adapterType', choices.adapterType],
		['ddb.geometry.cylinders', `${cylinders}`],
		['ddb.geometry.heads', `${heads}`],
		['ddb.geometry.sectors', `${sectors}`],
		['ddb.longContentID', longContentId],
		...(choices.thin ? [['ddb.thinProvisioned', '1'] as const] : []),
		['ddb.toolsVersion', choices.toolsVersion],
		...(uuid ? [['ddb.uuid', diskUuid(uuid)] as const] : []),
		['ddb.virtualHWVersion', choices.hwVersion],
	]);
};

/** As VMware prints it; 6000c29 is its own prefix, of an NAA identifier, and ESXi makes another id for a disk that has a different one. */
const diskUuid = (fresh: Uint8Array): string => {
	const digits = `6000C29${hexDigits(fresh).slice(7)}`;
	const pairs = digits.match(/../g) ?? [];
	return `${pairs.slice(0, 8).join(' ')}-${pairs.slice(8).join(' ')}`;
};

const extentLines = (subformat: Subformat, name: string, size: number): ExtentLine[] => {
	const one = (type: ExtentType, fileName: string): ExtentLine[] => [{ access: 'RW', size, type, fileName, offset: 0 }];
	switch (subformat) {
		case 'monolithicSparse':
		case 'streamOptimized':
			return one('SPARSE', name);
		case 'monolithicFlat':
			return one('FLAT', nameBeside(name, 'flat'));
		case 'vmfs':
			return one('VMFS', nameBeside(name, 'flat'));
		case 'twoGbMaxExtentSparse':
			return splitLines('SPARSE', 's', name, size);
		case 'twoGbMaxExtentFlat':
			return splitLines('FLAT', 'f', name, size);
	}
};

const splitLines = (type: ExtentType, letter: string, name: string, size: number): ExtentLine[] => {
	const count = Math.ceil(size / EXTENT_SIZE);
	if (count > MAX_EXTENTS) {
		throw new UnsupportedError(`a disk of ${humanSize(size)} would be split into ${count} files, and ${MAX_EXTENTS} are the most`, {
			hint: '-o subformat=monolithicSparse or monolithicFlat',
		});
	}
	return Array.from({ length: count }, (_, index) => ({
		access: 'RW',
		size: Math.min(EXTENT_SIZE, size - index * EXTENT_SIZE),
		type,
		fileName: nameBeside(name, `${letter}${`${index + 1}`.padStart(3, '0')}`),
		offset: 0,
	}));
};
