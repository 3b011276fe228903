import type { Disk, Extent } from '../../src/core/disk.ts';
import type { OpenContext } from '../../src/core/format.ts';
import type { Source, Stream } from '../../src/core/source.ts';
import { clip } from '../../src/disk/clip.ts';
import { CorruptError, UnsupportedError } from '../../src/errors.ts';
import { memorySource } from '../../src/io/memory.ts';
import { type Descriptor, MAX_DESCRIPTOR } from './descriptor.ts';
import { sparseMap } from './directory.ts';
import { checkSize } from './extent.ts';
import { foretoldGrains } from './foretold-grains.ts';
import { describeDisk } from './info.ts';
import { COMPRESSION, GD_AT_END, SECTOR, type SparseHeader, sparseHeader } from './layout.ts';
import type { GrainMap } from './map.ts';
import { assumedDescriptor, parseEmbedded, refuseUnreadable } from './open.ts';
import { parentOf } from './parent.ts';
import { type PipedGrain, pipedGrains } from './piped-grains.ts';
import { refuseSnapshot } from './reader.ts';
import { checkHeader, checkTables, readSparse } from './sparse.ts';
import { lastGrain } from './stream.ts';

/**
 * Of what stands before the grains, in sectors. VMware has 64 KiB; QEMU has all tables there and their copies, which are 128 MiB of a
 * disk of 1 TiB.
 */
const MOST_OVERHEAD = 2 ** 18 + 2 ** 12;

/** What else there is for an image that does not come in order. */
const SPOOL = '--spool DIR, which copies it to a temporary file there first';

/**
 * A stream-optimized VMDK as it comes. Its grains say themselves where they belong, and they come in guest order; the tables behind
 * them are not needed to read it, and must tell the same when they come. Tables before them, as QEMU has them, are kept.
 * @throws CorruptError, UnsupportedError; so do the disk's extents.
 */
export const openPiped = async (stream: Stream, context: OpenContext): Promise<Disk> => {
	refuseSnapshot(stream, context);
	const header = await readHeader(stream);
	const front = await stream.read(header.overHead * SECTOR, context.signal);
	const descriptor = readDescriptor(stream, header, front, context);
	const line = descriptor.extents[0] as Descriptor['extents'][number];
	const file = { capacity: header.capacity * SECTOR, grainSize: header.grainSize * SECTOR, compressed: true };
	checkSize(line, file, stream);
	const size = line.size;
	const grains =
		header.gdOffset === GD_AT_END
			? pipedGrains(stream, header, context.signal)
			: foretoldGrains(stream, await readTables(stream, front, context), context.signal);
	const extents = grainExtents(grains, stream, { ...file, size }, context);
	return {
		size,
		sectorSize: 512,
		id: descriptor.cid,
		info: describeDisk(stream, descriptor, [{ ...file, line, extents }]),
		once: true,
		extents,
		close: () => stream.close(),
	};
};

const readHeader = async (stream: Stream): Promise<SparseHeader> => {
	const header = sparseHeader.decode(await stream.peek(SECTOR), { path: stream.name, offset: 0 });
	const unsupported = (why: string, field: keyof SparseHeader) =>
		new UnsupportedError(why, { path: stream.name, offset: sparseHeader.offsets[field], field, hint: SPOOL });
	checkHeader(header, stream, 0);
	checkTables(header, stream, 0);
	if (header.compressAlgorithm === COMPRESSION.none) {
		throw unsupported('such a VMDK is read here and there, and a pipe comes only once', 'compressAlgorithm');
	}
	if (header.overHead < 1 || header.overHead > MOST_OVERHEAD) {
		throw unsupported(`${header.overHead} sectors before the first grain are not within 1 … ${MOST_OVERHEAD}`, 'overHead');
	}
	return header;
};

/** @param front all that is before the grains. */
const readDescriptor = (stream: Stream, header: SparseHeader, front: Uint8Array, context: OpenContext): Descriptor => {
	const { descriptorOffset, descriptorSize } = header;
	if (descriptorOffset === 0 || descriptorSize === 0) {
		context.note({ kind: 'assumed', what: 'it is a disk of its own', why: 'it has no descriptor' });
		return assumedDescriptor(header.capacity * SECTOR);
	}
	const offset = descriptorOffset * SECTOR;
	if (descriptorOffset + descriptorSize > header.overHead) {
		throw new CorruptError('the descriptor is not before the first grain', {
			path: stream.name,
			offset: sparseHeader.offsets.descriptorOffset,
			field: 'descriptorOffset',
		});
	}
	const room = front.subarray(offset, offset + Math.min(descriptorSize * SECTOR, MAX_DESCRIPTOR));
	const descriptor = parseEmbedded(room, stream, offset);
	refuseUnreadable(descriptor, stream);
	if (descriptor.extents[0]?.access === 'NOACCESS') {
		throw new UnsupportedError('its extent is marked NOACCESS', { path: stream.name, field: 'extent' });
	}
	if (parentOf(descriptor)) {
		throw new UnsupportedError('it is a delta, and its parent cannot be found from a pipe', {
			path: stream.name,
			field: 'parentCID',
			hint: 'the name of a file',
		});
	}
	return descriptor;
};

/** The tables of a stream that has them before its grains. */
const readTables = async ({ name }: Stream, front: Uint8Array, context: OpenContext): Promise<GrainMap> => {
	const source: Source = {
		...memorySource(front, name),
		// Where the stream ends is not known; what is named behind its end is found missing there.
		size: Number.MAX_SAFE_INTEGER,
		async read(offset, length) {
			if (offset + length <= front.length) return front.slice(offset, offset + length);
			throw new UnsupportedError('some of its tables are behind grains, and a pipe comes only once', { path: name, offset, hint: SPOOL });
		},
	};
	return sparseMap(source, await readSparse(source), context);
};

type Shape = { readonly size: number; readonly capacity: number; readonly grainSize: number };

/** The map, which goes on as the stream does. With the end of the disk comes the rest of the stream. */
const grainExtents = (grains: AsyncGenerator<PipedGrain>, stream: Stream, shape: Shape, context: OpenContext): Disk['extents'] => {
	/** The grain that was read last; what is asked for may end within it. */
	let current: Extent | undefined;
	let passed = 0;

	const next = async (): Promise<Extent | undefined> => {
		if (current) passed = current.offset + current.length;
		const { value: grain, done } = await grains.next();
		return done ? undefined : packedGrain(grain, stream, shape, context);
	};

	return async function* (guestOffset, length) {
		if (guestOffset < passed) throw new Error(`guest offset ${guestOffset} was asked for, and the stream has passed ${passed}`);
		const end = guestOffset + length;
		let at = guestOffset;
		while (at < end) {
			while (!current || current.offset + current.length <= at) {
				current = await next();
				if (!current) break;
			}
			const start = Math.min(end, current?.offset ?? end);
			if (at < start) {
				yield { kind: 'zero', offset: at, length: start - at };
				at = start;
			} else if (current) {
				const part = clip(current, at, end);
				yield part;
				at += part.length;
			}
		}
		if (end === shape.size) while (current) current = await next();
	};
};

/** A grain whose packed bytes are held, and not in any file. */
const packedGrain = async (
	{ guestOffset, at, bytes }: PipedGrain,
	{ name }: Stream,
	{ capacity, grainSize }: Shape,
	context: OpenContext,
): Promise<Extent> => {
	const source = {
		name,
		size: at + bytes.length,
		identity: `stream:${name}`,
		read: async (offset: number, length: number) => bytes.slice(offset - at, offset - at + length),
		async close() {},
	};
	const packed = { source, at, stored: bytes.length, method: 'zlib' } as const;
	const whole = guestOffset + grainSize <= capacity;
	const unpacked = whole ? grainSize : await lastGrain(packed, [grainSize, capacity - guestOffset], context, context.signal);
	return { kind: 'packed', offset: guestOffset, length: unpacked, ...packed, unpacked, skip: 0 };
};
