import fs from 'node:fs';
import path from 'node:path';
import type { OpenOptions } from '../../convert/open.ts';
import type { Source } from '../../core/source.ts';
import type { ListedSnapshot, Machine, MachineFormat } from '../../machine/format.ts';
import { parseMachine } from '../../machine/plan.ts';
import type { MachineFacts, SnapshotFacts } from '../../validate/facts.ts';
import { LARGEST_DESCRIPTION, readDescription, readDescriptionFile } from '../description.ts';
import { statOf } from '../file.ts';
import { surroundings } from '../vm-folder.ts';
import { problemOf } from './problem.ts';

/** A snapshot's state that is larger holds the memory of the machine too, in bytes. */
const LARGEST_WITHOUT_MEMORY = 8 << 20;

/** What a file may be. */
export type KnownFormats = {
	readonly machineFormats: readonly MachineFormat[];
	readonly opening: Pick<OpenOptions, 'formats' | 'format'>;
};

/** No description has a zero among its first bytes. */
const TEXT = 4096;

/**
 * The machine that a file describes; undefined if it is no description, nor called as nothing else is. What is called like an image, or is
 * said to be one, is none, for the guest may have written anything into a raw disk.
 * @throws VconvError for a broken one, and for a file that is called like one and is too large to be one.
 */
export const describedBy = async (source: Source, { machineFormats, opening }: KnownFormats): Promise<Machine | undefined> => {
	const extension = path.extname(source.name).slice(1).toLowerCase();
	const named = machineFormats.find(({ extensions }) => extensions.includes(extension));
	if (!named) {
		if (opening.format !== undefined || opening.formats.some(({ extensions }) => extensions.includes(extension))) return undefined;
		if (source.size > LARGEST_DESCRIPTION || (await source.read(0, Math.min(source.size, TEXT))).includes(0)) return undefined;
	}
	const bytes = await readDescription(source);
	const isOther = (!named || named.sharesExtensions) && !machineFormats.some(({ probe }) => probe(bytes));
	return isOther ? undefined : parseMachine(bytes, source.name, machineFormats);
};

/** What a description and the files beside it say. */
export const machineFacts = async (machine: Machine, formats: readonly MachineFormat[]): Promise<MachineFacts> => {
	const { format, spec, report, entries } = machine;
	const form = formats.find(({ id }) => id === format);
	const list = form?.listSnapshots;
	const known = { path: machine.path, format, spec, entries, report };
	// Only VMware keeps the rest beside a description.
	if (!list) return { ...known, locks: [], suspended: [] };
	const { locks, memory, snapshotList } = surroundings(machine.path);
	const said = entries?.find(([key]) => key.toLowerCase() === 'checkpoint.vmstate')?.[1];
	// A state that the description says is none was left behind.
	const suspended = said === undefined ? memory : said === '' ? [] : [path.join(path.dirname(machine.path), said)];
	if (snapshotList === undefined) return { ...known, locks, suspended, snapshots: [] };
	try {
		const bytes = await readDescriptionFile(snapshotList);
		const unconsolidated = form.needsConsolidation?.(bytes, snapshotList) ? snapshotList : undefined;
		return { ...known, locks, suspended, snapshots: snapshots(snapshotList, list(bytes, snapshotList)), unconsolidated };
	} catch (error) {
		return { ...known, locks, suspended, unread: [problemOf(error)] };
	}
};

const snapshots = (file: string, listed: readonly ListedSnapshot[]): readonly SnapshotFacts[] =>
	listed.map(({ name, stateFile }) => ({
		name,
		memory: stateFile !== undefined && hasMemory(path.join(path.dirname(file), path.basename(stateFile))),
	}));

/** Whether the state of a snapshot comes with memory: in a file of its own, or in itself. */
const hasMemory = (stateFile: string): boolean =>
	fs.existsSync(stateFile.replace(/\.vmsn$/i, '.vmem')) || (statOf(stateFile)?.size ?? 0) > LARGEST_WITHOUT_MEMORY;
