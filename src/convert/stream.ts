import type { Codec } from '../core/codec.ts';
import type { Layout } from '../core/format.ts';
import type { Moved } from '../core/mover.ts';
import type { Sink } from '../core/sink.ts';
import { readDisk } from '../disk/read.ts';
import { CHUNK } from '../engine/chunks.ts';
import { portableMover } from '../engine/portable.ts';
import { UnsupportedError } from '../errors.ts';
import { type ConvertRequest, planImage, type Written } from './convert.ts';
import { type Pieces, pieces } from './pieces.ts';
import { type Placed, placeAll } from './place.ts';

export type StreamRequest = Omit<ConvertRequest, 'target' | 'mover' | 'onPlan'> & {
	/** What the image calls itself, where its format wants a name. */
	readonly name: string;
	readonly codec: Codec;
	/** Takes the next bytes of the image; resolves when it can take more. It may keep them, and must not change them. */
	append(bytes: Uint8Array): Promise<void>;
};

/** What else there is for an image that cannot be written front to back. */
const SPOOL = '--spool DIR, which writes it to a temporary file there first';

/**
 * Write an image of the disk front to back, as for a pipe. The layout is asked first, for every block that the map calls data: so
 * tables are known before the first byte, and blocks of zeros that only reading would show are stored.
 * @throws UnsupportedError for an image of several files, for one whose tables come before data of unknown length, and for one whose
 * tables do not fit in memory.
 */
export const streamDisk = async (request: StreamRequest): Promise<Written> => {
	const layout = planImage(request);
	refuseFiles(layout);
	const moved = await (layout.packing ? streamPacked(request, layout) : streamPlaced(request, layout));
	return { ...moved, size: layout.size };
};

/** @throws UnsupportedError for an image of several files. */
export const refuseFiles = ({ files = [] }: Layout): void => {
	if (files.length === 0) return;
	throw new UnsupportedError(`such an image is ${files.length + 1} files, and a pipe takes one`, {
		hint: 'the name of a file, or another -o subformat',
	});
};

/** Blocks are packed, placed and written one after the other, between a front that is known and tables behind. */
const streamPacked = async (request: StreamRequest, layout: Layout): Promise<Moved> => {
	const { disk, codec, signal, format } = request;
	if (!layout.preface) {
		throw new UnsupportedError(`a compressed ${format.name} cannot be written front to back`, { hint: `the same without -c, or ${SPOOL}` });
	}
	const out = forward(request);
	await out.write(0, layout.preface());
	const moved = await portableMover(codec).move({
		disk,
		layout,
		sinks: [out],
		signal,
		...(request.onProgress && { onProgress: request.onProgress.bind(request) }),
	});
	const behind = out.position();
	const tables = pieces(request.name, SPOOL);
	await layout.finish([tables.sink]);
	for (const { at, bytes } of tables.ascending()) if (bytes && at >= behind) await out.write(at, bytes);
	await out.resize(tables.size());
	return moved;
};

const streamPlaced = async (request: StreamRequest, layout: Layout): Promise<Moved> => {
	const { disk, codec, signal, format } = request;
	if (disk.once && layout.fixedAt === undefined) {
		throw new UnsupportedError(`the tables of such a ${format.name} come first, and a pipe that is read tells them last`, {
			hint: `a subformat in which every block has its place, or ${SPOOL}`,
		});
	}
	const image = pieces(request.name, SPOOL);
	const data = await place(request, layout, image);
	await layout.finish([image.sink]);

	const out = forward(request);
	let read = 0;
	for (const { at, bytes, length, guestOffset } of image.ascending()) {
		if (bytes) await out.write(at, bytes);
		for (let done = 0; !bytes && done < length; ) {
			// Reads end on whole chunks of the guest's disk, so that a packed unit of the source is unpacked once.
			const from = guestOffset + done;
			const count = Math.min(length - done, CHUNK - (from % CHUNK));
			await out.write(at + done, await readDisk(disk, codec, from, count, signal));
			done += count;
			read += count;
			request.onProgress?.({ stage: 'copy', done: from + count, total: disk.size, data: read });
		}
	}
	await out.resize(image.size());
	return { data, stored: data };
};

/** Give every block of data its place. Gives how many bytes that is. */
const place = async ({ disk, signal }: StreamRequest, layout: Layout, image: Pieces): Promise<number> => {
	if (layout.fixedAt !== undefined) {
		image.guest(layout.fixedAt, 0, disk.size);
		return disk.size;
	}
	let data = 0;
	const take = ({ hostOffset, guestOffset, length }: Placed): void => {
		image.guest(hostOffset, guestOffset, length);
		data += length;
	};
	await placeAll(disk, layout, take, signal);
	return data;
};

const ZEROS = new Uint8Array(CHUNK);

/** A sink that only goes on: what lies between two writes is zeros. */
export const forward = ({ name, append, signal }: Pick<StreamRequest, 'name' | 'append' | 'signal'>): Sink & { position(): number } => {
	let position = 0;
	const put = async (bytes: Uint8Array): Promise<void> => {
		signal?.throwIfAborted();
		await append(bytes);
		position += bytes.length;
	};
	const fill = async (until: number): Promise<void> => {
		if (until < position) throw new Error(`host offset ${until} was asked for after ${position} bytes of a pipe`);
		while (position < until) await put(ZEROS.subarray(0, until - position));
	};
	return {
		name,
		position: () => position,
		async write(hostOffset, bytes) {
			await fill(hostOffset);
			await put(bytes);
		},
		resize: (size) => fill(Math.max(position, size)),
	};
};
