import type { ParentReference } from '../../src/core/disk.ts';
import type { Descriptor } from './descriptor.ts';

/** What a delta says of the image beneath it; undefined for an image with none. */
export const parentOf = ({ parentCid, parentFileNameHint: hint, ddb }: Descriptor): ParentReference | undefined => {
	if (parentCid !== undefined && hint !== undefined) {
		// Often a path on the host that made it: its last part, beside the child, is where a copied chain is.
		const names = [hint, hint.replace(/^.*[\\/]/, '')];
		return { names: [...new Set(names)].filter((name) => name !== ''), format: 'vmdk', ids: [parentCid] };
	}
	// VirtualBox names no file and no CID: its differencing images have the UUIDs of their parent in the disk database alone.
	const image = uuid(ddb, 'ddb.uuid.parent');
	return image === undefined ? undefined : { names: [], format: 'vmdk', ids: [idOf(image, uuid(ddb, 'ddb.uuid.parentmodification'))] };
};

/** What VirtualBox's children of an image call it: which it is, and in which state of it, which older ones leave out. */
export const virtualBoxIds = ({ ddb }: Descriptor): readonly string[] => {
	const image = uuid(ddb, 'ddb.uuid.image');
	return image === undefined ? [] : [idOf(image), idOf(image, uuid(ddb, 'ddb.uuid.modification'))];
};

const idOf = (image: string, modification?: string): string => (modification === undefined ? image : `${image}/${modification}`);

const uuid = (ddb: Descriptor['ddb'], key: string): string | undefined => {
	const value = ddb.get(key)?.toLowerCase();
	return value === undefined || /^[0-]*$/.test(value) ? undefined : value;
};
