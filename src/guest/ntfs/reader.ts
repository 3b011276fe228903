import { CorruptError, UnsupportedError, VconvError } from '../../errors.ts';
import type { BlockDevice } from '../device.ts';
import type { DirectoryEntry, FileNode, FileSystem } from '../filesystem.ts';
import { byteReader } from '../reader.ts';
import { attributeNamed } from './attributes.ts';
import { openDirectory } from './directory.ts';
import { readGeometry } from './geometry.ts';
import { ATTRIBUTE, RECORD, VOLUME_FLAG, volumeInformation } from './layout.ts';
import { type FileRecord, openMft } from './mft.ts';
import { decodeReparse, type Reparse } from './reparse.ts';
import { hibernated, logClosed } from './state.ts';
import { readValue, valueSize } from './value.ts';

/** Free clusters are counted where their bitmap has no more than so many bytes: that of 128 GiB in clusters of 4 KiB does. */
const LARGEST_BITMAP = 4 << 20;

/** A reparse point has 16 KiB at the most. */
const LARGEST_REPARSE = 16 << 10;

type NtfsNode = FileNode & { readonly record: FileRecord; readonly reparse: Reparse | undefined };

/** @throws CorruptError if it is no NTFS volume or its first files cannot be read. */
export const openNtfs = async (device: BlockDevice): Promise<FileSystem<NtfsNode>> => {
	const path = device.name;
	const geometry = await readGeometry(device);
	const mft = await openMft(device, geometry);

	const wholeValue = async (record: FileRecord, type: number, limit: number): Promise<Uint8Array | undefined> => {
		const attribute = attributeNamed(record.attributes, type, path);
		if (!attribute) return undefined;
		const size = valueSize(attribute);
		if (size > limit) throw new UnsupportedError(`an attribute of ${size} bytes, over ${limit}`, { path });
		return readValue(device, geometry, attribute, 0, size);
	};

	const nodeOf = async (number: number): Promise<NtfsNode> => {
		const record = await mft.file(number);
		const point = await wholeValue(record, ATTRIBUTE.reparsePoint, LARGEST_REPARSE);
		const reparse = point && decodeReparse(point, path);
		const data = attributeNamed(record.attributes, ATTRIBUTE.data, path);
		const kind = reparse?.kind === 'link' ? 'symlink' : record.directory ? 'directory' : 'file';
		const unreadable = reparse?.kind === 'other' ? reparse.what : undefined;
		return { id: number, kind, size: kind === 'file' && data ? valueSize(data) : 0, unreadable, record, reparse };
	};

	const find = async (directory: NtfsNode, name: string): Promise<DirectoryEntry | undefined> => {
		const index = await openDirectory(device, geometry, directory.record);
		if (isAscii(name)) return index.find(name);
		const folded = name.toLowerCase();
		return (await index.list()).find((entry) => entry.name.toLowerCase() === folded);
	};

	/** What there is of the start of a file. */
	const peek =
		(node: NtfsNode) =>
		async (offset: number, length: number): Promise<Uint8Array> => {
			const data = attributeNamed(node.record.attributes, ATTRIBUTE.data, path);
			if (!data || offset >= node.size) return new Uint8Array();
			return readValue(device, geometry, data, offset, Math.min(length, node.size - offset));
		};

	const root = await nodeOf(RECORD.root);
	const volume = await mft.file(RECORD.volume);
	const name = await wholeValue(volume, ATTRIBUTE.volumeName, 512);
	const label = name && byteReader(name, { path }).utf16(0, name.length);
	const information = await wholeValue(volume, ATTRIBUTE.volumeInformation, 4096);
	const { flags } = volumeInformation.decode(information ?? new Uint8Array(), { path, offset: 0 });

	const isHibernated = async (): Promise<boolean> => {
		const entry = await find(root, 'hiberfil.sys');
		return entry !== undefined && hibernated(peek(await nodeOf(entry.id)));
	};
	const free = async (): Promise<number | undefined> => {
		if (geometry.clusters / 8 > LARGEST_BITMAP) return undefined;
		const bitmap = await wholeValue(await mft.file(RECORD.bitmap), ATTRIBUTE.data, LARGEST_BITMAP + 8);
		return bitmap && zeroBits(bitmap, geometry.clusters) * geometry.clusterSize;
	};
	const hibernation = await known(isHibernated);
	const state = [
		...(flags & VOLUME_FLAG.dirty ? ['dirty'] : []),
		...(flags & VOLUME_FLAG.chkdsk ? ['chkdsk-underway'] : []),
		...((await known(async () => logClosed(peek(await nodeOf(RECORD.log))))) === true ? [] : ['log-not-closed']),
		...(hibernation === true ? ['hibernated'] : hibernation === undefined ? ['hibernation-unknown'] : []),
		...(geometry.size > device.size ? ['larger-than-device'] : []),
	];

	return {
		type: 'ntfs',
		label: label === '' ? undefined : label,
		uuid: geometry.uuid,
		size: geometry.size,
		blockSize: geometry.clusterSize,
		free: await known(free),
		clean: state.length === 0,
		state,
		caseInsensitive: true,
		root: async () => root,
		list: async (directory) => (await openDirectory(device, geometry, directory.record)).list(),
		find,
		node: (entry) => nodeOf(entry.id),
		async read(file, offset, length) {
			if (file.unreadable !== undefined) throw new UnsupportedError(`the file is ${file.unreadable}`, { path });
			const data = attributeNamed(file.record.attributes, ATTRIBUTE.data, path);
			if (!data) throw new CorruptError(`record ${file.id} of the MFT has no data`, { path });
			return readValue(device, geometry, data, offset, length);
		},
		async readlink(link) {
			if (link.reparse?.kind !== 'link') throw new CorruptError(`record ${link.id} of the MFT is no link`, { path });
			return link.reparse.target;
		},
	};
};

/** Undefined where it cannot be known: damage to one of the volume's own files leaves the others readable. */
const known = async <Result>(read: () => Promise<Result>): Promise<Result | undefined> => {
	try {
		return await read();
	} catch (error) {
		if (error instanceof VconvError) return undefined;
		throw error;
	}
};

const isAscii = (name: string): boolean => /^[\x20-\x7e]*$/.test(name);

/** How many of the first `count` bits are not set. */
const zeroBits = (bytes: Uint8Array, count: number): number => {
	let zeros = 0;
	for (let at = 0; at < Math.min(bytes.length, count >> 3); at++) zeros += ZERO_BITS[bytes[at] ?? 0] ?? 0;
	for (let bit = count & ~7; bit < count; bit++) if (((bytes[bit >> 3] ?? 0xff) & (1 << (bit & 7))) === 0) zeros++;
	return zeros;
};

const ZERO_BITS = Array.from({ length: 256 }, (_, byte) => 8 - byte.toString(2).replaceAll('0', '').length);
