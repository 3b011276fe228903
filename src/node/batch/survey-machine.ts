import path from 'node:path';
import { diskFormats } from '../../../formats/index.ts';
import { machineFormats } from '../../../formats/machines.ts';
import type { Job } from '../../batch/expand.ts';
import { parseLimits } from '../../convert/limits.ts';
import { VconvError } from '../../errors.ts';
import type { PathRule } from '../gate.ts';
import { hardDisks, openDiskOf } from '../migrate/disks.ts';
import { readMachine } from '../migrate/machine.ts';
import { DESTINATIONS, type Destination, type PlanOptions } from '../migrate/options.ts';
import { planDisk } from '../migrate/plan.ts';
import { saidBy } from './said.ts';

/** What a machine is made of. */
export type MachineSurvey = {
	/** Its description, and of each hard disk all files beneath it: those that were found before something failed. */
	readonly names: readonly string[];
	/** Bytes of all its disks, as the guest sees them. */
	readonly virtual: number;
	/** Bytes that they take at the destination at the most; 0 where nothing is written. */
	readonly needed: number;
	readonly failure?: VconvError | undefined;
};

/**
 * Look at a machine as the job itself will: at all files of all its disks, in use or not.
 * @param measures whether it is to be known what the disks take at the destination.
 */
export const surveyMachine = async (job: Job, measures: boolean, signal?: AbortSignal): Promise<MachineSurvey> => {
	const names = new Set<string>();
	let [virtual, needed] = [0, 0];
	try {
		const request = { ...requestOf(job), signal };
		const { machine } = await readMachine(job.from, { ...request, machineFormats, allowRunning: true, discardSuspend: true });
		names.add(path.resolve(machine.path));
		for (const device of hardDisks(machine.spec.disks)) {
			const open = await openDiskOf(machine, device, { ...request, formats: diskFormats });
			try {
				virtual += open.disk.size;
				if (measures) needed += (await planDisk(open, 'disk', [], request)).bytes;
				for (const name of open.files()) names.add(path.resolve(name));
			} finally {
				await open.disk.close();
			}
		}
		return { names: [...names], virtual, needed };
	} catch (failure) {
		if (!(failure instanceof VconvError)) throw failure;
		return { names: [...names], virtual, needed, failure };
	}
};

/** What the words of a job say of how its disks are found and written. */
const requestOf = (job: Job): PlanOptions => {
	const said = saidBy(job);
	const to = said.text('to') ?? '';
	return {
		to: isDestination(to) ? to : 'libvirt',
		format: said.text('output-format'),
		compress: said.has('compress'),
		untrusted: said.has('untrusted'),
		allow: said.texts('allow-external'),
		pathMap: said.texts('path-map').map(pathRule),
		limits: parseLimits(said.texts('limit')),
		forceShare: true,
		sourceLock: false,
	};
};

const isDestination = (name: string): name is Destination => Object.hasOwn(DESTINATIONS, name);

const pathRule = (said: string): PathRule => {
	const [from = '', ...to] = said.split('=');
	return { from, to: to.join('=') };
};
