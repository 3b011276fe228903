import { flatten, isInUse, type OpenOptions, openChain } from '../convert/open.ts';
import { limitsOf } from '../core/limits.ts';
import type { Note } from '../core/note.ts';
import type { Source } from '../core/source.ts';
import { VconvError } from '../errors.ts';
import type { GuestReport, Incomplete } from '../guest/facts.ts';
import { type GuestDisk, type InspectOptions, inspectGuest } from '../guest/inspect.ts';
import type { MachineFormat } from '../machine/format.ts';
import { isHardDisk } from '../machine/hard-disks.ts';
import type { DiskDevice } from '../machine/spec.ts';
import { nodeExpanders } from './expand.ts';
import { openFile } from './file.ts';
import { orBeside } from './gate.ts';
import { heldOrClosed, type SharingOptions } from './inuse.ts';
import { nodeCodec } from './packer.ts';
import { describedBy, type KnownFormats } from './validate/description.ts';

export type InspectFilesOptions = Pick<InspectOptions, 'signal'> &
	Pick<SharingOptions, 'forceShare'> & {
		/** How images are opened, and which further files; its limits hold for what looking into them costs. */
		readonly opening: OpenOptions;
		/** What a file may be in place of an image: a description, all of whose disks are then looked at. */
		readonly machineFormats: readonly MachineFormat[];
	};

/**
 * What is on these disks of one machine, given as images or as its description, in the machine's order.
 * @throws VconvError if a named file cannot be opened, or a machine writes to it. A disk that only a description names is in `incomplete` then.
 */
export const inspectFiles = async (names: readonly string[], options: InspectFilesOptions): Promise<GuestReport> => {
	const { signal } = options;
	const held = (source: Source): Promise<Source> => heldOrClosed(source, options, options.opening.note);
	const opening: OpenOptions = {
		...options.opening,
		gate: async (source, reference) => held(await options.opening.gate(source, reference)),
	};
	const disks: GuestDisk[] = [];
	const incomplete: Incomplete[] = [];
	try {
		for (const name of names) {
			const source = await openFile(name);
			const devices = await describedDisks(source, options).catch(async (error) => {
				await source.close();
				throw error;
			});
			if (!devices) disks.push({ image: name, disk: flatten(await openChain(await held(source), opening)) });
			else await openDescribed(source, devices, opening, disks, incomplete);
		}
		const report = await inspectDisks(disks, opening, signal);
		return { ...report, incomplete: [...incomplete, ...report.incomplete] };
	} finally {
		for (const { disk } of disks) await disk.close();
	}
};

/** What is on the disks of one machine, open already, within the limits of what looking into a guest costs. */
export const inspectDisks = (
	disks: readonly GuestDisk[],
	{ limits }: Pick<OpenOptions, 'limits'>,
	signal: AbortSignal | undefined,
): Promise<GuestReport> => {
	const { 'inspect-bytes': bytes, 'inspect-seconds': seconds } = limitsOf({ limits });
	return inspectGuest(disks, {
		codec: nodeCodec(),
		expanders: nodeExpanders(),
		// Few guests have any YAML, and what reads it takes a while to load.
		parseYaml: async (text) => (await import('../syntax/value.ts')).yamlValue(text),
		budget: { bytes, milliseconds: seconds * 1000 },
		signal,
	});
};

/** The sectors that a description says the guest sees, in bytes; undefined where they are those of the image. */
export const sectorsShown = ({ sectorSize }: DiskDevice): 512 | 4096 | undefined =>
	sectorSize === 512 || sectorSize === 4096 ? sectorSize : undefined;

/** The hard disks that the file describes; undefined if it is no description. */
const describedDisks = async (source: Source, known: KnownFormats): Promise<readonly DiskDevice[] | undefined> =>
	(await describedBy(source, known))?.spec.disks.filter(isHardDisk);

const openDescribed = async (
	description: Source,
	devices: readonly DiskDevice[],
	opening: OpenOptions,
	disks: GuestDisk[],
	incomplete: Incomplete[],
): Promise<void> => {
	try {
		for (const device of devices) {
			const { id, media, format } = device;
			const missing = (why: string): void => void incomplete.push({ where: id, what: 'disk', why });
			if (media.type !== 'file') {
				missing('it is not in a file');
				continue;
			}
			const notes: Note[] = [];
			try {
				const source = await orBeside(opening.gate, description.name, (note) => notes.push(note))(description, media.path);
				const disk = flatten(await openChain(source, { ...opening, format: format ?? opening.format, note: (note) => notes.push(note) }));
				disks.push({ image: source.name, disk, sectorSize: sectorsShown(device) });
			} catch (error) {
				if (!(error instanceof VconvError) || isInUse(error)) throw error;
				missing(`${media.path}: ${error.message}`);
				continue;
			}
			for (const note of notes) opening.note?.(note);
		}
	} finally {
		await description.close();
	}
};
