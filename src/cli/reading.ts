import { flatten, openChain } from '../convert/open.ts';
import type { Disk } from '../core/disk.ts';
import type { Source } from '../core/source.ts';
import { refuseChanged } from '../node/file.ts';
import { nodeMover } from '../node/mover.ts';
import { sha256 } from '../node/sha256.ts';
import type { HashOptions } from '../proof/hash.ts';
import { type InputArguments, inputOptions, openInput, openOptions, snapshotOption } from './input.ts';
import type { Io } from './io.ts';
import { progressStyle, reporter } from './progress.ts';
import { threadCount } from './threads.ts';

/** The options of commands that read the whole of an image. */
export const readingOptions = {
	...inputOptions,
	...snapshotOption,
	threads: { alias: 'm', type: 'string', describe: 'how many threads work' },
	p: { type: 'boolean', describe: 'show progress, on no terminal too' },
	progress: { choices: ['bar', 'json', 'none'], describe: 'how to show progress; a bar on a terminal where left out' },
} as const;

type ReadingArguments = InputArguments & {
	readonly threads?: string | undefined;
	readonly p?: boolean | undefined;
	readonly progress?: string | undefined;
};

/**
 * An image with its parents folded in, and the question whether a file of it has been written to since.
 * @throws as opening.
 */
export const openSteady = async (
	name: string,
	args: InputArguments,
	io: Io,
): Promise<{
	readonly disk: Disk;
	/** @throws ChangedError for the first file that was written to since it was opened. */
	refuseChanged(): void;
}> => {
	const source = await openInput(name, args, io);
	const files: Source[] = [source];
	const disk = flatten(
		await openChain(
			source,
			openOptions(args, io, (file) => files.push(file)),
		),
	);
	return { disk, refuseChanged: () => files.forEach(refuseChanged) };
};

/**
 * Open an image with its parents and read it, with progress shown.
 * @throws ChangedError if a file of it was written to meanwhile; otherwise as opening and `use`.
 */
export const withReading = async <Result>(
	name: string,
	args: ReadingArguments,
	io: Io,
	use: (disk: Disk, hashing: HashOptions & { onProgress: NonNullable<HashOptions['onProgress']> }) => Promise<Result>,
): Promise<Result> => {
	const threads = threadCount(args.threads);
	const { disk, refuseChanged } = await openSteady(name, args, io);
	const progress = await reporter(progressStyle(args, io), io);
	try {
		const result = await use(disk, { mover: nodeMover({ threads }), sha256, signal: io.signal, onProgress: progress.report });
		refuseChanged();
		return result;
	} finally {
		progress.end();
		await disk.close();
	}
};
