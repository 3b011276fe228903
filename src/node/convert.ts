import path from 'node:path';
import { type Conversion, type ConvertOptions, convert, convertStream, type Plan, type StreamOptions } from '../api.ts';
import { humanSize } from '../bytes/size.ts';
import { asReference } from '../convert/reference.ts';
import type { Codec } from '../core/codec.ts';
import type { Note } from '../core/note.ts';
import type { Target } from '../core/sink.ts';
import type { Source } from '../core/source.ts';
import { AccessError, UnsupportedError } from '../errors.ts';
import { diskFormats } from '../index.ts';
import { identityOf, openFile, refuseChanged, statOf } from './file.ts';
import { type GateOptions, gate, siblings } from './gate.ts';
import { nodeMover } from './mover.ts';
import { nodeCodec } from './packer.ts';
import { createTarget, freeSpace } from './target.ts';

export type ConvertFileOptions = Omit<ConvertOptions, 'from' | 'to' | 'backing' | 'follow' | 'siblings' | 'mover' | 'codec'> &
	GateOptions & {
		/** Write only what differs from the image of this name. */
		readonly backing?: string | undefined;
		/** What the new image will call it; how it is found from the output's folder where left out. */
		readonly backingName?: string | undefined;
		/** Its format; by its bytes where left out. */
		readonly backingFormat?: string | undefined;
		/** Replace what has the output's name already. */
		readonly force?: boolean | undefined;
		/** Begin even if the output may not fit. */
		readonly skipSpaceCheck?: boolean | undefined;
		/** How many threads work on it. */
		readonly threads?: number | undefined;
		/** Bring the output to the disk before it gets its name; true where left out. Without it a power failure may leave a damaged file. */
		readonly durable?: boolean | undefined;
	};

/**
 * Convert the image of one file, or of any source, into another: `convertFile('web.vmdk', 'web.qcow2')`. Parents and extents are found as `gate` allows.
 * @throws VconvError of every kind; the reason of `signal`. Nothing has the output's name then that had not before.
 */
export const convertFile = (input: string | Source, output: string, options: ConvertFileOptions = {}): Promise<Conversion> =>
	withSources(input, options, async (given, reads, unchanged) => {
		refuseOutput(output, reads);
		return convert({
			...given,
			to: committedIf(unchanged, await createTarget(output, options)),
			backing: given.backing && { ...given.backing, name: options.backingName ?? relativeTo(output, given.backing.name) },
			mover: nodeMover(options),
			async onPlan(plan) {
				await options.onPlan?.(plan);
				await checkPlan(output, plan, options);
			},
		});
	});

export type StreamFileOptions = Omit<ConvertFileOptions, 'force' | 'skipSpaceCheck' | 'threads' | 'durable' | 'onPlan'> &
	Pick<StreamOptions, 'append'>;

/** Convert the image of one file, or of any source, into one that is written front to back, as to a pipe. @throws as `convertStream`. */
export const streamFile = (input: string | Source, options: StreamFileOptions): Promise<Conversion> =>
	withSources(input, options, async (given, _, unchanged) => {
		const made = await convertStream({ ...given, append: options.append });
		unchanged();
		return made;
	});

type Given = Omit<ConvertOptions, 'to' | 'mover' | 'onPlan'> & { readonly codec: Codec };

/**
 * Open the files that the user named, and say how the others are found. All are closed in the end.
 * @param use is given a function too that throws ChangedError if any of them was written to since it was opened.
 */
export const withSources = async <Result>(
	input: string | Source,
	options: Omit<ConvertFileOptions, 'force' | 'skipSpaceCheck' | 'threads' | 'onPlan'>,
	use: (given: Given, reads: ReadonlySet<string>, unchanged: () => void) => Promise<Result>,
): Promise<Result> => {
	const { formats = diskFormats } = options;
	const sources: Source[] = [];
	const read: Source[] = [];
	const follow = gate(options);
	const open = async (name: string): Promise<Source> => {
		const source = await openFile(name);
		sources.push(source);
		return source;
	};
	try {
		const from = typeof input === 'string' ? await open(input) : input;
		const backing = options.backing === undefined ? undefined : await open(options.backing);
		const extensions = formats.flatMap((format) => format.extensions);
		const given = {
			...options,
			from,
			backing: backing && { source: backing, name: options.backingName ?? backing.name, format: options.backingFormat },
			async follow(source: Source, reference: string) {
				const found = await follow(source, reference);
				read.push(found);
				return found;
			},
			siblings: siblings(extensions, options),
			codec: nodeCodec(),
		};
		read.push(...sources, from);
		return await use(given, new Set(sources.map(({ identity }) => identity)), () => read.forEach(refuseChanged));
	} finally {
		for (const source of sources) await source.close();
	}
};

/** The target, which gets its names only if `check` does not throw. */
export const committedIf = (check: () => void, target: Target): Target => ({
	...target,
	async commit() {
		check();
		await target.commit();
	},
});

/** How the output will name a file: as the user did, if that was from the root, else as it is found from the output's folder. */
const relativeTo = (output: string, name: string): string =>
	path.isAbsolute(name) ? name : asReference(path.relative(path.dirname(path.resolve(output)), path.resolve(name)));

/** @throws AccessError for an image that would replace what is read, or cannot fit. */
export const checkPlan = async (
	output: string,
	plan: Plan,
	options: Pick<ConvertFileOptions, 'skipSpaceCheck' | 'onNote'>,
): Promise<void> => {
	const files = [path.basename(output), ...(plan.layout.files ?? [])];
	for (const file of files) refuseReplacing(path.join(path.dirname(output), file), plan.reads);
	if (!options.skipSpaceCheck) await checkSpace(output, plan, (note) => options.onNote?.(note));
};

/** What is no place for a file shows itself before anything is read. */
export const refuseOutput = (output: string, reads: ReadonlySet<string>): void => {
	const folder = path.dirname(output);
	if (!statOf(folder)) throw new AccessError('its folder does not exist', { path: output, hint: `mkdir -p ${folder}` });
	const there = statOf(output);
	if (there?.isDirectory()) throw new AccessError('it is a folder', { path: output, hint: 'the name of a file in it' });
	if (there && !there.isFile()) throw new UnsupportedError('it is no regular file, and vconv writes to no other', { path: output });
	refuseReplacing(output, reads);
};

/** Even `force` does not replace what is read. */
const refuseReplacing = (name: string, reads: ReadonlySet<string>): void => {
	const identity = identityOf(name);
	if (identity !== undefined && reads.has(identity)) {
		throw new AccessError('it is a file that the conversion reads', { path: name, hint: 'another name for the output' });
	}
};

/** Tables never take more than this part of what they describe, nor an empty image more than `EMPTY`. */
const TABLES = 1 / 16;
const EMPTY = 64 * 1024 * 1024;

/** @throws AccessError if the image cannot fit; where it is compressed nobody knows before, and it is a note. */
const checkSpace = async (output: string, { layout, measure }: Plan, note: (note: Note) => void): Promise<void> => {
	const free = freeSpace(output);
	if (free === undefined || layout.size * (1 + TABLES) + EMPTY <= free) return;
	const needed = await measure();
	if (needed <= free) return;
	const what = `it takes up to ${humanSize(needed)}, and ${humanSize(free)} are free there`;
	if (layout.packing) return note({ kind: 'assumed', what, why: 'begun all the same, for compressed it may take less', path: output });
	throw new AccessError(what, {
		path: output,
		hint: `freeing ${humanSize(needed - free)}, or --skip-space-check if much of it is zeros`,
	});
};
