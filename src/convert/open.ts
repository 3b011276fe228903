import { fileName } from '../bytes/path.ts';
import type { Disk, ParentReference } from '../core/disk.ts';
import type { DiskFormat, OpenContext } from '../core/format.ts';
import { type Limits, refuseOver } from '../core/limits.ts';
import type { Note } from '../core/note.ts';
import type { Source, Stream } from '../core/source.ts';
import { boundExpansion } from '../disk/expansion.ts';
import { overlay } from '../disk/overlay.ts';
import { pakoCodec } from '../engine/pako.ts';
import { AccessError, ChangedError, CorruptError, UnrecognizedError, UnsupportedError, UsageError, VconvError } from '../errors.ts';
import { guarded } from '../io/guarded.ts';
import { asOption, claimants, detect, detectPiped, type FormatWords, formatNamed, formatOfName } from './detect.ts';

export type OpenOptions = {
	readonly formats: readonly DiskFormat[];
	/** The format by its id; by its bytes where left out. */
	readonly format?: string | undefined;
	/** How hints say it; as the option `-f` where left out. */
	readonly formatWords?: FormatWords | undefined;
	/** The way to other files that `source` names. @throws AccessError for those that are refused. */
	gate(source: Source, reference: string): Promise<Source>;
	/** The other images in the folder of `source`, each the taker's to close: where a parent is looked for by its id. */
	siblings?(source: Source): AsyncIterable<Source>;
	note?(note: Note): void;
	/** What is too much; the usual limits where left out. */
	readonly limits?: Limits | undefined;
	readonly snapshot?: string | undefined;
	/** Images are opened too of which no more can be told than what they are: `Disk.unreadable`. */
	readonly unreadable?: boolean | undefined;
	readonly signal?: AbortSignal | undefined;
};

/** One image of a chain, opened. */
export type Layer = { readonly source: Source; readonly format: DiskFormat; readonly disk: Disk };

/** Open one image on its own. The source is closed with the disk. */
export const openLayer = async (given: Source, options: OpenOptions): Promise<Layer> => {
	const source = guarded(given, options.signal);
	const format = options.format ? formatNamed(options.formats, options.format) : await detectNoting(source, options);
	const disk = await format.open(source, contextFor(source, options)).catch(async (error: unknown) => {
		throw options.format === undefined ? error : await orAnother(error, format, source, options);
	});
	if (disk.unreadable && !options.unreadable) {
		await disk.close();
		throw disk.unreadable;
	}
	if (options.snapshot !== undefined && disk.info.snapshot === undefined) {
		await disk.close();
		throw new UnsupportedError(`${format.name} images have no internal snapshots`, { path: source.name });
	}
	return bounded({ source, format, disk }, options.limits);
};

/** Why an image could not be opened in the format that was said. Where it has not that format's marks, what its reader met in the bytes says nothing. */
const orAnother = async (error: unknown, format: DiskFormat, source: Source, options: OpenOptions): Promise<unknown> => {
	if (!(error instanceof CorruptError || error instanceof UnsupportedError || error instanceof UnrecognizedError)) return error;
	const { formats, formatWords = asOption, signal } = options;
	const claims = await claimants(formats, source, signal);
	const [other] = claims;
	if (format.id === 'raw' || claims.includes(format)) return error;
	return new UnrecognizedError(`it is no ${format.name}: it neither begins nor ends like one`, {
		path: source.name,
		hint: other && formatWords(other.id),
		cause: error,
	});
};

/** A layer held to the limits. @throws UnsupportedError for a disk that is too large, which is closed then. */
const bounded = async ({ source, format, disk }: Layer, limits: Limits | undefined): Promise<Layer> => {
	try {
		refuseOver('virtual-size', disk.size, source.name, limits);
	} catch (error) {
		await disk.close();
		throw error;
	}
	return { source, format, disk: boundExpansion(disk, source, limits) };
};

/** The format by its bytes, and a note where the name says another one. */
const detectNoting = async (source: Source, { formats, formatWords, signal, note }: OpenOptions): Promise<DiskFormat> => {
	const format = await detect(formats, source, signal, formatWords);
	const named = formatOfName(formats, source.name);
	if (named && named !== format) {
		note?.({ kind: 'assumed', what: `it is a ${format.name}`, why: `its bytes say so, and its name a ${named.name}`, path: source.name });
	}
	return format;
};

/** What is said of an image that must be read here and there. */
const ONCE = '--spool DIR, which copies it to a temporary file there first';

/**
 * Open an image that comes through a pipe.
 * @throws UsageError for one that cannot be read front to back, UnrecognizedError, and as the format's `openStream`.
 */
export const openPiped = async (
	stream: Stream,
	options: Pick<OpenOptions, 'formats' | 'format' | 'note' | 'limits' | 'snapshot' | 'signal'>,
): Promise<Disk> => {
	const { formats, snapshot, limits, signal } = options;
	const format = options.format === undefined ? await detectPiped(formats, stream) : formatNamed(formats, options.format);
	if (!format.openStream) {
		throw new UsageError(`a ${format.name} is read here and there, and a pipe only once`, { path: stream.name, hint: ONCE });
	}
	const disk = await format.openStream(stream, {
		follow: async () => Promise.reject(new UnsupportedError('it names other files, and a pipe is one', { path: stream.name, hint: ONCE })),
		note: (note) => options.note?.({ path: stream.name, ...note }),
		unpack: pakoCodec.unpack,
		snapshot,
		limits,
		signal,
	});
	refuseOver('virtual-size', disk.size, stream.name, limits);
	return disk;
};

/** What a format's room is given to open or check `source`. */
export const contextFor = (source: Source, options: OpenOptions): OpenContext => ({
	follow: async (reference) => guarded(await options.gate(source, reference), options.signal),
	note: (note) => options.note?.({ path: source.name, ...note }),
	unpack: pakoCodec.unpack,
	snapshot: options.snapshot,
	limits: options.limits,
	signal: options.signal,
});

/**
 * An image and all its parents, the top first.
 * @throws AccessError for a parent that is missing or refused, ChangedError for one that is not what the child was made of,
 * CorruptError for a chain that comes back to itself, UnsupportedError for one that is too long.
 */
export const openChain = async (given: Source, options: OpenOptions): Promise<Layer[]> => {
	const source = guarded(given, options.signal);
	const layers: Layer[] = [];
	try {
		layers.push(await openLayer(source, options));
		for (;;) {
			const child = layers.at(-1) as Layer;
			const { parent } = child.disk;
			if (!parent) return layers;
			// Each layer costs a look-up for every block.
			refuseOver('chain-depth', layers.length + 1, source.name, options.limits);
			const layer = await openParent(child, parent, options);
			layers.push(layer);
			if (layers.some((other) => other !== layer && other.source.identity === layer.source.identity)) {
				throw new CorruptError(`the chain comes back to ${fileName(layer.source.name)}`, { path: child.source.name });
			}
		}
	} catch (error) {
		for (const { disk } of layers) await disk.close();
		if (layers.length === 0) await source.close();
		throw error;
	}
};

/**
 * The parent of an image: under one of the names it gives, else by its id in the image's folder. The child itself need not be open any
 * more.
 * @throws as `openChain`: what is wrong with the first of the names that there is.
 */
export const openParent = async (child: Layer, parent: ParentReference, options: OpenOptions): Promise<Layer> => {
	const failures: VconvError[] = [];
	for (const name of parent.names) {
		try {
			return await openNamed(name, child, parent, options);
		} catch (error) {
			// By its id it would be found again, and read.
			if (!(error instanceof VconvError) || isInUse(error)) throw error;
			failures.push(error);
		}
	}
	const found = await findById(child, parent, options);
	if (found) return found;
	const failure = failures.find((error) => !(error instanceof AccessError)) ?? failures[0];
	if (failure) throw failure;
	throw new AccessError(`its parent has the id ${parent.ids.join(' or ')}, and no image in its folder has that`, {
		path: child.source.name,
		reason: 'missing',
		hint: 'the parent in the same folder, as it was when the child was made, or --allow-external with its folder',
	});
};

/** Whether a file is refused because a machine writes to it. */
export const isInUse = (error: unknown): boolean => error instanceof AccessError && error.reason === 'in-use';

/** What has this name, if it is the parent. Notes about anything else are kept back. */
const openNamed = async (name: string, child: Layer, parent: ParentReference, options: OpenOptions): Promise<Layer> => {
	const source = guarded(await options.gate(child.source, name));
	const notes: Note[] = [];
	const { snapshot: _, format: __, ...rest } = options;
	const layer = await openParentLayer(source, child, parent, { ...rest, note: (note) => notes.push(note) }).catch(async (error) => {
		await source.close();
		throw error;
	});
	if (parent.ids.length > 0 && layer.disk.id !== undefined && !isNamed(layer.disk, parent)) {
		await layer.disk.close();
		throw new ChangedError(
			`${name} is not the parent this image was made of: its id is ${layer.disk.id}, and ${parent.ids.join(' or ')} is needed`,
			{
				path: child.source.name,
				hint: 'the parent as it was when the child was made',
			},
		);
	}
	for (const note of notes) options.note?.(note);
	return layer;
};

/**
 * A parent by the format that the child says it has. Where the child does not say, bytes alone are not believed, for a guest may have
 * written a header into its own raw disk: the parent's extension, which no guest chooses, must say the same.
 */
const openParentLayer = async (source: Source, child: Layer, parent: ParentReference, options: OpenOptions): Promise<Layer> => {
	const { formats, signal } = options;
	const saying: FormatWords = (format) => `qemu-img rebase -u -b ${source.name} -F ${format} ${child.source.name}`;
	if (parent.format === undefined) {
		const { id, name } = await detect(formats, source, signal, saying);
		if (formatOfName(formats, source.name)?.id !== id) {
			throw new UnrecognizedError(`it does not say what its backing file is, and a guest may have made that look like a ${name}`, {
				path: child.source.name,
				hint: `${saying(id)}, if that is what it is`,
			});
		}
		options.note?.({
			kind: 'assumed',
			what: `the backing file ${source.name} is a ${name}`,
			why: 'the image does not say; its bytes and its extension do',
			path: child.source.name,
		});
		return openLayer(source, { ...options, format: id });
	}
	const known = formats.some(({ id, aliases }) => id === parent.format || aliases.includes(parent.format ?? ''));
	if (!known) {
		throw new UnsupportedError(`its backing file has the format '${parent.format}', which vconv does not read`, {
			path: child.source.name,
		});
	}
	return openLayer(source, { ...options, format: parent.format, formatWords: saying });
};

/**
 * The image of the child's format among its neighbours whose id is the parent's. Neighbours that cannot be read are passed over.
 * @throws ChangedError where several have the id, for only one can be the parent.
 */
const findById = async (child: Layer, parent: ParentReference, options: OpenOptions): Promise<Layer | undefined> => {
	if (parent.ids.length === 0 || !options.siblings) return undefined;
	let found: Layer | undefined;
	for await (const source of options.siblings(child.source)) {
		// One file by two names, or a copy in a folder that is looked through only for what the first has not.
		if (found && (source.identity === found.source.identity || folderOf(source) !== folderOf(found.source))) {
			await source.close();
			continue;
		}
		const notes: Note[] = [];
		const layer = await openNeighbour(source, child, { ...options, note: (note) => notes.push(note) });
		if (layer && isNamed(layer.disk, parent)) {
			if (!found) {
				found = layer;
				for (const note of notes) options.note?.(note);
				continue;
			}
			await found.disk.close();
			await layer.disk.close();
			throw new ChangedError(
				`${fileName(found.source.name)} and ${fileName(source.name)} both have the id of its parent, ${parent.ids.join(' or ')}`,
				{
					path: child.source.name,
					hint: 'without the one that is a copy',
				},
			);
		}
		await layer?.disk.close();
	}
	// Not before: what other images in the folder are is none of the child's concern.
	return found && bounded(found, options.limits);
};

/** Whether a disk is what a child names as its parent. */
export const isNamed = ({ id, otherIds = [] }: Disk, { ids }: ParentReference): boolean =>
	[id, ...otherIds].some((one) => one !== undefined && ids.includes(one));

const folderOf = ({ name }: Source): string => name.replace(/[^\\/]*$/, '');

/** A neighbour of the child's format, opened, and not yet held to any limit; undefined for anything else. */
const openNeighbour = async (given: Source, child: Layer, options: OpenOptions): Promise<Layer | undefined> => {
	const source = guarded(given);
	const { format } = child;
	try {
		if (source.identity !== child.source.identity && (await claimants([format], source, options.signal)).length > 0) {
			const disk = await format.open(source, contextFor(source, { ...options, snapshot: undefined }));
			return { source, format, disk };
		}
	} catch (error) {
		if (!(error instanceof VconvError)) throw error;
	}
	await source.close();
	return undefined;
};

/** What the guest sees of a chain. Closing it closes every layer. */
export const flatten = (layers: readonly Pick<Layer, 'disk'>[]): Disk =>
	layers.map((layer) => layer.disk).reduceRight((base, top) => overlay(top, base));
