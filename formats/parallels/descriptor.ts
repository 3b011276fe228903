import { hex } from '../../src/bytes/size.ts';
import { child, children, parseXml, type XmlElement } from '../../src/bytes/xml.ts';
import { LARGEST_DISK, type Limits, refuseOver } from '../../src/core/limits.ts';
import type { Source } from '../../src/core/source.ts';
import { CorruptError, UnsupportedError } from '../../src/errors.ts';
import { SECTOR } from './layout.ts';

/** What a bundle's description file is always called. */
export const DESCRIPTOR = 'DiskDescriptor.xml';

/** The root element. */
const ROOT = 'Parallels_disk_image';

/** More bytes are not read. */
const MAX_BYTES = 8 << 20;

const NIL = '{00000000-0000-0000-0000-000000000000}';

/** The state that the guest writes to, where the file does not name another. */
const TOP = '{5fbaabe3-6958-40ff-92a7-860e329aab41}';

/** What a DiskDescriptor.xml says. Specification: QEMU, docs/interop/prl-xml.rst, "Parallels Disk Format". */
export type Descriptor = {
	/** Virtual size in bytes. */
	readonly size: number;
	/** The parts of the disk, in order, adjoining: one, unless the disk is split. */
	readonly storages: readonly Storage[];
	/** The parent of each state of the disk, by GUID; undefined for the root's. */
	readonly shots: ReadonlyMap<string, string | undefined>;
	/** The GUID of the present state. */
	readonly top: string;
};

/** A part of the disk. Bytes. */
export type Storage = {
	readonly start: number;
	readonly end: number;
	readonly clusterSize: number;
	/** What each state added, by GUID. */
	readonly images: ReadonlyMap<string, Image>;
};

export type Image = { readonly file: string /** Raw; else expandable. */; readonly plain: boolean };

/** Whether these are the first bytes of a description file. */
export const isDescriptor = (head: Uint8Array): boolean => {
	const text = new TextDecoder().decode(head).trimStart();
	return /^<(\?xml|!--|Parallels_disk_image)/.test(text) && text.includes(`<${ROOT}`);
};

/** @throws CorruptError, UnsupportedError, also for an encrypted disk. */
export const readDescriptor = async (source: Source, signal?: AbortSignal): Promise<Descriptor> => {
	const path = source.name;
	if (source.size > MAX_BYTES) throw new UnsupportedError(`it is a description of ${source.size} bytes, over ${MAX_BYTES}`, { path });
	const root = parseXml(await source.read(0, source.size, signal), path);
	if (root.name !== ROOT) throw new CorruptError(`it is not about a disk: its root element is ${root.name}`, { path });
	const version = root.attributes.get('Version');
	if (version !== '1.0') throw new UnsupportedError(`version ${version} of a disk descriptor: vconv knows 1.0`, { path, field: 'Version' });

	const parameters = child(root, 'Disk_Parameters');
	refuseSpecial(parameters, path);
	const size = sectors(parameters, 'Disk_size', path);
	const storages = children(child(root, 'StorageData'), 'Storage').map((storage) => readStorage(storage, path));
	let end = 0;
	for (const storage of storages) {
		if (storage.start !== end || storage.end < end)
			throw new CorruptError(`a part of the disk starts at ${hex(storage.start)}, not at ${hex(end)}`, { path, field: 'Start' });
		end = storage.end;
	}
	if (end !== size)
		throw new CorruptError(`the parts of the disk end at ${hex(end)}, and the disk at ${hex(size)}`, { path, field: 'Disk_size' });

	const snapshots = child(root, 'Snapshots');
	const shots = new Map<string, string | undefined>();
	for (const shot of children(snapshots, 'Shot')) {
		const parent = guid(shot, 'ParentGUID', path);
		shots.set(guid(shot, 'GUID', path), parent === NIL ? undefined : parent);
	}
	const top = child(snapshots, 'TopGUID') ? guid(snapshots, 'TopGUID', path) : TOP;
	if (!shots.has(top)) throw new CorruptError(`it has no snapshot ${top}, which would be the present state`, { path, field: 'TopGUID' });
	return { size, storages, shots, top };
};

/** The states from `top` down to the root. @throws CorruptError where they do not end, UnsupportedError for too many. */
export const lineage = ({ shots }: Descriptor, top: string, path: string, limits?: Limits): string[] => {
	const line: string[] = [];
	for (let at: string | undefined = top; at !== undefined; at = shots.get(at)) {
		if (!shots.has(at)) throw new CorruptError(`a snapshot has the parent ${at}, which is not there`, { path, field: 'ParentGUID' });
		if (line.includes(at)) throw new CorruptError(`the snapshots come back to ${at}`, { path, field: 'ParentGUID' });
		line.push(at);
		refuseOver('chain-depth', line.length, path, limits);
	}
	return line;
};

const refuseSpecial = (parameters: XmlElement | undefined, path: string): void => {
	const value = (name: string) => child(parameters, name)?.text.trim() ?? '';
	const refuse = (field: string, what: string, hint?: string): never => {
		throw new UnsupportedError(what, { path, field, hint });
	};
	if (!['', '512'].includes(value('LogicSectorSize'))) {
		refuse('LogicSectorSize', `its sectors have ${value('LogicSectorSize')} bytes, and vconv reads Parallels disks with 512`);
	}
	if (!['', '0'].includes(value('Padding'))) refuse('Padding', 'its images are padded, in a way that is not published');
	const encryption = child(parameters, 'Encryption');
	const engine = child(encryption, 'Engine')?.text.trim() ?? '';
	if (engine !== '' && engine !== NIL)
		refuse('Encryption', 'it is encrypted, which vconv does not read', 'removing the encryption in Parallels Desktop');
};

const readStorage = (storage: XmlElement, path: string): Storage => {
	const images = new Map<string, Image>();
	for (const image of children(storage, 'Image')) {
		const type = needed(image, 'Type', path);
		if (type !== 'Compressed' && type !== 'Plain') throw new UnsupportedError(`there is no image type ${type}`, { path, field: 'Type' });
		images.set(guid(image, 'GUID', path), { file: needed(image, 'File', path), plain: type === 'Plain' });
	}
	return {
		start: sectors(storage, 'Start', path),
		end: sectors(storage, 'End', path),
		clusterSize: sectors(storage, 'Blocksize', path),
		images,
	};
};

/** A number of sectors, in bytes. */
const sectors = (element: XmlElement | undefined, name: string, path: string): number => {
	const text = needed(element, name, path);
	const bytes = Number(text) * SECTOR;
	if (!/^\d+$/.test(text) || bytes > LARGEST_DISK) {
		throw new CorruptError(`${name} is '${text.slice(0, 40)}', not a number of sectors up to 64 TiB`, { path, field: name });
	}
	return bytes;
};

const guid = (element: XmlElement | undefined, name: string, path: string): string => {
	const text = needed(element, name, path).toLowerCase();
	if (!/^\{[0-9a-f-]{36}\}$/.test(text))
		throw new CorruptError(`${name} is '${text.slice(0, 40)}', not a GUID in braces`, { path, field: name });
	return text;
};

const needed = (element: XmlElement | undefined, name: string, path: string): string => {
	const text = child(element, name)?.text.trim();
	if (text) return text;
	throw new CorruptError(`${element?.name ?? 'the description'} has no ${name}`, { path, field: name });
};
