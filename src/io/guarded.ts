import type { Source, Stream } from '../core/source.ts';
import { AccessError } from '../errors.ts';

/** Sources that are as `Source` says, and stay the objects that they are. */
const exact = new WeakSet<Source>();

/** Have `guarded` give this source back as it is: it reads exactly what is asked for, and may be closed twice. */
export const trusted = (source: Source): Source => {
	exact.add(source);
	return source;
};

/**
 * A source from outside of vconv, with each answer measured: bytes that are missing would be zeros to the guest. It is closed once, however often that is
 * asked for, and a failure to close is no failure of what was read. When the signal is
 * aborted, whoever waits for an answer is let go, whether one ever comes or not.
 * @param until for whoever asks without a signal.
 */
export const guarded = (source: Source, until?: AbortSignal): Source => {
	if (exact.has(source)) return source;
	const { name, size, identity, readInto, allocated } = source;
	let left = false;
	const orAborted = async <Answer>(answer: Promise<Answer>, signal = until): Promise<Answer> => {
		try {
			return await unlessAborted(answer, signal);
		} catch (error) {
			left ||= signal?.aborted ?? false;
			throw error;
		}
	};
	return trusted({
		name,
		size,
		identity,
		async read(offset, length, signal) {
			const bytes = await orAborted(source.read(offset, length, signal ?? until), signal);
			refuseOther(bytes, length, name, offset);
			return bytes;
		},
		...(readInto && {
			readInto: (offset, bytes, signal) => orAborted(readInto.call(source, offset, bytes, signal ?? until), signal),
		}),
		...(allocated && { allocated: allocated.bind(source) }),
		// A source that owes an answer may wait for it before it closes.
		close: once({ close: async () => void (left ? source.close().catch(() => {}) : await source.close()) }),
	});
};

/** The answer, or the reason of the signal if that is aborted before. */
const unlessAborted = async <Answer>(answer: Promise<Answer>, signal: AbortSignal | undefined): Promise<Answer> => {
	if (!signal) return answer;
	let stop = (): void => {};
	const aborted = new Promise<never>((_, reject) => {
		stop = () => reject(signal.reason);
		if (signal.aborted) stop();
		else signal.addEventListener('abort', stop, { once: true });
	});
	try {
		return await Promise.race([answer, aborted]);
	} finally {
		signal.removeEventListener('abort', stop);
	}
};

/** The same for a stream. */
export const guardedStream = (stream: Stream): Stream => ({
	name: stream.name,
	get position() {
		return stream.position;
	},
	peek: (length) => stream.peek(length),
	async read(length, signal) {
		const at = stream.position;
		const bytes = await stream.read(length, signal);
		refuseOther(bytes, length, stream.name, at);
		return bytes;
	},
	close: once(stream),
});

const refuseOther = (bytes: Uint8Array, length: number, path: string, offset: number): void => {
	if (bytes.length === length) return;
	throw new AccessError(`${length} bytes were asked for, and its \`read\` gave ${bytes.length}`, {
		path,
		offset,
		hint: 'a `read` that goes on until it has all, or throws',
	});
};

const once = (owner: Pick<Source, 'close'>): (() => Promise<void>) => {
	let closed = false;
	return async () => {
		if (closed) return;
		closed = true;
		try {
			await owner.close();
		} catch {
			// All is read by now, and the target may have its name; or the error that ended it is the one to hear of.
		}
	};
};
