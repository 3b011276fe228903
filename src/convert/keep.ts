import type { Codec } from '../core/codec.ts';
import type { Disk } from '../core/disk.ts';
import type { BackingReference, DiskFormat, Layout } from '../core/format.ts';
import type { Target } from '../core/sink.ts';
import type { Source } from '../core/source.ts';
import { difference } from '../disk/difference.ts';
import { AccessError } from '../errors.ts';
import { memoryTarget } from '../io/memory.ts';
import { type ConvertRequest, convertDisk, planImage, type Written } from './convert.ts';
import { flatten, type Layer, openLayer } from './open.ts';
import { asReference } from './reference.ts';

export type KeepRequest = Omit<ConvertRequest, 'disk' | 'target' | 'backing' | 'onPlan'> & {
	/** The chain, the top first. It stays open. */
	readonly layers: readonly Pick<Layer, 'disk'>[];
	/** The plain names of the images to be, all in one folder, in the same order. */
	readonly names: readonly string[];
	readonly codec: Codec;
	/** Where an image goes. Asked for from the base up, once the one before has its name. */
	target(name: string): Promise<Target>;
	/** An image that has its name by now, or a file of it, to read its id back. */
	reopen(name: string): Promise<Source>;
	/** Looks at each image before it is written; may throw. */
	onPlan?(name: string, layout: Layout, image: ConvertRequest): Promise<void>;
};

/**
 * Write a chain as a chain of the same length in another format: the base whole, and of each image above only the blocks in which the
 * guest sees something else than beneath it. Gives what came of each, in the order of `layers`.
 * @throws as `convertDisk`; the images before then have their names.
 */
export const keepChain = async (request: KeepRequest): Promise<readonly Written[]> => {
	const { layers, names, codec, target, reopen, onPlan, hashing, ...common } = request;
	const moved: Written[] = [];
	let backing: BackingReference | undefined;
	for (let i = layers.length - 1; i >= 0; i--) {
		const name = names[i] as string;
		const disk = disksFrom(layers, i);
		const whole = { ...common, disk, backing };
		const layout = backing && planImage({ ...whole, name });
		const delta = layout && difference(disk, disksFrom(layers, i + 1), codec, layout.block, layout.size);
		const hashed = hashing && delta ? { ...hashing, whole: disk } : hashing;
		const said = delta && { disk: delta, note() {} };
		const image: ConvertRequest = { ...whole, ...said, hashing: hashed, target: await target(name) };
		moved.unshift(await convertDisk({ ...image, onPlan: async (layout) => onPlan?.(name, layout, image) }));
		if (i > 0) backing = await referenceTo(name, request.format, reopen);
	}
	return moved;
};

/** What the guest sees of the layers from one down to the base. */
const disksFrom = (layers: readonly Pick<Layer, 'disk'>[], first: number): Disk => flatten(layers.slice(first));

/** How a child is to refer to an image that was just written. */
const referenceTo = async (name: string, format: DiskFormat, reopen: KeepRequest['reopen']): Promise<BackingReference> => {
	const source = await reopen(name);
	const gate = (_: Source, reference: string) => reopen(reference);
	try {
		const { disk } = await openLayer(source, { formats: [format], format: format.id, gate });
		await disk.close();
		return { name: asReference(name), format: format.id, size: disk.size, id: disk.id };
	} finally {
		await source.close();
	}
};

/**
 * Write the same chain without any data into memory: what a format refuses of it (sizes that differ, options that no delta can have)
 * is refused before the first byte of the real one.
 * @throws as `keepChain`.
 */
export const rehearseChain = async (request: KeepRequest): Promise<void> => {
	const files: ReturnType<typeof memoryTarget>['files'] = new Map();
	await keepChain({
		...request,
		hashing: undefined,
		mover: { move: async () => ({ data: 0, stored: 0 }) },
		async target(name) {
			const made = memoryTarget(name);
			return {
				...made,
				async commit() {
					await made.commit();
					for (const [file, sink] of made.files) files.set(file, sink);
				},
			};
		},
		async reopen(name) {
			const found = files.get(name);
			if (!found) throw new AccessError('it was not written', { path: name });
			return found.source();
		},
		async onPlan() {},
		note() {},
	});
};
