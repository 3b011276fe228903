import path from 'node:path';
import { diskFormats } from '../../../formats/index.ts';
import { humanSize } from '../../bytes/size.ts';
import type { Progress } from '../../core/mover.ts';
import { AccessError, BlockedError } from '../../errors.ts';
import { convertFile } from '../convert.ts';
import { freeSpace } from '../target.ts';
import { locateDisk, readingOptions } from './disks.ts';
import { type MigrationReport, migrationReport, readme } from './documents.ts';
import { DESTINATIONS, type PlanOptions, type RunOptions } from './options.ts';
import { type MigrationPlan, namesOf, planMigration, README, REPORT } from './plan.ts';
import type { PlannedDisk } from './planned-disk.ts';
import { openStaging, type Staging } from './staging.ts';
import type { Done } from './state.ts';

export type MigrateFilesOptions = PlanOptions & RunOptions;

/**
 * Move a machine that is off to another hypervisor: its description translated and every disk converted, in `folder`, with a report and a word
 * on what is next. Nothing has its name before everything is there. What an interrupted call has done, the next one does not do again.
 * @throws VconvError of every kind; the reason of `signal`.
 */
export const migrate = async (vm: string, folder: string, options: MigrateFilesOptions): Promise<MigrationReport> =>
	runMigration(await planMigration(vm, folder, options), folder, options);

/** Do what was planned, with the same options. */
export const runMigration = async (plan: MigrationPlan, folder: string, options: MigrateFilesOptions): Promise<MigrationReport> => {
	refuseBlocked(plan);
	const names = namesOf(plan);
	const staging = await openStaging(folder, { of: `${path.resolve(plan.source)} to ${plan.to}`, names }, options);
	try {
		refuseTooMuch(plan, folder, staging, options);
		for (const disk of plan.disks) for (const note of disk.notes) options.onNote?.(note);
		const progress = overall(plan, options);
		const done: Done[] = [];
		for (const disk of plan.disks) {
			done.push(await copyDisk(disk, plan, staging, options, progress.of(disk)));
			progress.past(disk);
		}
		const report = migrationReport(plan, folder, done);
		await staging.write(REPORT, `${JSON.stringify(report, null, '\t')}\n`);
		await staging.write(README, readme(plan, folder));
		await staging.write(plan.description, plan.text);
		options.signal?.throwIfAborted();
		await staging.publish(names);
		return report;
	} catch (error) {
		if (staging.leave()) options.onKept?.(staging.folder);
		throw error;
	}
};

const refuseBlocked = ({ source, blocking }: MigrationPlan): void => {
	const [first, ...others] = blocking;
	if (!first) return;
	const more = others.length > 0 ? `, and ${others.length} more` : '';
	const [seen] = first.evidence;
	throw new BlockedError(`${first.label}: ${seen?.what ?? first.assessment}${more}`, {
		path: source,
		field: seen?.key,
		hint: `${seen?.hint ?? `this: ${asClause(first.remedy)}`}; or --accept ${first.id}; --dry-run shows all that is in the way`,
	});
};

/** A sentence, as a part of another. */
const asClause = (sentence: string): string => `${sentence.charAt(0).toLowerCase()}${sentence.slice(1).replace(/\.$/, '')}`;

/** Convert one disk and read the copy back, unless that is done. */
const copyDisk = async (
	disk: PlannedDisk,
	{ source: description, to }: MigrationPlan,
	staging: Staging,
	options: MigrateFilesOptions,
	progress: (share: number, data: number, stage: Progress['stage']) => void,
): Promise<Done> => {
	const { device, files, format, versions } = disk;
	const [name] = files;
	const { profile } = DESTINATIONS[to];
	const { compress, threads, skipSpaceCheck, verify = true } = options;
	const wanted = JSON.stringify({ versions, device: device.id, format, options: disk.options, profile, compress });
	const reading = readingOptions(options, diskFormats);
	// Where nobody can tell whether the source has changed, what was done of it counts for nothing.
	const before = versions && staging.done(name, wanted);
	if (before && (before.verified || !verify)) return before;
	staging.remove(files);
	const started = performance.now();
	const share = verify ? 0.5 : 1;
	const { data, stored } = await convertFile(await locateDisk(description, device, reading), staging.path(name), {
		...reading,
		inputFormat: device.format,
		format,
		options: disk.options,
		profile,
		compress,
		threads,
		skipSpaceCheck,
		restart: options.restart,
		verify: verify ? 'full' : 'none',
		onProgress({ stage, done, total, data }) {
			progress((stage === 'verify' ? share : 0) + (done / (total || 1)) * share, data, stage);
		},
	});
	const done = { wanted, data, stored, seconds: secondsSince(started), verified: verify };
	await staging.remember(name, files, done);
	return { ...done, files: {} };
};

const secondsSince = (started: number): number => Math.round(performance.now() - started) / 1000;

/** How far all disks are, of how far one is. */
const overall = ({ disks }: MigrationPlan, { onProgress }: RunOptions) => {
	const total = disks.reduce((sum, { size }) => sum + size, 0);
	let [before, dataBefore, data] = [0, 0, 0];
	return {
		of:
			({ size }: PlannedDisk) =>
			(share: number, found: number, stage: Progress['stage']): void => {
				data = found;
				onProgress?.({ stage, done: before + Math.floor(share * size), total, data: dataBefore + data });
			},
		past({ size }: PlannedDisk) {
			before += size;
			dataBefore += data;
			data = 0;
		},
	};
};

/** @throws AccessError if all of it cannot fit. Where disks are compressed nobody knows before. */
const refuseTooMuch = (plan: MigrationPlan, folder: string, staging: Staging, { skipSpaceCheck, compress }: MigrateFilesOptions): void => {
	const free = freeSpace(staging.path('x'));
	if (skipSpaceCheck || compress || free === undefined) return;
	const needed = plan.disks.reduce((sum, { bytes }) => sum + bytes, 0);
	const room = free + staging.held();
	if (needed <= room) return;
	throw new AccessError(`the disks take up to ${humanSize(needed)}, and ${humanSize(room)} are free there`, {
		path: folder,
		hint: `freeing ${humanSize(needed - room)}, or --skip-space-check if much of it is zeros`,
	});
};
