import { redact } from '../../bytes/redact.ts';
import { detect, formatOfName } from '../../convert/detect.ts';
import type { OpenOptions } from '../../convert/open.ts';
import type { Disk } from '../../core/disk.ts';
import type { Source } from '../../core/source.ts';
import { UnrecognizedError } from '../../errors.ts';
import type { Machine, MachineFormat } from '../../machine/format.ts';
import { isHardDisk } from '../../machine/hard-disks.ts';
import { inspectedOnce } from '../../machine/migrate/guest-facts.ts';
import type { DiskDevice } from '../../machine/spec.ts';
import type { DeviceChoices, DiskNeed, DiskState, DomainCapabilities, Facts, HostFacts } from '../../validate/facts.ts';
import type { Target } from '../../validate/targets.ts';
import { openFile } from '../file.ts';
import { orBeside } from '../gate.ts';
import { inspectDisks, sectorsShown } from '../inspect.ts';
import { noFile } from '../migrate/no-file.ts';
import { deltasOf } from './deltas.ts';
import { describedBy, type KnownFormats, machineFacts } from './description.ts';
import { type DiskOptions, type DiskRequest, type LookedAt, lookAtDisk } from './disks.ts';
import { folderFacts, neededFor } from './host.ts';
import { problemOf } from './problem.ts';

export type GatherOptions = DiskOptions & {
	/** What a file may be in place of an image: a description, all of whose disks are then looked at. */
	readonly machineFormats: readonly MachineFormat[];
	/** How the move to KVM is to choose devices. */
	readonly choices?: DeviceChoices | undefined;
	/** The folder that the disks are to go to. */
	readonly folder?: string | undefined;
	/** What the host can do that is to run the machine. */
	readonly capabilities?: DomainCapabilities | undefined;
	/** Where it is to go, for what the disks will take there; looked at only where there is a folder. */
	readonly targets?: readonly Target[] | undefined;
	readonly signal?: AbortSignal | undefined;
};

/**
 * Everything that the files of a machine tell: its description with what lies beside it, or images that are its disks in their order.
 * What is wrong with an image is in the facts.
 * @throws VconvError where nothing could be looked at: a named file that is not there, a description that is broken.
 */
export const gatherFacts = async (names: readonly [string, ...string[]], options: GatherOptions): Promise<Facts> => {
	const [subject] = names;
	const folder = options.folder === undefined ? undefined : folderFacts(options.folder);
	const machine = names.length === 1 ? await machineIn(subject, options) : undefined;
	const requests = machine ? deviceRequests(machine, options) : imageRequests(names, options);
	const looked: LookedAt[] = [];
	try {
		const known = new Map<string, LookedAt>();
		for (const request of await requests) {
			options.signal?.throwIfAborted();
			looked.push('state' in request ? request : await lookOnce(request, known, options));
		}
		const images = looked.map(({ state }) => state.path);
		const deltas = new Map<string, readonly string[]>();
		for (const { state } of looked) {
			if (machine && state.image && !deltas.has(state.path)) deltas.set(state.path, await deltasOf(state.path, options.opening));
		}
		const states = looked.map(({ state }): DiskState => {
			return { ...state, deltas: (deltas.get(state.path) ?? []).filter((name) => !images.includes(name)) };
		});
		const open = looked.flatMap(({ state: { path, device }, disk }) =>
			disk ? [{ disk, image: path, sectorSize: device && sectorsShown(device) }] : [],
		);
		const once = inspectedOnce(open, ({ image }) => image);
		return {
			subject,
			machine: machine && (await machineFacts(machine, options.machineFormats)),
			disks: states,
			choices: options.choices,
			guest: once.length > 0 && options.choices?.inspect !== false ? await inspectDisks(once, options.opening, options.signal) : undefined,
			host: await hostFacts(folder, open, options),
		};
	} finally {
		for (const disk of new Set(looked.map((one) => one.disk))) await disk?.close();
	}
};

/** A description may name one image many times, which takes as long to look at each time. What it says of chains is of each disk. */
const lookOnce = async (request: DiskRequest, known: Map<string, LookedAt>, options: GatherOptions): Promise<LookedAt> => {
	const { name, path, device, format } = request;
	const said = JSON.stringify([path, format]);
	const found = (device?.chain ? undefined : known.get(said)) ?? (await lookAtDisk(request, options));
	if (!device?.chain) known.set(said, found);
	return { ...found, state: { ...found.state, name, device } };
};

/** The machine that a file describes; undefined if it is no description. @throws VconvError for a broken one. */
export const machineIn = async (name: string, known: KnownFormats): Promise<Machine | undefined> => {
	const source = await openFile(name);
	try {
		return await describedBy(source, known);
	} finally {
		await source.close();
	}
};

const devicesOf = ({ spec }: Machine): readonly DiskDevice[] => spec.disks.filter(isHardDisk);

const deviceRequests = async (machine: Machine, options: GatherOptions): Promise<readonly (DiskRequest | LookedAt)[]> =>
	(await Promise.all(devicesOf(machine).map((device) => deviceRequest(machine, device, options)))).flat();

/** How to open the image of a device; what is known of it already, where it has none in a file and the user does not say where it is. */
const deviceRequest = async (
	machine: Machine,
	device: DiskDevice,
	{ opening }: GatherOptions,
): Promise<readonly (DiskRequest | LookedAt)[]> => {
	const { id: name, media, format } = device;
	if (media.type === 'none' || media.type === 'auto') return [];
	const path = media.type === 'other' ? (media.name ?? media.said) : media.path;
	const openNamed = async (named: string) => {
		const description = await openFile(machine.path);
		try {
			return await orBeside(opening.gate, machine.path, opening.note)(description, named);
		} finally {
			await description.close();
		}
	};
	const open = () => openNamed(path);
	const request = { name, path, device, format, open, described: { by: machine.path, open: openNamed } };
	if (media.type === 'file') return [request];
	const found = await open().catch(() => undefined);
	await found?.close();
	if (found) return [request];
	if (media.type === 'block') return [{ state: { name, path, device } }];
	// A name on the network may be signed, or have a user in it.
	return [{ state: { name, path: redact(path), device, problem: problemOf(noFile(machine.path, device, media)) } }];
};

/**
 * @throws AccessError, UnsupportedError, UnrecognizedError for what is not there, no file or none that a disk may be in, so that a mistyped
 * name is none of the machine's faults.
 */
const imageRequests = async (names: readonly string[], { opening }: GatherOptions): Promise<readonly DiskRequest[]> => {
	for (const name of names) {
		const source = await openFile(name);
		try {
			await refuseOtherFile(source, opening);
		} finally {
			await source.close();
		}
	}
	return names.map((name) => ({ name, path: name, open: () => openFile(name) }));
};

/** What is called like an image is taken for one, and broken if it is none. */
const refuseOtherFile = async (source: Source, { formats, format }: OpenOptions): Promise<void> => {
	if (format !== undefined || formatOfName(formats, source.name)) return;
	try {
		await detect(formats, source);
	} catch (error) {
		if (!(error instanceof UnrecognizedError)) return;
		throw new UnrecognizedError(`it is neither the description of a machine nor an image: ${error.message}`, {
			path: source.name,
			hint: error.hint,
		});
	}
};

const hostFacts = async (
	folder: HostFacts | undefined,
	disks: readonly { readonly disk: Disk; readonly image: string }[],
	{ capabilities, targets = [], opening, signal }: GatherOptions,
): Promise<HostFacts | undefined> => {
	if (!folder) return capabilities && { capabilities };
	const needed: Record<string, readonly DiskNeed[]> = {};
	for (const target of targets) {
		const needs: DiskNeed[] = [];
		for (const { disk, image } of disks) {
			const need = await neededFor(target, disk, opening.formats, signal);
			if (need) needs.push({ path: image, ...need });
		}
		needed[target.id] = needs;
	}
	return { ...folder, needed, capabilities };
};
