import path from 'node:path';
import { diskFormats } from '../../../formats/index.ts';
import { freshStamp, openLayers } from '../../api.ts';
import type { Job } from '../../batch/expand.ts';
import type { FileIdentity } from '../../batch/journal.ts';
import { splitOptions } from '../../batch/plan.ts';
import { planImage } from '../../convert/convert.ts';
import { parseLimits } from '../../convert/limits.ts';
import { measureImage } from '../../convert/measure.ts';
import { flatten } from '../../convert/open.ts';
import { profileNamed } from '../../convert/profiles.ts';
import { targetFormat } from '../../convert/target.ts';
import type { OptionValues } from '../../core/format.ts';
import { limitsOf } from '../../core/limits.ts';
import type { Source } from '../../core/source.ts';
import { VconvError } from '../../errors.ts';
import { PROOF } from '../../proof/file.ts';
import { chainNames } from '../chain.ts';
import { openFile } from '../file.ts';
import { gate, siblings } from '../gate.ts';
import { identify, usageOf } from './identity.ts';
import { saidBy } from './said.ts';
import { surveyMachine } from './survey-machine.ts';

/** What is known of a job before it runs. */
export type Survey = {
	/** All files that it reads, the named one first. */
	readonly files: readonly FileIdentity[];
	/** Bytes that they take on their disks. */
	readonly before: number;
	/** Bytes of the disk that the guest sees; undefined where no disk is read. */
	readonly virtual?: number | undefined;
	/** Bytes that the target takes at the most. */
	readonly needed: number;
	/** What else comes beside the target: further files of an image, the images of parents that are kept, a proof. */
	readonly further?: readonly string[] | undefined;
	/** Why nothing more is known: the job itself will say so in its own words. */
	readonly failure?: VconvError | undefined;
};

/** Look at a job's source: what it is made of, how large it is, and what room its target takes. */
export const survey = async (job: Job, signal?: AbortSignal): Promise<Survey> => {
	const own = identify(job.from);
	const plain: Survey = { files: own ? [own] : [], before: usageOf(job.from), needed: 0 };
	if (job.kind !== 'convert') return withDisks(job, plain, signal);
	if (job.to === undefined) return plain;
	try {
		return await surveyDisk(job, job.to, signal);
	} catch (failure) {
		if (!(failure instanceof VconvError)) throw failure;
		return { ...plain, needed: plain.before, failure };
	}
};

/** Bytes that what a job reads takes on its disks, for the order of many: of a machine that is moved with all of its disks. */
export const sizeOf = async (job: Job, signal?: AbortSignal): Promise<number> => {
	if (job.kind !== 'migrate') return usageOf(job.from);
	const { names } = await surveyMachine(job, false, signal);
	return names.reduce((sum, name) => sum + usageOf(name), 0);
};

/** Of a machine not its description alone. An image is validated too, and is no machine: that it cannot be looked at as one says nothing. */
const withDisks = async (job: Job, plain: Survey, signal: AbortSignal | undefined): Promise<Survey> => {
	const { names, virtual, needed, failure } = await surveyMachine(job, job.kind === 'migrate', signal);
	const files = names.flatMap((name) => identify(name) ?? []);
	if (files.length === 0) return { ...plain, ...((job.kind === 'migrate' || plain.files.length === 0) && { failure }) };
	return { ...sizesOf(files), virtual, needed, ...(job.kind === 'migrate' && { failure }) };
};

const sizesOf = (files: readonly FileIdentity[]): Pick<Survey, 'files' | 'before'> => ({
	files,
	before: files.reduce((sum, file) => sum + usageOf(file.path), 0),
});

const surveyDisk = async (job: Job, to: string, signal: AbortSignal | undefined): Promise<Survey> => {
	const { from } = job;
	const said = saidBy(job);
	const untrusted = said.has('untrusted');
	const limits = limitsOf({ limits: parseLimits(said.texts('limit')), untrusted });
	const permissions = { allow: said.texts('allow-external'), untrusted, limits };
	const names = new Set([from, ...said.texts('backing').map((name) => path.resolve(name))]);
	const follow = gate(permissions);
	const options = {
		async follow(source: Source, reference: string) {
			const found = await follow(source, reference);
			names.add(path.resolve(found.name));
			return found;
		},
		siblings: siblings(
			diskFormats.flatMap(({ extensions }) => extensions),
			permissions,
		),
		from: await openFile(from),
		limits,
		signal,
	};
	const which = { format: said.text('format'), snapshot: said.text('snapshot'), layer: said.has('layer') };
	const layers = await openLayers(options.from, which, options, new Set()).catch(async (error: unknown) => {
		await options.from.close();
		throw error;
	});
	const disk = flatten(layers);
	try {
		for (const { source } of layers) names.add(path.resolve(source.name));
		const profile = said.text('for');
		const target = profile === undefined ? undefined : profileNamed(profile);
		const format = targetFormat(diskFormats, path.basename(to), said.text('output-format'), target);
		const layout = planImage({
			disk,
			format,
			options: optionValues(said.texts('option')),
			profile: target,
			compress: said.has('compress'),
			stamp: freshStamp(),
			name: path.basename(to),
			note() {},
		});
		const files = [...names].flatMap((name) => identify(name) ?? []);
		const kept = said.has('keep-chain') ? chainNames(layers, to, format.extensions[0] as string).slice(1) : [];
		const proof = said.has('proof') ? [`${path.basename(to)}${PROOF}`] : [];
		const further = [...(layout.files ?? []), ...kept, ...proof].map((name) => path.join(path.dirname(to), name));
		return { ...sizesOf(files), virtual: disk.size, needed: (await measureImage(disk, layout, signal)).written, further };
	} finally {
		await disk.close();
	}
};

/** `name=value,name=value` texts, in which a doubled comma is a comma, as the conversion takes them. */
const optionValues = (said: readonly string[]): OptionValues =>
	Object.fromEntries(
		said.flatMap(splitOptions).map((pair) => {
			const [, name = '', value = 'on'] = /^([^=]*)(?:=(.*))?$/s.exec(pair.replaceAll(',,', ',')) ?? [];
			return [name, value];
		}),
	);
