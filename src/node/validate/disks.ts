import { contextFor, flatten, type Layer, type OpenOptions, openChain } from '../../convert/open.ts';
import type { Disk } from '../../core/disk.ts';
import type { Source } from '../../core/source.ts';
import type { DiskDevice } from '../../machine/spec.ts';
import type { DiskState, ImageState, LayerState, Problem } from '../../validate/facts.ts';
import { holdSource } from '../inuse.ts';
import { refuseOtherChain, refuseSlice } from '../said-chain.ts';
import { problemOf } from './problem.ts';

/** A disk as it lies there and, where it could be opened, what the guest sees of it: the taker's to close. */
export type LookedAt = { readonly state: DiskState; readonly disk?: Disk | undefined };

export type DiskRequest = {
	/** As a description names it, or the image's own name. */
	readonly name: string;
	/** The file, as it is named. */
	readonly path: string;
	readonly device?: DiskDevice | undefined;
	/** Of its image, where that is said. */
	readonly format?: string | undefined;
	/** Opens the file. @throws VconvError. */
	open(): Promise<Source>;
	/** The description that has the device, and how another file is opened that it names. */
	readonly described?: { readonly by: string; open(name: string): Promise<Source> } | undefined;
};

export type DiskOptions = {
	/** How images are opened, and which further files. */
	readonly opening: OpenOptions;
	/** Whether an image that a running machine writes to is no matter. */
	readonly forceShare?: boolean | undefined;
};

/** A disk with the whole of its chain, checked. What is wrong with it is in its state: nothing that it holds makes this throw. */
export const lookAtDisk = async ({ name, path, device, format, open, described }: DiskRequest, options: DiskOptions): Promise<LookedAt> => {
	const uses: Problem[] = [];
	const opened: Source[] = [];
	const watched = (source: Source): Source => {
		opened.push(source);
		try {
			holdSource(source, { forceShare: options.forceShare, sourceLock: false });
		} catch (error) {
			uses.push(problemOf(error));
		}
		return source;
	};
	const opening: OpenOptions = {
		...options.opening,
		format: format ?? options.opening.format,
		gate: async (source, reference) => watched(await options.opening.gate(source, reference)),
	};
	try {
		if (device && described) refuseSlice(described.by, device);
		const source = watched(await open());
		const layers = await openChain(source, opening).catch(async (error) => {
			await source.close();
			throw error;
		});
		if (device && described) {
			await refuseOtherChain(described.by, device, { layers, opened }, described.open).catch(async (error) => {
				await flatten(layers).close();
				throw error;
			});
		}
		const [problem, image] = await imageState(layers, opening);
		const { name: path, identity } = source;
		return { state: { name, path, identity, device, image, problem: uses[0] ?? problem }, disk: flatten(layers) };
	} catch (error) {
		return { state: { name, path, device, problem: uses[0] ?? problemOf(error) } };
	}
};

/** What there is to say of an image and its parents, and what kept one of them from being checked. */
const imageState = async (layers: readonly Layer[], opening: OpenOptions): Promise<readonly [Problem | undefined, ImageState]> => {
	const chain: LayerState[] = [];
	let problem: Problem | undefined;
	for (const { source, format, disk } of layers) {
		const known = { path: source.name, format: format.id, info: disk.info };
		try {
			chain.push({ ...known, check: await format.check?.(source, contextFor(source, { ...opening, snapshot: undefined })) });
		} catch (error) {
			problem ??= problemOf(error);
			chain.push(known);
		}
	}
	const { format, disk, source } = layers[0] as Layer;
	const { size, sectorSize, info } = disk;
	return [problem, { format: format.id, size, sectorSize, fileSize: source.size, info, chain }];
};
