import { isZero } from '../bytes/align.ts';
import type { Sink } from '../core/sink.ts';
import type { Stream } from '../core/source.ts';
import { emptyDisk } from '../disk/empty.ts';
import { UnrecognizedError } from '../errors.ts';
import { type ConvertRequest, planImage, type Written } from './convert.ts';

export type ReceiveRequest = Omit<ConvertRequest, 'disk' | 'target' | 'mover' | 'onPlan' | 'backing'> & {
	/** The guest's bytes, as many as they are. */
	readonly stream: Stream;
	/** Where the image goes: the caller's to commit. */
	readonly sink: Sink;
};

/** Bytes that are looked at together: of zeros they become a hole. */
const PIECE = 1 << 16;

/**
 * Copy a raw disk whose size shows itself only at its end. `format` has guest bytes where the guest sees them, and nothing else: raw.
 * @throws UnrecognizedError for a stream of nothing, which is what a failed command leaves; otherwise as `planImage`.
 */
export const receiveRaw = async ({ stream, sink, signal, ...request }: ReceiveRequest): Promise<Written> => {
	// What cannot be whatever the size is refused before anything is read.
	const { dense } = planImage({ ...request, profile: undefined, disk: emptyDisk(PIECE), name: sink.name, note() {} });
	let data = 0;
	for (;;) {
		signal?.throwIfAborted();
		const { length } = await stream.peek(PIECE);
		if (length === 0) break;
		const at = stream.position;
		const bytes = await stream.read(length, signal);
		if (!dense && isZero(bytes)) continue;
		await sink.write(at, bytes);
		data += length;
	}
	if (stream.position === 0) throw new UnrecognizedError('it is empty', { path: stream.name });
	const { size } = planImage({ ...request, disk: emptyDisk(stream.position), name: sink.name });
	await sink.resize(size);
	return { size, data, stored: data };
};
