import { diskFormats } from '../formats/index.ts';
import { type ConvertRequest, convertDisk, type Hashing, planImage, type Written } from './convert/convert.ts';
import { measureImage } from './convert/measure.ts';
import { flatten, type Layer, type OpenOptions, openChain, openLayer, openPiped } from './convert/open.ts';
import { profileNamed } from './convert/profiles.ts';
import { streamDisk } from './convert/stream.ts';
import { targetFormat } from './convert/target.ts';
import type { Codec } from './core/codec.ts';
import type { Disk } from './core/disk.ts';
import type { DiskFormat, Layout, OptionValues } from './core/format.ts';
import { type Limits, limitsOf } from './core/limits.ts';
import type { Mover, Progress } from './core/mover.ts';
import type { Note } from './core/note.ts';
import type { Target } from './core/sink.ts';
import type { Source, Stream } from './core/source.ts';
import type { Stamp } from './core/stamp.ts';
import { difference } from './disk/difference.ts';
import { pakoCodec } from './engine/pako.ts';
import { portableMover } from './engine/portable.ts';
import { AccessError, UsageError } from './errors.ts';
import { guarded, guardedStream } from './io/guarded.ts';

export type ConvertOptions = {
	/** The image to read, if its format allows also from a stream. It is closed in any case. */
	readonly from: Source | Stream;
	/** Where the new image goes. It is committed, or abandoned on any failure. */
	readonly to: Target;
	/** The format to write, by id or alias; by the extension of `to` where left out. */
	readonly format?: string | undefined;
	/** What `-o name=value` says on the command line; the format's defaults for the rest. */
	readonly options?: OptionValues | undefined;
	/** What is to take the image, as `azure`: it decides on format and options where they are left out, and refuses what is refused there. */
	readonly profile?: string | undefined;
	/** Store blocks compressed where the format can. */
	readonly compress?: boolean | undefined;
	/** Show the guest sectors of this size in bytes, whatever the disk has: nothing on it is translated. */
	readonly sectorSize?: 512 | 4096 | undefined;
	/** The format of `from`; by its bytes where left out. */
	readonly inputFormat?: string | undefined;
	/** Write only what differs from this image. */
	readonly backing?: Backing | undefined;
	/** Read only what `from` holds itself: what it leaves to its parents is zeros. */
	readonly layer?: boolean | undefined;
	/** Read this internal snapshot of `from`, by id or name. */
	readonly snapshot?: string | undefined;
	/** The way to the parents and extent files that an image names; none is opened where left out. */
	follow?(source: Source, reference: string): Promise<Source>;
	/** The other images beside one, each the taker's to close, for parents that are known by an id alone. */
	siblings?(source: Source): AsyncIterable<Source>;
	/**
	 * What the files of these identities are at present, in words that change when they do: only then can a target take up what an
	 * interrupted run has left. Undefined where that cannot be told.
	 */
	versions?(reads: ReadonlySet<string>): readonly string[] | undefined;
	/** What is refused as too much, where that is not the usual: `{ 'virtual-size': 2 ** 50 }`. */
	readonly limits?: Partial<Limits> | undefined;
	/** Looks at what is about to be written; may throw. */
	onPlan?(plan: Plan): Promise<void>;
	onProgress?(progress: Progress): void;
	/** What the user should know, though it stops nothing. */
	onNote?(note: Note): void;
	readonly signal?: AbortSignal | undefined;
	/** The formats to know; all of them where left out. */
	readonly formats?: readonly DiskFormat[] | undefined;
	/** What moves the bytes; the portable mover where left out. */
	readonly mover?: Mover | undefined;
	/** What unpacks and packs; the portable codec where left out. */
	readonly codec?: Codec | undefined;
	/** The time and ids that the image's headers take; the present and random ones where left out. */
	readonly stamp?: Stamp | undefined;
	/** Hash the guest's disk while it is copied, for a proof or a verification. */
	readonly hashing?: Omit<Hashing, 'whole'> | undefined;
};

/** The image that a delta is written over. */
export type Backing = {
	/** It is closed in any case. */
	readonly source: Source;
	/** What the new image will call it. */
	readonly name: string;
	/** The same from the new image's folder, where `name` may be a path from the root: some formats name it so. */
	readonly relative?: string | undefined;
	/** By its bytes where left out. */
	readonly format?: string | undefined;
};

export type Plan = {
	readonly layout: Layout;
	/** The identities of all files that are read. */
	readonly reads: ReadonlySet<string>;
	/** How many bytes will be written, or the most it can be: see `measureImage`. 0 where the map comes with the bytes, and tells only then. */
	measure(): Promise<number>;
};

/** What came of a conversion. */
export type Conversion = Written & {
	/** The id of the format that was written. */
	readonly format: string;
};

/**
 * Read an image with all its parents, and write the disk they make in another format. Exit without an error means that the guest
 * sees the same bytes; with one, that nothing has appeared at the target.
 * @throws VconvError of every kind; the reason of `signal`.
 */
export const convert = async (options: ConvertOptions): Promise<Conversion> => {
	const { to, codec = pakoCodec } = options;
	try {
		return await prepared(options, to.main.name, (request, reads) =>
			convertDisk({
				...request,
				target: to,
				origin() {
					const versions = options.versions?.(reads);
					const { inputFormat, snapshot, layer } = options;
					return versions && [...versions, JSON.stringify({ inputFormat, snapshot, layer })];
				},
				mover: options.mover ?? portableMover(codec),
				onPlan: async (layout) =>
					options.onPlan?.({
						layout,
						reads,
						measure: async () =>
							request.disk.once
								? 0
								: (await measureImage(request.disk, planImage({ ...request, name: to.main.name, note() {} }), request.signal)).written,
					}),
			}),
		);
	} catch (error) {
		// What it failed by is what matters, also where nothing can be taken away.
		await to.abandon().catch(() => {});
		throw error;
	}
};

export type StreamOptions = Omit<ConvertOptions, 'to' | 'mover' | 'onPlan' | 'hashing'> & {
	/** Takes the next bytes of the image; resolves when it can take more. It may keep them, and must not change them. */
	append(bytes: Uint8Array): Promise<void>;
};

/**
 * The same, front to back, for a pipe: `format` must be given, and blocks of zeros that the map does not know are stored.
 * @throws UnsupportedError for images that cannot be written so: compressed QCOW2, and those of several files.
 */
export const convertStream = async (options: StreamOptions): Promise<Conversion> =>
	prepared(options, '-', (request) =>
		streamDisk({
			...request,
			name: `disk.${request.format.extensions[0]}`,
			codec: options.codec ?? pakoCodec,
			append: (bytes) => options.append(bytes),
		}),
	);

type Request = Omit<ConvertRequest, 'target' | 'mover' | 'onPlan'>;

/** Open all that is read, do `move`, and close it. The identities of the files that were opened are in `reads`. */
const prepared = async (
	options: Omit<ConvertOptions, 'to'>,
	name: string,
	move: (request: Request, reads: ReadonlySet<string>) => Promise<Written>,
): Promise<Conversion> => {
	const { signal, formats = diskFormats, codec = pakoCodec } = options;
	const from = 'peek' in options.from ? guardedStream(options.from) : guarded(options.from, signal);
	const backingSource = options.backing && guarded(options.backing.source, signal);
	const open: Disk[] = [];
	try {
		const profile = options.profile === undefined ? undefined : profileNamed(options.profile);
		const format = targetFormat(formats, name, options.format, profile);
		const stamp = options.stamp ?? freshStamp();
		const reads = new Set<string>();
		const which = { format: options.inputFormat, snapshot: options.snapshot, layer: options.layer };
		const disk = 'peek' in from ? await openStreamed(from, which, options) : (await openFlat(from, which, options, reads)).disk;
		open.push(disk);
		let request: Request = {
			disk,
			format,
			options: options.options,
			profile,
			compress: options.compress,
			sectorSize: options.sectorSize,
			stamp,
			hashing: options.hashing,
			signal,
			onProgress: (progress) => options.onProgress?.(progress),
			note: (note) => options.onNote?.(note),
		};
		if (options.backing && backingSource) {
			const { name: backingName, relative, format: known } = options.backing;
			const base = await openFlat(backingSource, { format: known }, options, reads);
			open.push(base.disk);
			const backing = { name: backingName, relative, format: base.format.id, size: base.disk.size, id: base.disk.id };
			// The delta has the size of its image, so what there is to say of that is said here.
			const { block, size } = planImage({ ...request, backing, name });
			const delta = difference(disk, base.disk, codec, block, size);
			const hashing = options.hashing && { ...options.hashing, whole: disk };
			request = { ...request, disk: delta, backing, hashing, note() {} };
		}
		return { ...(await move(request, reads)), format: format.id };
	} finally {
		for (const one of [...open, from, backingSource]) await one?.close();
	}
};

const openStreamed = async (stream: Stream, which: Which, options: Omit<ConvertOptions, 'to'>): Promise<Disk> => {
	const { backing, formats = diskFormats, limits, signal } = options;
	if (backing) throw new UsageError('a delta is made in two readings, and a pipe has one', { hint: '--spool DIR' });
	return openPiped(stream, { ...which, formats, limits: limitsOf({ limits }), signal, note: (note) => options.onNote?.(note) });
};

/** What the guest sees of an image and its parents. */
const openFlat = async (...which: Parameters<typeof openLayers>): Promise<{ readonly disk: Disk; readonly format: DiskFormat }> => {
	const layers = await openLayers(...which);
	return { disk: flatten(layers), format: (layers[0] as Layer).format };
};

type Which = Pick<OpenOptions, 'format' | 'snapshot'> & { readonly layer?: boolean | undefined };

/** An image and its parents, or the image alone; the identities of the files that were opened for it join `reads`. */
export const openLayers = async (
	source: Source,
	{ layer: alone = false, ...which }: Which,
	{ follow, siblings, onNote, limits, formats = diskFormats, signal }: Omit<ConvertOptions, 'to'>,
	reads: Set<string>,
): Promise<readonly Layer[]> => {
	const opening: OpenOptions = {
		...which,
		formats,
		async gate(from, reference) {
			const found = await (follow ?? refuse)(from, reference);
			reads.add(found.identity);
			return found;
		},
		...(siblings && { siblings }),
		note: (note) => onNote?.(note),
		limits: limitsOf({ limits }),
		signal,
	};
	const layers = alone ? [await openLayer(source, opening)] : await openChain(source, opening);
	for (const layer of layers) reads.add(layer.source.identity);
	const parent = alone ? layers[0]?.disk.parent : undefined;
	if (parent) {
		const what = `the parent, ${parent.names[0] ?? parent.ids.join(' or ')}`;
		onNote?.({ kind: 'dropped', what, why: 'what this layer does not hold itself is zeros', path: source.name });
	}
	return layers;
};

const refuse = async (source: Source, reference: string): Promise<never> => {
	throw new AccessError(`it needs another file, '${reference}', and none may be opened`, { path: source.name, hint: 'giving `follow`' });
};

/** The present time, and random ids. */
export const freshStamp = (): Stamp => ({ now: new Date(), id: () => crypto.getRandomValues(new Uint8Array(16)) });
