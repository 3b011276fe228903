import type { Disk } from '../core/disk.ts';
import type { BackingReference, DiskFormat, DiskWriter, Layout, OptionValues } from '../core/format.ts';
import type { Moved, Mover, Progress } from '../core/mover.ts';
import type { Note } from '../core/note.ts';
import type { Sha256 } from '../core/proof.ts';
import type { Sink, Target } from '../core/sink.ts';
import type { Stamp } from '../core/stamp.ts';
import { UnsupportedError, UsageError, VconvError } from '../errors.ts';
import { hashDisk } from '../proof/hash.ts';
import { type Leaves, leafCollector } from '../proof/leaves.ts';
import { optionValues } from './options.ts';
import { checkSize, type Profile, profileOptions, refuseTooLarge } from './profiles.ts';

export type ConvertRequest = {
	/** What the guest sees: a layer or a whole chain. It stays open. */
	readonly disk: Disk;
	readonly target: Target;
	readonly format: DiskFormat;
	readonly mover: Mover;
	readonly options?: OptionValues | undefined;
	/** What is to take the image. */
	readonly profile?: Profile | undefined;
	readonly compress?: boolean | undefined;
	/** Write only what differs from this image; `disk` must be absent where it does not. */
	readonly backing?: BackingReference | undefined;
	/** Show the guest sectors of this size, whatever the disk has: nothing in a partition table or file system is translated. */
	readonly sectorSize?: 512 | 4096 | undefined;
	readonly stamp: Stamp;
	/** What the files that are read are at present, and how they are read: see `Undertaking`. */
	origin?(): readonly string[] | undefined;
	/** Hash the disk while it is copied. */
	readonly hashing?: Hashing | undefined;
	readonly signal?: AbortSignal | undefined;
	/** Looks at the layout before anything is written; may throw, as for a store without room. */
	onPlan?(layout: Layout): Promise<void>;
	onProgress?(progress: Progress): void;
	/** Hears of what the image cannot hold. */
	note?(note: Note): void;
};

/** What the guest's disk is hashed for while it is copied. */
export type Hashing = {
	readonly sha256: Sha256;
	/** The plain name of a file that goes with the image, and gets its name before it. */
	readonly file?: string | undefined;
	/** What the guest will see, where only a delta of it is copied: it is read once more. */
	readonly whole?: Disk | undefined;
	/** Hears what was hashed when all data is written, and when the image says it was made. Gives the contents of `file`. May throw. */
	finished(leaves: Leaves, made: Date): Promise<Uint8Array | undefined>;
};

/** Lay out an image of `disk` in this format. @throws UsageError, UnsupportedError, also for a delta in a format that has none. */
export const planImage = (request: Omit<ConvertRequest, 'mover' | 'target'> & { readonly name: string }): Layout => {
	const { disk, profile, options = {} } = request;
	const { writer, id, name } = request.format;
	if (!writer) throw new UnsupportedError(`vconv reads ${name} and does not write it`, { hint: 'another -O' });
	const sectorSize = request.sectorSize ?? disk.sectorSize;
	checkSectorSize(request, writer, sectorSize);
	if (profile) refuseTooLarge(profile, disk.size);
	const layout = writer.plan({
		size: disk.size,
		sectorSize,
		name: request.name,
		options: optionValues(writer.options, profile ? profileOptions(profile, request.format, options) : options, id),
		compress: request.compress ?? false,
		backing: request.backing,
		stamp: request.stamp,
	});
	if (request.backing && !layout.zero) {
		throw new UnsupportedError(`a ${name} cannot be a delta of another image`, { hint: 'the same without -B, or another -O' });
	}
	if (profile) checkSize(profile, layout.size);
	if (request.compress && !layout.packing) {
		request.note?.({ kind: 'dropped', what: 'compression', why: `a ${name} of this kind has none` });
	}
	if (layout.size !== disk.size) {
		const why = `its ${disk.size} are rounded up; what is added at the end is zeros`;
		request.note?.({ kind: 'changed', what: `the disk has ${layout.size} bytes`, why });
	}
	if (profile?.next) request.note?.({ kind: 'assumed', ...profile.next });
	return layout;
};

/** A guest finds its partitions by counting sectors, so their size is kept, or another one asked for. */
const checkSectorSize = (request: Pick<ConvertRequest, 'format' | 'note'>, writer: DiskWriter, size: 512 | 4096): void => {
	if (size !== 512 && size !== 4096) throw new UsageError(`sectors of ${size} bytes are none that disks have`, { hint: '512 or 4096' });
	const { sectorSizes = [512] } = writer;
	const { name } = request.format;
	if (sectorSizes === 'unsaid') {
		if (size === 512) return;
		const why = `a ${name} has no place for it: the machine must be told, or its guest finds no partitions`;
		request.note?.({ kind: 'dropped', what: `that its sectors have ${size} bytes`, why });
	} else if (!sectorSizes.includes(size)) {
		throw new UnsupportedError(
			`the disk has sectors of ${size} bytes, and as ${name} it would have ${sectorSizes.join(' or ')}: a guest would not find its partitions`,
			{ hint: '-O vhdx, which keeps them, or --sector-size 512 for a disk without partitions' },
		);
	}
};

/** What came of an image. */
export type Written = Moved & {
	/** Its virtual size in bytes. */
	readonly size: number;
};

/**
 * Write the disk to the target in another format, and give it its name. On a failure nothing is left, unless it is one that passes: what an
 * interruption or a full store leaves is taken up by the next run, where the target can.
 */
export const convertDisk = async (request: ConvertRequest): Promise<Written> => {
	const { target, mover, signal, hashing } = request;
	let moving = false;
	try {
		const begun = await target.begin?.({ origin: request.origin?.(), image: imageOf(request), stamp: request.stamp });
		const layout = planImage({ ...request, stamp: begun?.stamp ?? request.stamp, name: target.main.name });
		await request.onPlan?.(layout);
		const sinks: Sink[] = [target.main];
		for (const file of layout.files ?? []) sinks.push(await target.beside(file));
		const proof = hashing?.file === undefined ? undefined : await target.beside(hashing.file);
		const collector = hashing && leafCollector(layout.size, hashing.sha256);
		moving = true;
		const moved = await mover.move({
			disk: request.disk,
			layout,
			sinks,
			signal,
			journal: begun?.journal,
			leaves: hashing?.whole ? undefined : collector,
			...(request.onProgress && { onProgress: request.onProgress.bind(request) }),
		});
		await layout.finish(sinks);
		if (hashing && collector) {
			const { sha256, whole } = hashing;
			const leaves = whole ? await hashDisk(whole, { ...request, sha256, size: layout.size }) : collector.leaves();
			const contents = await hashing.finished(leaves, (begun?.stamp ?? request.stamp).now);
			if (proof && contents) {
				await proof.write(0, contents);
				await proof.resize(contents.length);
			}
		}
		signal?.throwIfAborted();
		await target.commit();
		return { ...moved, size: layout.size };
	} catch (error) {
		// What was there before anything was moved is of an earlier run, and none of this one's business.
		if (target.suspend && (!moving || passes(error, signal))) await target.suspend();
		else await target.abandon();
		throw error;
	}
};

/** What has been asked for, in so far as it makes a difference to the image. */
const imageOf = ({ target, disk, format, options, profile, compress, backing, sectorSize, hashing }: ConvertRequest): string =>
	JSON.stringify({
		name: target.main.name,
		size: disk.size,
		format: format.id,
		options: Object.entries(options ?? {}).sort(),
		profile: profile?.id,
		compress,
		backing,
		sectorSize,
		hashed: hashing && [hashing.file],
	});

/** Whether the same may succeed later: it was interrupted, or the store is full. */
const passes = (error: unknown, signal: AbortSignal | undefined): boolean => {
	if (signal?.aborted && error === signal.reason) return true;
	return isFull(error);
};

/** Whether a store took no more bytes. */
export const isFull = (error: unknown): error is VconvError =>
	error instanceof VconvError && ['ENOSPC', 'EDQUOT'].includes(String((error.cause as { readonly code?: unknown } | undefined)?.code));
