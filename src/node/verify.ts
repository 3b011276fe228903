import path from 'node:path';
import { contextFor, flatten, type Layer, type OpenOptions, openChain } from '../convert/open.ts';
import type { Disk } from '../core/disk.ts';
import type { DiskFormat } from '../core/format.ts';
import { limitsOf } from '../core/limits.ts';
import type { Progress } from '../core/mover.ts';
import type { Source } from '../core/source.ts';
import { AccessError, MismatchError, VconvError } from '../errors.ts';
import { hashDisk } from '../proof/hash.ts';
import type { Leaves } from '../proof/leaves.ts';
import { contentMismatch } from '../proof/verify.ts';
import { openFile } from './file.ts';
import { type GateOptions, gate, siblings } from './gate.ts';
import { nodeMover } from './mover.ts';
import { sha256 } from './sha256.ts';

/**
 * How closely what is written is looked at before it has its name: not at all; its tables, read and checked; or all of it, read back and hashed, and
 * compared with what was read.
 */
export type VerifyLevel = 'none' | 'fast' | 'full';

/** A file of an image that has not its name yet. */
export type Unnamed = { readonly final: string; readonly name: string };

export type VerifyRequest = GateOptions & {
	/** The files of the image, the main one first. */
	readonly partials: readonly Unnamed[];
	readonly level: VerifyLevel;
	readonly formats: readonly DiskFormat[];
	readonly format: DiskFormat;
	/** Virtual size in bytes that it is to have. */
	readonly size: number;
	/** What was hashed when the source was read; for `full`. */
	readonly leaves: Leaves | undefined;
	/** The image that it is a delta of, which the user named. */
	readonly backing?: string | undefined;
	readonly threads?: number | undefined;
	readonly signal?: AbortSignal | undefined;
	onProgress?(progress: Progress): void;
};

/**
 * Read an image back that has not its name yet, with vconv's own readers.
 * @throws MismatchError if it is not what it should be; AccessError if it cannot be read; the reason of `signal`.
 */
export const verifyWritten = async (request: VerifyRequest): Promise<void> => {
	const { level, partials, signal } = request;
	if (level === 'none') return;
	const final = partials[0]?.final;
	try {
		const opening = openingOf(request);
		const layers = await openChain(await openUnnamed(partials[0] as Unnamed), opening);
		const disk = flatten(layers);
		try {
			await judge(disk, layers[0] as Layer, opening, request);
		} finally {
			await disk.close();
		}
	} catch (error) {
		signal?.throwIfAborted();
		if (!(error instanceof VconvError) || error instanceof MismatchError || error instanceof AccessError) throw error;
		throw new MismatchError(`what was written cannot be read back: ${error.message}`, {
			path: final,
			offset: error.offset,
			cause: error,
			hint: AGAIN,
		});
	}
};

/** What the user can do about it. */
const AGAIN = 'again, and a look at the memory and disk of this machine; nothing has the name of the output';

const judge = async (disk: Disk, { source, format }: Layer, opening: OpenOptions, request: VerifyRequest): Promise<void> => {
	const { level, size, leaves, partials, signal, onProgress } = request;
	const path = partials[0]?.final;
	if (disk.size !== size)
		throw new MismatchError(`what was written has a disk of ${disk.size} bytes, and not of ${size}`, { path, hint: AGAIN });
	if (level === 'fast') {
		for await (const _ of disk.extents(0, disk.size, signal)) signal?.throwIfAborted();
		const finding = (await format.check?.(source, contextFor(source, opening)))?.findings.find(({ severity }) => severity === 'error');
		if (finding)
			throw new MismatchError(`what was written contradicts itself: ${finding.message}`, { path, offset: finding.offset, hint: AGAIN });
		return;
	}
	if (!leaves) throw new Error('nothing was hashed that this could be compared with');
	const mismatch = contentMismatch(
		leaves,
		await hashDisk(disk, { mover: nodeMover(request), sha256, signal, ...(onProgress && { onProgress }) }),
	);
	if (!mismatch) return;
	const { guestOffset, length } = mismatch;
	throw new MismatchError(
		`what was written differs from what was read, in ${length} bytes from guest offset 0x${guestOffset.toString(16)} on`,
		{
			path,
			hint: AGAIN,
		},
	);
};

/** By the name that it will have: what it names is looked for from there. */
const openUnnamed = ({ name, final }: Unnamed): Promise<Source> => openFile(name, { called: final });

/** How the image is opened: its files by the names that they have until then, the one that it is a delta of, and what that names. */
const openingOf = ({ partials, formats, format, backing, signal, ...options }: VerifyRequest): OpenOptions => {
	const unnamed = new Map(partials.map((partial) => [path.resolve(partial.final), partial]));
	const folders = backing === undefined ? [] : [path.dirname(backing)];
	const follow = gate({ ...options, untrusted: false, allow: [...(options.allow ?? []), ...folders] });
	const beside = siblings(
		formats.flatMap(({ extensions }) => extensions),
		options,
	);
	return {
		formats,
		format: format.id,
		limits: limitsOf(options),
		signal,
		async gate(source, reference) {
			const own = unnamed.get(path.resolve(path.dirname(source.name), reference));
			return own ? openUnnamed(own) : follow(source, reference);
		},
		async *siblings(source) {
			if (backing !== undefined) yield await openFile(backing);
			yield* beside(source);
		},
	};
};
