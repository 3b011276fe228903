import path from 'node:path';
import { diskFormats } from '../../formats/index.ts';
import { type Conversion, type ConvertOptions, convert, convertStream, type Plan, type StreamOptions } from '../api.ts';
import { humanSize } from '../bytes/size.ts';
import { isFull } from '../convert/convert.ts';
import { asReference } from '../convert/reference.ts';
import type { Codec } from '../core/codec.ts';
import { limitsOf } from '../core/limits.ts';
import type { Note } from '../core/note.ts';
import type { Target } from '../core/sink.ts';
import type { Source, Stream } from '../core/source.ts';
import { AccessError, UnsupportedError, type VconvError } from '../errors.ts';
import { PROOF } from '../proof/file.ts';
import type { ConvertFileOptions, ProvingOptions } from './convert-options.ts';
import { identityOf, openFile, refuseChanged, statOf, versionOf } from './file.ts';
import { gate, siblings } from './gate.ts';
import { holdSource, refuseReplacingUsed } from './inuse.ts';
import { identityBehind } from './loop.ts';
import { nodeMover } from './mover.ts';
import { noteOpenFolder } from './open-folder.ts';
import { nodeCodec } from './packer.ts';
import { folderOf, isDescriptor, placeOf } from './place.ts';
import { proving } from './proving.ts';
import { createTarget, freeSpace } from './target.ts';

/**
 * Convert the image of one file, or of any source, into another: `convertFile('web.vmdk', 'web.qcow2')`. Parents and extents are found as `gate` allows.
 * @throws VconvError of every kind; the reason of `signal`. Nothing has the output's name then that had not before.
 */
export const convertFile = (input: string | Source | Stream, output: string, options: ConvertFileOptions = {}): Promise<Conversion> =>
	withSources(input, options, async (given, reads, unchanged) => {
		refuseOutput(output, reads);
		noteOpenFolder(output, options);
		const proof = await proving(given.from, output, options);
		const to = await createTarget(output, { ...options, verify: proof.verify });
		const mover = nodeMover({ ...options, readAgain: proof.readAgain });
		let planned: Plan | undefined;
		return convert({
			...given,
			to: committedIf(unchanged, to),
			hashing: proof.hashing,
			backing: given.backing && {
				...given.backing,
				name: options.backingName ?? (path.isAbsolute(given.backing.name) ? given.backing.name : relativeTo(output, given.backing.name)),
				relative: options.backingName ?? relativeTo(output, given.backing.name),
			},
			mover: {
				move: (work) =>
					mover.move(work).catch(async (error: unknown) => {
						throw isFull(error) && planned ? await fullError(error, output, planned, to.held()) : error;
					}),
			},
			async onPlan(plan) {
				planned = plan;
				proof.planned(plan);
				await options.onPlan?.(plan);
				await checkPlan(output, plan, options, to.held(plan.layout.files));
			},
		});
	});

/** A store that was full, with how much is to be freed; where the image is compressed nobody knows. */
const fullError = async (error: VconvError, output: string, { layout, measure }: Plan, held: number): Promise<AccessError> => {
	const missing = layout.packing || !measure ? 0 : (await measure()) - held - (freeSpace(output) ?? 0);
	const { message, path, offset, cause } = error;
	const room = missing > 0 ? humanSize(missing) : 'some space';
	return new AccessError(message, { path, offset, cause, hint: `freeing ${room} there, and the same command again` });
};

export type StreamFileOptions = Omit<
	ConvertFileOptions,
	'force' | 'skipSpaceCheck' | 'threads' | 'durable' | 'onPlan' | keyof ProvingOptions
> &
	Pick<StreamOptions, 'append'>;

/** Convert the image of one file, or of any source, into one that is written front to back, as to a pipe. @throws as `convertStream`. */
export const streamFile = (input: string | Source | Stream, options: StreamFileOptions): Promise<Conversion> =>
	withSources(input, options, async (given, _, unchanged) => {
		const made = await convertStream({ ...given, append: options.append });
		unchanged();
		return made;
	});

type Given<From> = Omit<ConvertOptions, 'from' | 'to' | 'mover' | 'onPlan'> & { readonly from: Source | From; readonly codec: Codec };

/**
 * Open the files that the user named, and say how the others are found. All are closed in the end.
 * @param use is given a function too that throws ChangedError if any of them was written to since it was opened.
 */
export const withSources = async <Result, From extends Source | Stream = Source>(
	input: string | From,
	options: Omit<ConvertFileOptions, 'force' | 'skipSpaceCheck' | 'threads' | 'onPlan'>,
	use: (given: Given<From>, reads: ReadonlySet<string>, unchanged: () => void) => Promise<Result>,
): Promise<Result> => {
	const { formats = diskFormats } = options;
	const sources: Source[] = [];
	const read: Source[] = [];
	/** Looked into for a parent; most are none. */
	const seen: Source[] = [];
	const limits = limitsOf(options);
	const follow = gate(options);
	const beside = siblings(
		formats.flatMap(({ extensions }) => extensions),
		{ ...options, limits },
	);
	const hear = (note: Note): void => options.onNote?.(note);
	const open = async (name: string, otherwise?: string): Promise<Source> => {
		const source = await openFile(name, { otherwise });
		sources.push(source);
		holdSource(source, options, hear);
		return source;
	};
	try {
		const from = typeof input === 'string' ? await open(input, '- for IN') : input;
		const backing = options.backing === undefined ? undefined : await open(options.backing);
		const given = {
			...options,
			limits,
			from,
			backing: backing && { source: backing, name: options.backingName ?? backing.name, format: options.backingFormat },
			async follow(source: Source, reference: string) {
				const found = await follow(source, reference);
				read.push(found);
				holdSource(found, options, hear);
				return found;
			},
			async *siblings(source: Source) {
				for await (const found of beside(source)) {
					seen.push(found);
					yield found;
				}
			},
			versions: (reads: ReadonlySet<string>) => versionsOf([from, ...[...read, ...seen].filter(({ identity }) => reads.has(identity))]),
			codec: nodeCodec(),
		};
		read.push(...sources);
		if (!('peek' in from)) read.push(from);
		const reads = sources.flatMap(({ identity, name }) => [identity, identityBehind(name) ?? []].flat());
		return await use(given, new Set(reads), () => read.forEach(refuseChanged));
	} finally {
		for (const source of sources) await source.close();
	}
};

/** What all of them are at present; undefined if that cannot be told of one. */
const versionsOf = (sources: readonly object[]): readonly string[] | undefined => {
	const versions = new Set<string>();
	for (const source of sources) {
		const version = versionOf(source);
		if (version === undefined) return undefined;
		versions.add(version);
	}
	return [...versions].sort();
};

/** The target, which gets its names only if `check` does not throw. */
export const committedIf = (check: () => void, target: Target): Target => ({
	...target,
	async commit() {
		check();
		await target.commit();
	},
});

/** A file as it is found from the output's folder, whatever links lead there: `..` is the folder above what a link leads to. */
const relativeTo = (output: string, name: string): string => asReference(path.relative(folderOf(output), placeOf(name)));

/**
 * @param held bytes on the disk that an earlier run has written of it.
 * @throws AccessError for an image that would replace what is read or what a machine uses, or cannot fit.
 */
export const checkPlan = async (
	output: string,
	plan: Plan,
	options: Pick<ConvertFileOptions, 'skipSpaceCheck' | 'proof' | 'onNote'>,
	held = 0,
): Promise<void> => {
	const name = path.basename(output);
	const files = [name, ...(plan.layout.files ?? []), ...(options.proof ? [`${name}${PROOF}`] : [])];
	for (const file of files.map((each) => path.join(path.dirname(output), each))) {
		refuseReplacing(file, plan.reads);
		refuseReplacingUsed(file);
	}
	if (!options.skipSpaceCheck) await checkSpace(output, plan, held, (note) => options.onNote?.(note));
};

/** What is no place for a file shows itself before anything is read. */
export const refuseOutput = (output: string, reads: ReadonlySet<string>): void => {
	const folder = path.dirname(output);
	if (!statOf(folder)) throw new AccessError('its folder does not exist', { path: output, hint: `mkdir -p ${folder}` });
	const there = statOf(output);
	if (there && isDescriptor(output)) {
		throw new UnsupportedError('it is an open file of a process, and OUT is replaced and not written into', {
			path: output,
			hint: '- for OUT and -O FORMAT, for standard output',
		});
	}
	if (there?.isDirectory()) throw new AccessError('it is a folder', { path: output, hint: 'the name of a file in it' });
	if (there && !there.isFile()) throw new UnsupportedError('it is no regular file, and vconv writes to no other', { path: output });
	refuseReplacing(output, reads);
	refuseReplacingUsed(output);
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
const checkSpace = async (output: string, { layout, measure }: Plan, held: number, note: (note: Note) => void): Promise<void> => {
	const room = freeSpace(output);
	if (room === undefined) return;
	const free = room + held;
	if (layout.size * (1 + TABLES) + EMPTY <= free) return;
	const needed = await measure();
	if (needed <= free) return;
	const what = `it takes up to ${humanSize(needed)}, and ${humanSize(free)} are free there`;
	if (layout.packing) return note({ kind: 'assumed', what, why: 'begun all the same, for compressed it may take less', path: output });
	throw new AccessError(what, {
		path: output,
		hint: `freeing ${humanSize(needed - free)}, or --skip-space-check if much of it is zeros`,
	});
};
