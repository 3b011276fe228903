import type { Source } from '../core/source.ts';
import { VconvError } from '../errors.ts';
import { claimants, formatOfName } from './detect.ts';
import { isNamed, type Layer, type OpenOptions, openLayer, openParent } from './open.ts';

export type SurveyOptions = Omit<OpenOptions, 'format' | 'snapshot'> & {
	/** A file of the folder. @throws AccessError */
	open(name: string): Promise<Source>;
};

/** An image, and what it is a delta of. */
export type Member = {
	readonly name: string;
	/** As `info` calls it. */
	readonly format: string;
	/** Virtual size in bytes. */
	readonly size: number;
	/** As `Disk.id` says it. */
	readonly id?: string | undefined;
	/** Further files that its bytes are in. */
	readonly files: readonly string[];
	/** As the image names it, or by its id where it has no name; absent in a base. */
	readonly parentReference?: string | undefined;
	readonly link: Link;
};

type Link =
	| { readonly kind: 'base' }
	/** `by` id: none of the names that the image gives leads to it. */
	| { readonly kind: 'parent'; readonly parent: string; readonly by: 'name' | 'id' }
	| { readonly kind: 'broken'; readonly error: VconvError };

/** What there is in a folder of images. */
export type Survey = {
	/** By name. Parents in other folders are among them. */
	readonly images: readonly Member[];
	/** Chains that come back to themselves, by the names of their images, each the parent of the one before. */
	readonly cycles: readonly (readonly string[])[];
	readonly unreadable: readonly { readonly name: string; readonly error: VconvError }[];
};

type Found = { readonly layer: Layer; readonly files: readonly Source[] };

/**
 * Open each of these files on its own, and find the parent of each as a conversion would. Files that are neither an image nor called
 * one are left out, and so are those that an image names as a part of itself.
 */
export const surveyImages = async (names: readonly string[], options: SurveyOptions): Promise<Survey> => {
	const found = new Map<string, Found>();
	const unreadable = new Map<string, { name: string; error: VconvError }>();
	for (const name of names) {
		options.signal?.throwIfAborted();
		try {
			const source = await options.open(name);
			try {
				const image = await lookAt(source, options);
				if (image) found.set(source.identity, image);
			} catch (error) {
				unreadable.set(source.identity, { name, error: expected(error) });
			} finally {
				await source.close();
			}
		} catch (error) {
			unreadable.set(name, { name, error: expected(error) });
		}
	}
	for (const { files } of [...found.values()]) {
		for (const { identity } of files) {
			found.delete(identity);
			unreadable.delete(identity);
		}
	}
	// A parent may be in another folder, or be readable only as what its child calls it: then it joins those that are gone through.
	const links = new Map<string, Link>();
	for (const [identity, child] of found) {
		options.signal?.throwIfAborted();
		const { link, parent } = await linkOf(child, [...found.values()], options);
		links.set(identity, link);
		if (!parent || found.has(parent.source.identity)) continue;
		found.set(parent.source.identity, { layer: parent, files: [] });
		unreadable.delete(parent.source.identity);
	}
	const images = [...found].map(([identity, image]) => memberOf(image, links.get(identity) as Link));
	images.sort((a, b) => (a.name < b.name ? -1 : 1));
	return { images, cycles: cyclesOf(images), unreadable: [...unreadable.values()] };
};

const expected = (error: unknown): VconvError => {
	if (error instanceof VconvError) return error;
	throw error;
};

/** Open an image on its own; undefined for a file that is none and is not called one. It is closed again. */
const lookAt = async (source: Source, options: SurveyOptions): Promise<Found | undefined> => {
	if (!formatOfName(options.formats, source.name) && (await claimants(options.formats, source, options.signal)).length === 0) {
		return undefined;
	}
	const files: Source[] = [];
	const layer = await openLayer(source, {
		...options,
		async gate(from, reference) {
			const file = await options.gate(from, reference);
			files.push(file);
			return file;
		},
	});
	try {
		// Some formats open their data file only when it is asked for.
		for await (const _ of layer.disk.extents(0, Math.min(512, layer.disk.size), options.signal)) break;
	} finally {
		await layer.disk.close();
	}
	return { layer, files };
};

const linkOf = async (
	{ layer: child }: Found,
	all: readonly Found[],
	options: SurveyOptions,
): Promise<{ readonly link: Link; readonly parent?: Layer }> => {
	const { parent: reference } = child.disk;
	if (!reference) return { link: { kind: 'base' } };
	const named = new Set<string>();
	try {
		const parent = await openParent(child, reference, {
			...options,
			async gate(from, name) {
				const file = await options.gate(from, name);
				named.add(file.identity);
				return file;
			},
			async *siblings(source) {
				const parents = all.filter(({ layer }) => layer.source.identity !== source.identity && isNamed(layer.disk, reference));
				for (const { layer } of parents) yield await options.open(layer.source.name);
				if (parents.length === 0 && options.siblings) yield* options.siblings(source);
			},
			note() {}, // what there is to say of the parent was said when it was opened on its own
		});
		await parent.disk.close();
		const same = all.find(({ layer }) => layer.source.identity === parent.source.identity);
		const by = named.has(parent.source.identity) ? 'name' : 'id';
		return { link: { kind: 'parent', parent: (same?.layer ?? parent).source.name, by }, parent };
	} catch (error) {
		return { link: { kind: 'broken', error: expected(error) } };
	}
};

const memberOf = ({ layer: { source, disk }, files }: Found, link: Link): Member => ({
	name: source.name,
	format: disk.info.format,
	size: disk.size,
	id: disk.id,
	files: files.map((file) => file.name),
	parentReference: disk.parent && (disk.parent.names[0] ?? disk.parent.ids.join(' or ')),
	link,
});

/** Each image has one parent at the most, so that each chain ends, or runs into one cycle. */
const cyclesOf = (images: readonly Member[]): string[][] => {
	const parents = new Map(images.map(({ name, link }) => [name, link.kind === 'parent' ? link.parent : undefined]));
	const done = new Set<string>();
	const cycles: string[][] = [];
	for (const { name } of images) {
		const path: string[] = [];
		let at: string | undefined = name;
		while (at !== undefined && !done.has(at)) {
			done.add(at);
			path.push(at);
			at = parents.get(at);
		}
		if (at !== undefined && path.includes(at)) cycles.push(path.slice(path.indexOf(at)));
	}
	return cycles;
};
