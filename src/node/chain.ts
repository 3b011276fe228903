import path from 'node:path';
import { diskFormats } from '../../formats/index.ts';
import { type Conversion, freshStamp, openLayers } from '../api.ts';
import { planImage } from '../convert/convert.ts';
import { type KeepRequest, keepChain, rehearseChain } from '../convert/keep.ts';
import { measureImage } from '../convert/measure.ts';
import type { Layer } from '../convert/open.ts';
import { profileNamed } from '../convert/profiles.ts';
import { targetFormat } from '../convert/target.ts';
import type { Target } from '../core/sink.ts';
import { AccessError, UsageError } from '../errors.ts';
import { checkPlan, committedIf, refuseOutput, withSources } from './convert.ts';
import type { ConvertFileOptions } from './convert-options.ts';
import { openFile } from './file.ts';
import { nodeFiles } from './files.ts';
import { nodeMover } from './mover.ts';
import { noteOpenFolder } from './open-folder.ts';
import { proving } from './proving.ts';
import { createTarget } from './target.ts';

export type ConvertChainOptions = Omit<
	ConvertFileOptions,
	'backing' | 'backingName' | 'backingFormat' | 'layer' | 'onPlan' | 'proof' | 'verifyWith'
>;

/** What came of one image of a chain. */
export type KeptImage = Conversion & { readonly filename: string };

/**
 * Convert an image and its parents into a chain of the same length: `output`, and beside it an image for each parent, under the
 * parent's name with the extension of `output`. Gives what came of each, the top first.
 * @throws as `convertFile`, and UsageError where two of them would have one name. Then none of the names is taken; what `force` was to
 * replace may be gone.
 */
export const convertChain = (input: string, output: string, options: ConvertChainOptions = {}): Promise<readonly KeptImage[]> =>
	withSources<readonly KeptImage[]>(input, options, async (given, _, unchanged) => {
		// The images of an interrupted chain go, and so would not be found by a run that took it up.
		const alone = { ...options, restart: true, keepPartial: false };
		const { formats = diskFormats, force = false, snapshot, inputFormat, signal } = options;
		const profile = options.profile === undefined ? undefined : profileNamed(options.profile);
		const format = targetFormat(formats, path.basename(output), options.format, profile);
		const folder = path.dirname(output);
		const at = (name: string): string => path.join(folder, name);
		const proof = await proving(given.from, output, options);
		const reads = new Set<string>();
		const made: string[] = [];
		const layers = await openLayers(given.from, { format: inputFormat, snapshot }, given, reads);
		try {
			const names = chainNames(layers, output, format.extensions[0] as string);
			for (const name of names) refuseName(at(name), reads, force);
			noteOpenFolder(output, options);
			const request: KeepRequest = {
				layers,
				names,
				format,
				codec: given.codec,
				mover: nodeMover({ ...options, readAgain: proof.readAgain }),
				options: options.options,
				profile,
				compress: options.compress,
				sectorSize: options.sectorSize,
				stamp: options.stamp ?? freshStamp(),
				signal,
				hashing: proof.hashing,
				target: async (name) =>
					remembering(committedIf(unchanged, await createTarget(at(name), { ...alone, verify: proof.verify })), at(name), made),
				reopen: (name) => openFile(at(name)),
				async onPlan(name, layout, image) {
					const measure = async () => (await measureImage(image.disk, planImage({ ...image, name, note() {} }), signal)).written;
					const plan = { layout, reads, measure };
					proof.planned(plan);
					await checkPlan(at(name), plan, options);
				},
				onProgress: (progress) => options.onProgress?.(progress),
				note: (note) => options.onNote?.(note),
			};
			await rehearseChain(request);
			const moved = await keepChain(request);
			return moved.map((one, i) => ({
				...one,
				filename: at(names[i] as string),
				format: format.id,
			}));
		} catch (error) {
			for (const name of made) nodeFiles.remove(name);
			throw error;
		} finally {
			for (const { disk } of layers) await disk.close();
		}
	});

/** The plain names of the images to be, the top first. @throws UsageError where two of them would have one name. */
export const chainNames = (layers: readonly Layer[], output: string, usual: string): readonly string[] => {
	const extension = path.extname(output) || `.${usual}`;
	const parents = layers.slice(1).map(({ source }) => `${path.parse(source.name).name}${extension}`);
	const names = [path.basename(output), ...parents];
	const twice = names.find((name, i) => names.indexOf(name) !== i);
	if (twice !== undefined) {
		throw new UsageError(`two images of the chain would be called ${twice}`, {
			path: output,
			hint: `another name for OUT, beside ${[...new Set(parents)].join(', ')}`,
		});
	}
	return names;
};

const refuseName = (name: string, reads: ReadonlySet<string>, force: boolean): void => {
	refuseOutput(name, reads);
	if (!force && nodeFiles.idOf(name) !== undefined) {
		throw new AccessError('it exists already', { path: name, hint: '--force to replace it, or a folder of its own for the chain' });
	}
};

/** The target, with its names in `made` once it has them. */
const remembering = (target: Target, name: string, made: string[]): Target => {
	const names = [name];
	return {
		...target,
		beside(file) {
			names.push(path.join(path.dirname(name), file));
			return target.beside(file);
		},
		async commit() {
			await target.commit();
			made.push(...names);
		},
	};
};
