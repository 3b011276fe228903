import type { OpenContext } from '../../src/core/format.ts';
import type { Source } from '../../src/core/source.ts';
import { CorruptError, UnsupportedError } from '../../src/errors.ts';
import { type Descriptor, MAX_DESCRIPTOR, parseDescriptor } from './descriptor.ts';
import { openSparse } from './directory.ts';
import { checkSize, type DiskExtent, deviceInstead, openExtent } from './extent.ts';
import { KIND_HEAD, kindOf } from './kind.ts';
import { readSparse } from './sparse.ts';

export type OpenedFiles = {
	readonly descriptor: Descriptor;
	/** In guest order. */
	readonly extents: readonly DiskExtent[];
	/** Closes the files that the image names; the image itself stays open. */
	closeExtents(): Promise<void>;
};

/** Kinds that vconv knows to read by their extent lines. The specification's list, section "The Header". */
const CREATE_TYPES = [
	...['monolithicsparse', 'monolithicflat', 'twogbmaxextentsparse', 'twogbmaxextentflat', 'streamoptimized', 'custom'],
	// As VMware's manuals spell them.
	...['2gbmaxextentsparse', '2gbmaxextentflat'],
	...['vmfs', 'vmfssparse', 'vmfsthin', 'vmfspreallocated', 'vmfseagerzeroedthick', 'sesparse'],
	...['vmfsrdm', 'vmfsrdmp', 'vmfsraw', 'vmfsrawdevicemap', 'vmfspassthroughrawdevicemap'],
];
const DEVICE_TYPES = ['fulldevice', 'partitioneddevice'];

/**
 * Read the descriptor of an image and open every file that it names. The image itself stays open.
 * @throws CorruptError, UnsupportedError, AccessError.
 */
export const openFiles = async (source: Source, context: OpenContext): Promise<OpenedFiles> => {
	const kind = kindOf(await source.read(0, Math.min(KIND_HEAD, source.size)));
	if (kind === undefined) throw new CorruptError('it begins neither like a VMDK nor like a descriptor of one', { path: source.name });
	if (kind === 'cowd' || kind === 'seSparse') throw partOfDisk(source);
	const descriptor = kind === 'sparse' ? await embeddedDescriptor(source, context) : await descriptorFile(source);
	refuseUnreadable(descriptor, source);

	const opened = new Map<string, Source>();
	const follow = async (reference: string): Promise<Source> => {
		const found = opened.get(reference) ?? (await context.follow(reference));
		opened.set(reference, found);
		return found;
	};
	const closeExtents = async () => {
		for (const file of opened.values()) await file.close();
	};
	try {
		const extents: DiskExtent[] = [];
		if (kind === 'sparse') extents.push(await embeddedExtent(source, descriptor, context));
		else for (const line of descriptor.extents) extents.push(await openExtent(line, source, follow, context));
		return { descriptor, extents, closeExtents };
	} catch (error) {
		await closeExtents();
		throw error;
	}
};

const partOfDisk = (source: Source): UnsupportedError =>
	new UnsupportedError('it is a part of a disk: another file, its descriptor, says what the disk is', {
		path: source.name,
		hint: 'the descriptor, a small .vmdk of text beside it that names this file',
	});

const descriptorFile = async (source: Source): Promise<Descriptor> => {
	if (source.size > MAX_DESCRIPTOR) throw new CorruptError('the descriptor is over 1 MiB', { path: source.name });
	return parseDescriptor(untilZero(await source.read(0, source.size)), source.name);
};

/** The descriptor of a file that holds its own grains. */
const embeddedDescriptor = async (source: Source, context: OpenContext): Promise<Descriptor> => {
	const sparse = await readSparse(source);
	if (!sparse.descriptor) {
		if (!sparse.compressed) throw partOfDisk(source);
		context.note({ kind: 'assumed', what: 'it is a disk of its own', why: 'it has no descriptor' });
		return assumedDescriptor(sparse.capacity);
	}
	const { offset, length } = sparse.descriptor;
	const room = await source.read(offset, Math.min(length, MAX_DESCRIPTOR));
	// QEMU leaves room for one in the parts of a split disk too.
	if (room[0] === 0) throw partOfDisk(source);
	return parseEmbedded(room, source, offset);
};

/** A descriptor in the file that holds its own grains, at `offset`. */
export const parseEmbedded = (room: Uint8Array, source: Pick<Source, 'name'>, offset: number): Descriptor => {
	const descriptor = parseDescriptor(untilZero(room), source.name, offset);
	const [line] = descriptor.extents;
	if (descriptor.extents.length !== 1 || line?.type !== 'SPARSE') {
		throw new CorruptError('its own descriptor names more than the one sparse extent that it is in', {
			path: source.name,
			offset,
			field: 'extent',
		});
	}
	return descriptor;
};

const embeddedExtent = async (source: Source, descriptor: Descriptor, context: OpenContext): Promise<DiskExtent> => {
	const [line] = descriptor.extents as [DiskExtent['line']];
	if (line.access === 'NOACCESS') throw new UnsupportedError('its extent is marked NOACCESS', { path: source.name, field: 'extent' });
	const file = await openSparse(source, context);
	checkSize(line, file, source);
	return { ...file, line, source };
};

/** What a stream without a descriptor must be. */
export const assumedDescriptor = (size: number): Descriptor => ({
	version: 1,
	cid: 'fffffffe',
	createType: 'streamOptimized',
	extents: [{ access: 'RDONLY', size, type: 'SPARSE', offset: 0 }],
	ddb: new Map(),
	others: new Map(),
	unknown: [],
});

/** The room of a descriptor is larger than its text, and filled up with zero bytes. */
const untilZero = (bytes: Uint8Array): Uint8Array => {
	const end = bytes.indexOf(0);
	return end < 0 ? bytes : bytes.subarray(0, end);
};

/** Disks whose bytes are not in their files, or not as they are. @throws UnsupportedError. */
export const refuseUnreadable = ({ createType, extents, ddb, others }: Descriptor, source: Pick<Source, 'name'>): void => {
	const unsupported = (message: string, field: string, hint: string) => new UnsupportedError(message, { path: source.name, field, hint });
	const kind = createType.toLowerCase();
	if (DEVICE_TYPES.includes(kind)) {
		throw new UnsupportedError(`it stands for a physical disk (${createType}), and holds no data itself`, {
			path: source.name,
			field: 'createType',
			hint: deviceInstead(extents),
			reason: 'device',
		});
	}
	if (!CREATE_TYPES.includes(kind)) {
		throw unsupported(`vconv does not know createType '${createType}'`, 'createType', 'vmkfstools -i of it, which copies to a plain VMDK');
	}
	for (const [key, value] of [...ddb, ...others]) {
		if (/encrypt/i.test(key) || (/iofilters/i.test(key) && /crypt/i.test(value))) {
			throw unsupported('it is encrypted', key, 'removing the encryption in vSphere or Workstation first');
		}
	}
};
