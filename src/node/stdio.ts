import path from 'node:path';
import type { Conversion } from '../api.ts';
import { isZero } from '../bytes/align.ts';
import { asReference } from '../convert/reference.ts';
import { refuseFiles } from '../convert/stream.ts';
import { UsageError } from '../errors.ts';
import { forwardSource, forwardStream } from '../io/forward.ts';
import { type ConvertFileOptions, convertFile, streamFile } from './convert.ts';
import { openFile } from './file.ts';
import { nodeFiles } from './files.ts';
import { withScratchFolder } from './scratch.ts';
import { writeFully } from './target.ts';

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
 * `convertFile` with `-` for standard input or output. Images are read here and there, so standard input needs a spool, unless it is a
 * raw disk of known size; standard output needs one for what `streamFile` cannot write.
 * @throws UsageError for a pipe that needs a spool; otherwise as `convertFile` and `streamFile`.
 */
export const convertPipe = async (input: string, output: string, options: PipeOptions): Promise<Conversion> => {
	const { spool, append, signal, size } = options;
	if (spool === undefined) {
		if (input === PIPE && size === undefined) {
			const hint = '--spool DIR, which copies it to a temporary file there first, or for a raw disk -f raw and --size';
			throw new UsageError('an image is read here and there, and a pipe only once', { hint });
		}
		const from = input === PIPE && size !== undefined ? forwardSource(forwardStream(options.stdin, 'standard input'), size) : input;
		return output === PIPE ? streamFile(from, { ...options, append: (bytes) => append(bytes) }) : convertFile(from, output, options);
	}
	return withScratchFolder(spool, async (folder) => {
		const from = input === PIPE ? await fill(path.join(folder, 'stdin'), options) : input;
		if (output !== PIPE) return convertFile(from, output, options);
		const image = path.join(folder, 'stdout');
		const made = await convertFile(from, image, {
			...options,
			durable: false,
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

/** Copy standard input to a file, in which zeros become holes. */
const fill = async (name: string, { stdin, signal }: PipeOptions): Promise<string> => {
	const fd = nodeFiles.create(name);
	try {
		let size = 0;
		for await (const bytes of stdin) {
			signal?.throwIfAborted();
			if (!isZero(bytes)) writeFully(nodeFiles, fd, bytes, size, name);
			size += bytes.length;
		}
		nodeFiles.truncate(fd, size);
		return name;
	} catch (error) {
		signal?.throwIfAborted(); // that is what ended the reading
		throw error;
	} finally {
		nodeFiles.close(fd);
	}
};
