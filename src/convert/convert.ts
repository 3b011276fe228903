import type { Disk } from '../core/disk.ts';
import type { BackingReference, DiskFormat, Layout, OptionValues, Stamp } from '../core/format.ts';
import type { Moved, Mover, Progress } from '../core/mover.ts';
import type { Sink, Target } from '../core/sink.ts';
import { UnsupportedError } from '../errors.ts';
import { optionValues } from './options.ts';

export type ConvertRequest = {
	/** What the guest sees: a layer or a whole chain. It stays open. */
	readonly disk: Disk;
	readonly target: Target;
	readonly format: DiskFormat;
	readonly mover: Mover;
	readonly options?: OptionValues | undefined;
	readonly compress?: boolean | undefined;
	/** Write only what differs from this image; `disk` must be absent where it does not. */
	readonly backing?: BackingReference | undefined;
	readonly stamp: Stamp;
	readonly signal?: AbortSignal | undefined;
	/** Looks at the layout before anything is written; may throw, as for a store without room. */
	onPlan?(layout: Layout): Promise<void>;
	onProgress?(progress: Progress): void;
};

/** Lay out an image of `disk` in this format. @throws UsageError, UnsupportedError. */
export const planImage = (request: Omit<ConvertRequest, 'mover' | 'target'> & { readonly name: string }): Layout => {
	const { writer, id, name } = request.format;
	if (!writer) throw new UnsupportedError(`vconv reads ${name} and does not write it`, { hint: 'another -O' });
	return writer.plan({
		size: request.disk.size,
		sectorSize: request.disk.sectorSize,
		name: request.name,
		options: optionValues(writer.options, request.options ?? {}, id),
		compress: request.compress ?? false,
		backing: request.backing,
		stamp: request.stamp,
	});
};

/** Write the disk to the target in another format, and give it its name. On any failure nothing is left. */
export const convertDisk = async (request: ConvertRequest): Promise<Moved> => {
	const { disk, target, mover, signal } = request;
	try {
		const layout = planImage({ ...request, name: target.main.name });
		await request.onPlan?.(layout);
		const sinks: Sink[] = [target.main];
		for (const file of layout.files ?? []) sinks.push(await target.beside(file));
		const moved = await mover.move({
			disk,
			layout,
			sinks,
			signal,
			...(request.onProgress && { onProgress: request.onProgress.bind(request) }),
		});
		await layout.finish(sinks);
		signal?.throwIfAborted();
		await target.commit();
		return moved;
	} catch (error) {
		await target.abandon();
		throw error;
	}
};
