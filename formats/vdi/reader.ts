import { isPowerOfTwo, isZero } from '../../src/bytes/align.ts';
import { guidText } from '../../src/bytes/guid.ts';
import { hex, humanSize } from '../../src/bytes/size.ts';
import type { Disk } from '../../src/core/disk.ts';
import type { OpenContext } from '../../src/core/format.ts';
import { LARGEST_DISK } from '../../src/core/limits.ts';
import type { Source } from '../../src/core/source.ts';
import { type BlockRun, blockExtents, TABLE_PIECE } from '../../src/disk/blocks.ts';
import { joined } from '../../src/disk/clip.ts';
import { storedExtents } from '../../src/disk/stored.ts';
import { CorruptError, UnsupportedError } from '../../src/errors.ts';
import { cached } from '../../src/io/cached.ts';
import { ENTRY, HEADER_SIZE, type Header, header, IMAGE_TYPE, SIGNATURE, VERSION, ZERO_EXPAND } from './layout.ts';

/**
 * The header, with every field checked against the others and against the file's size.
 * @throws CorruptError, UnsupportedError.
 */
export const readHeader = async (source: Source, signal?: AbortSignal): Promise<Header> => {
	const h = header.decode(await source.read(0, header.size, signal), { path: source.name, offset: 0 });
	const at = (field: keyof Header) => ({ path: source.name, offset: header.offsets[field], field });
	const corrupt = (field: keyof Header, why: string) => new CorruptError(why, at(field));
	const unsupported = (field: keyof Header, why: string, hint?: string) => new UnsupportedError(why, { ...at(field), hint });

	if (h.signature !== SIGNATURE) throw corrupt('signature', `a VDI has the signature ${hex(SIGNATURE)}, not ${hex(h.signature)}`);
	if (h.version !== VERSION) {
		throw unsupported(
			'version',
			`VDI version ${h.version >>> 16}.${h.version & 0xffff}: vconv knows 1.1`,
			'a copy made by VirtualBox 2 or later',
		);
	}
	if (h.headerSize < HEADER_SIZE)
		throw corrupt('headerSize', `the header says it has ${h.headerSize} bytes, and ${HEADER_SIZE} are needed`);
	if (h.imageType === IMAGE_TYPE.undo) throw unsupported('imageType', 'it is an undo image, which no VirtualBox since 2005 has made');
	if (h.imageType < IMAGE_TYPE.dynamic || h.imageType > IMAGE_TYPE.differencing)
		throw corrupt('imageType', `there is no image type ${h.imageType}`);
	if ((h.flags & ~ZERO_EXPAND) !== 0) throw unsupported('flags', `the flags ${hex(h.flags)} are not known to vconv`);
	if (h.sectorSize !== 512 && h.sectorSize !== 0) throw unsupported('sectorSize', `its sectors have ${h.sectorSize} bytes, not 512`);

	if (!isPowerOfTwo(h.blockSize) || h.blockSize < 512)
		throw corrupt('blockSize', `a block of ${h.blockSize} bytes is no power of two from 512 on`);
	if (h.blockExtra > h.blockSize) throw corrupt('blockExtra', `${h.blockExtra} extra bytes before each block are more than the block`);
	if (h.diskSize > LARGEST_DISK)
		throw unsupported('diskSize', `its virtual size of ${humanSize(h.diskSize)} is over ${humanSize(LARGEST_DISK)}`);
	if (h.diskSize > h.blocks * h.blockSize) {
		throw corrupt('blocks', `${h.blocks} blocks of ${humanSize(h.blockSize)} cannot hold a disk of ${h.diskSize} bytes`);
	}
	if (h.blocksOffset < header.offsets.headerSize + h.headerSize)
		throw corrupt('blocksOffset', `the block map starts at ${hex(h.blocksOffset)}, inside the header`);
	const mapEnd = h.blocksOffset + h.blocks * 4;
	if (mapEnd > source.size)
		throw corrupt('blocks', `the block map of ${h.blocks} entries ends at ${hex(mapEnd)}, past the end of the file`);
	if (h.dataOffset < mapEnd) throw corrupt('dataOffset', `the first block starts at ${hex(h.dataOffset)}, inside the block map`);

	const linked = !isZero(h.uuidLink);
	if (linked !== (h.imageType === IMAGE_TYPE.differencing)) {
		throw corrupt(
			'uuidLink',
			linked ? 'it names a parent, and is of a type that has none' : 'it is a differencing image that names no parent',
		);
	}
	return h;
};

/** @throws CorruptError where a block behind the disk's end is allocated: then the size is what is wrong, for nothing makes a VDI smaller. */
const refuseHidden = async (source: Source, h: Header, signal?: AbortSignal): Promise<void> => {
	for (let first = Math.ceil(h.diskSize / h.blockSize); first < h.blocks; first += TABLE_PIECE / 4) {
		const count = Math.min(h.blocks - first, TABLE_PIECE / 4);
		const bytes = await source.read(h.blocksOffset + first * 4, count * 4, signal);
		const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
		for (let i = 0; i < count; i++) {
			if (view.getUint32(i * 4, true) >= ENTRY.zero) continue;
			const field = 'diskSize';
			const why = `block ${first + i} is allocated, and is behind the end of a disk of ${h.diskSize} bytes`;
			throw new CorruptError(why, { path: source.name, offset: header.offsets[field], field });
		}
	}
};

/** What identifies an image to its child: whose it is, and which state of it. Both of VirtualBox's UUIDs, for both must match. */
const imageId = (create: Uint8Array, modify: Uint8Array): string => `${guidText(create)}/${guidText(modify)}`;

/** Host offset of the guest's bytes of a block, by its entry in the block map. */
export const blockAt = (h: Header, entry: number): number => h.dataOffset + entry * (h.blockExtra + h.blockSize) + h.blockExtra;

export const openVdi = async (source: Source, context: OpenContext): Promise<Disk> => {
	const h = await readHeader(source, context.signal);
	await refuseHidden(source, h, context.signal);
	const map = cached(source);
	const isDelta = h.imageType === IMAGE_TYPE.differencing;

	/** The runs of one piece of the block map. */
	const look = async (first: number, count: number, signal?: AbortSignal): Promise<readonly BlockRun[]> => {
		const entries = Math.min(count, TABLE_PIECE / 4);
		const bytes = await map.read(h.blocksOffset + first * 4, entries * 4, signal);
		const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
		const runs: BlockRun[] = [];
		for (let i = 0; i < entries; ) {
			const entry = view.getUint32(i * 4, true);
			let blocks = 1;
			if (entry >= ENTRY.zero) {
				while (i + blocks < entries && view.getUint32((i + blocks) * 4, true) === entry) blocks++;
				runs.push({ blocks, status: { kind: entry === ENTRY.zero || !isDelta ? 'zero' : 'absent' } });
			} else {
				const at = blockAt(h, entry);
				const needed = Math.min(h.blockSize, h.diskSize - (first + i) * h.blockSize);
				if (at + needed > source.size) throw pastEndOfFile(source, h, first + i, entry);
				runs.push({ blocks, status: { kind: 'data', source, at } });
			}
			i += blocks;
		}
		return runs;
	};

	return {
		size: h.diskSize,
		sectorSize: 512,
		id: imageId(h.uuidCreate, h.uuidModify),
		parent: isDelta ? { names: [], format: 'vdi', ids: [imageId(h.uuidLink, h.uuidParentModify)] } : undefined,
		info: {
			format: 'vdi',
			clusterSize: h.blockSize,
			specific: {
				type: 'vdi',
				data: {
					'image-type': Object.entries(IMAGE_TYPE).find(([, value]) => value === h.imageType)?.[0],
					'uuid-create': guidText(h.uuidCreate),
					'uuid-modify': guidText(h.uuidModify),
					'uuid-link': guidText(h.uuidLink),
					'uuid-parent-modify': guidText(h.uuidParentModify),
				},
			},
		},
		async *extents(guestOffset, length, signal) {
			const extents = blockExtents(h.blockSize, guestOffset, length, (first, count) => look(first, count, signal));
			for await (const extent of joined(extents)) {
				if (extent.kind === 'data') yield* storedExtents(source, extent.offset, extent.length, extent.at);
				else yield extent;
			}
		},
		close: () => source.close(),
	};
};

const pastEndOfFile = (source: Source, h: Header, block: number, entry: number): CorruptError =>
	new CorruptError(`block ${block} is at ${hex(blockAt(h, entry))} by the block map, past the end of the file`, {
		path: source.name,
		offset: h.blocksOffset + block * 4,
		field: 'block map entry',
		hint: 'a fresh copy: this one is truncated or damaged',
	});
