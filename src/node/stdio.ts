import path from 'node:path';
import { diskFormats } from '../../formats/index.ts';
import { type Conversion, freshStamp } from '../api.ts';
import { isZero } from '../bytes/align.ts';
import { formatNamed } from '../convert/detect.ts';
import { profileNamed } from '../convert/profiles.ts';
import { receiveRaw } from '../convert/receive.ts';
import { asReference } from '../convert/reference.ts';
import { forward, refuseFiles } from '../convert/stream.ts';
import type { Note } from '../core/note.ts';
import type { Source, Stream } from '../core/source.ts';
import { UnrecognizedError, UsageError } from '../errors.ts';
import { forwardSource, forwardStream } from '../io/forward.ts';
import { convertFile, refuseOutput, streamFile } from './convert.ts';
import type { ConvertFileOptions } from './convert-options.ts';
import { openFile } from './file.ts';
import { nodeFiles } from './files.ts';
import { withScratchFolder } from './scratch.ts';
import { createTarget } from './target.ts';
import { writeFully } from './write.ts';

/** The name that stands for standard input and standard output. */
export const PIPE = '-';

/** Bytes that are copied from a file to a pipe at a time. */
const PIECE = 512 * 1024;

export type PipeOptions = ConvertFileOptions & {
	/** What `-` reads. */
	readonly stdin: AsyncIterable<Uint8Array>;
	/** What `-` writes: takes the next bytes of the image, to keep them; resolves when it can take more. */
	append(bytes: Uint8Array): Promise<void>;
	/** A folder for temporary files, through which pipes go then. They are removed at the end. */
	readonly spool?: string | undefined;
	/** How large the raw disk is that `-` reads, in bytes: known, it can be read as it comes. */
	readonly size?: number | undefined;
};

/**
 * `convertFile` with `-` for standard input or output. What cannot be read or written front to back needs a spool.
 * @throws UsageError, UnsupportedError for a pipe that needs a spool; otherwise as `convertFile` and `streamFile`.
 */
export const convertPipe = async (input: string, output: string, options: PipeOptions): Promise<Conversion> => {
	const { spool, append, signal, verify = 'none', verifyWith, proof } = options;
	if (output === PIPE && (proof || verifyWith || (verify !== 'none' && spool === undefined))) {
		throw new UsageError('what has gone through a pipe cannot be read back', { hint: 'a file for OUT, or --spool DIR and --verify' });
	}
	if (spool === undefined) {
		const from = input === PIPE ? piped(options) : input;
		if (from === undefined) return receive(output, options);
		return output === PIPE ? streamFile(from, { ...options, append: (bytes) => append(bytes) }) : convertFile(from, output, options);
	}
	return withScratchFolder(spool, async (folder) => {
		const from = input === PIPE ? await fill(path.join(folder, 'stdin'), options) : input;
		if (output !== PIPE) return convertFile(from, output, options);
		const image = path.join(folder, 'stdout');
		const made = await convertFile(from, image, {
			...options,
			durable: false,
			keepPartial: false,
			backingName: options.backing && asReference(options.backing),
			async onPlan({ layout }) {
				refuseFiles(layout);
			},
		});
		const source = await openFile(image);
		try {
			for (let at = 0; at < source.size; at += PIECE) await append(await source.read(at, Math.min(PIECE, source.size - at), signal));
		} finally {
			await source.close();
		}
		return made;
	});
};

const STDIN = 'standard input';

/** Standard input as it comes; undefined for a raw disk that becomes a raw image, whose size nobody needs to know before. */
const piped = ({ stdin, inputFormat, format, backing, size }: PipeOptions): Source | Stream | undefined => {
	const stream = forwardStream(stdin, STDIN);
	if (size !== undefined) return forwardSource(stream, size);
	if (inputFormat !== 'raw') return stream;
	if (format === 'raw' && backing === undefined) return undefined;
	throw new UsageError('a raw disk from a pipe shows its size only at its end, and the tables of an image come of it', {
		hint: '--size with its size, or --spool DIR, which copies it to a temporary file there first',
	});
};

/** Copy a raw disk from standard input into a raw image. */
const receive = async (
	output: string,
	{ stdin, append, verify = 'none', verifyWith, proof, ...options }: PipeOptions,
): Promise<Conversion> => {
	if (verify !== 'none' || verifyWith || proof) {
		throw new UsageError('a raw disk from a pipe is verified only if its size is known', { hint: '--size with its size, or --spool DIR' });
	}
	const { profile, signal } = options;
	const format = formatNamed(options.formats ?? diskFormats, 'raw');
	const request = {
		...options,
		stream: forwardStream(stdin, STDIN),
		format,
		profile: profile === undefined ? undefined : profileNamed(profile),
		stamp: options.stamp ?? freshStamp(),
		note: (note: Note) => options.onNote?.(note),
	};
	if (output === PIPE) return { ...(await receiveRaw({ ...request, sink: forward({ name: PIPE, append, signal }) })), format: format.id };
	refuseOutput(output, new Set());
	const target = await createTarget(output, options);
	try {
		const made = await receiveRaw({ ...request, sink: target.main });
		await target.commit();
		return { ...made, format: format.id };
	} catch (error) {
		await target.abandon();
		throw error;
	}
};

/** Copy standard input to a file, in which zeros become holes. @throws UnrecognizedError if there is nothing to copy. */
const fill = async (name: string, { stdin, signal }: PipeOptions): Promise<string> => {
	const fd = nodeFiles.create(name);
	try {
		let size = 0;
		for await (const bytes of stdin) {
			signal?.throwIfAborted();
			if (!isZero(bytes)) writeFully(nodeFiles, fd, bytes, size, name);
			size += bytes.length;
		}
		if (size === 0) throw new UnrecognizedError('it is empty', { path: STDIN });
		nodeFiles.truncate(fd, size);
		return name;
	} catch (error) {
		signal?.throwIfAborted(); // that is what ended the reading
		throw error;
	} finally {
		nodeFiles.close(fd);
	}
};
