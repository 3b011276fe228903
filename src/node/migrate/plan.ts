import path from 'node:path';
import { diskFormats } from '../../../formats/index.ts';
import { machineFormats } from '../../../formats/machines.ts';
import { freshStamp } from '../../api.ts';
import { planImage } from '../../convert/convert.ts';
import { measureImage } from '../../convert/measure.ts';
import { profileNamed } from '../../convert/profiles.ts';
import { targetFormat } from '../../convert/target.ts';
import { limitsOf } from '../../core/limits.ts';
import type { Note } from '../../core/note.ts';
import { UsageError } from '../../errors.ts';
import type { GuestReport } from '../../guest/facts.ts';
import type { Machine } from '../../machine/format.ts';
import { refuseUnknown, refuseUnknownWords } from '../../machine/migrate/words.ts';
import { printMachine } from '../../machine/plan.ts';
import type { ReportEntry } from '../../machine/report.ts';
import type { VmSpec } from '../../machine/spec.ts';
import type { Concern } from '../../validate/rule.ts';
import { refuseUnknownRules, targetNamed } from '../../validate/validate.ts';
import { siblings } from '../gate.ts';
import { refuseOverwriting } from '../overwriting.ts';
import { type MachineValidation, validateMachine } from '../validate/machine.ts';
import { describe, nameFor } from './description.ts';
import { hardDisks, machineGate, type OpenDisk, openDiskOf, readingOptions } from './disks.ts';
import { readMachine } from './machine.ts';
import { DESTINATIONS, type Destination, type PlanOptions } from './options.ts';
import type { PlannedDisk } from './planned-disk.ts';

/** What a migration will do. Nothing is written by it. */
export type MigrationPlan = {
	/** The description that is read. */
	readonly source: string;
	readonly machine: Machine;
	readonly to: Destination;
	/** As the new machine is called. */
	readonly name: string;
	readonly spec: VmSpec;
	/** The file with the new description, and its text. */
	readonly description: string;
	readonly text: string;
	readonly disks: readonly PlannedDisk[];
	/** Everything of the source that is not in the new machine, or in it in another way. */
	readonly report: readonly ReportEntry[];
	/** What is on the disks; undefined where nobody looked. */
	readonly guest: GuestReport | undefined;
	/** What speaks against the move, the most important first, and for which of it the move has to wait. */
	readonly concerns: readonly Concern[];
	readonly blocking: readonly Concern[];
	/** About how long it takes, in seconds, at a rate that is assumed. */
	readonly seconds: number;
};

/** What is written beside a machine. */
export const REPORT = 'report.json';
export const README = 'README.txt';

/** The names of all files that a migration makes; the description, which makes a machine of the others, is the last. */
export const namesOf = ({ disks, description }: Pick<MigrationPlan, 'disks' | 'description'>): readonly string[] => [
	...disks.flatMap(({ files }) => files),
	REPORT,
	README,
	description,
];

const BESIDE = 'and a copy of the .vmx beside them, with a virtualHW.version and networks that are there';

/** What is to be done instead where a machine has the form of the target already. */
const STAYS: Readonly<Record<Destination, { readonly what: string; readonly hint: string }>> = {
	libvirt: { what: 'it is a domain of libvirt already', hint: 'vconv convert on its disks, if they are to change' },
	esxi: {
		what: "it is a machine of VMware's, and no VMX is rewritten for ESXi",
		hint: `vconv --for esxi DISK.vmdk NEW/DISK.vmdk for each disk, ${BESIDE}, and then vim-cmd solo/registervm`,
	},
	workstation: {
		what: "it is a machine of VMware's, and no VMX is rewritten for Workstation",
		hint: `vconv -o subformat=monolithicSparse DISK.vmdk NEW/DISK.vmdk for each disk, ${BESIDE}`,
	},
};

/** Bytes a second that a plain disk is assumed to take, and to give when copies are compared. */
const RATE = 100e6;

/**
 * Look at a machine and all its disks, and decide what becomes of them.
 * @throws VconvError: for what cannot be found or read, a machine that is not off, one that cannot be translated.
 */
export const planMigration = async (vm: string, folder: string, options: PlanOptions): Promise<MigrationPlan> => {
	refuseUnknown('to', options.to, Object.keys(DESTINATIONS));
	// A wrong word is not to be found out after all disks have been looked at.
	for (const asked of [options.kvm, options.vmware]) if (asked) refuseUnknownWords(asked);
	refuseUnknownRules(options.accept);
	const { machine: read, facts } = await readMachine(vm, { ...options, machineFormats });
	const machine = options.name === undefined ? read : renamed(read, options.name);
	const { form } = DESTINATIONS[options.to];
	if (machine.format === form) {
		throw new UsageError(STAYS[options.to].what, { path: machine.path, hint: STAYS[options.to].hint });
	}
	const reading = readingOptions(options, diskFormats);
	const stem = nameFor(machine);
	const open: OpenDisk[] = [];
	try {
		const looked: PlannedDisk[] = [];
		for (const [index, device] of hardDisks(machine.spec.disks).entries()) {
			const notes: Note[] = [];
			const disk = await openDiskOf(machine, device, reading, (note) => notes.push(note));
			open.push(disk);
			looked.push(await planDisk(disk, `${stem}-disk${index + 1}`, notes, options));
		}
		const { facts: found, concerns, blocking } = await assess(machine, options);
		const guest = options.inspect === false ? undefined : found.guest;
		// Files that are opened late are open by now.
		const disks = looked.map((disk, index) => ({ ...disk, versions: open[index]?.versions() }));
		const { plan, places } = describe(machine, disks, { folder, guest, snapshots: facts.snapshots, options });
		const bytes = disks.reduce((sum, disk) => sum + disk.bytes, 0);
		const made: MigrationPlan = {
			source: machine.path,
			machine,
			to: options.to,
			name: plan.spec.identity.name ?? stem,
			spec: plan.spec,
			description: `${stem}.${form === 'vmx' ? 'vmx' : 'xml'}`,
			text: printMachine(plan, machineFormats),
			disks: disks.map((disk) => ({ ...disk, becomes: places.get(disk.files[0]) })),
			report: plan.report,
			guest,
			concerns,
			blocking,
			seconds: (bytes / RATE) * (options.verify === false ? 1 : 2),
		};
		const read = open.flatMap(({ device, files }) => files().map((name) => ({ name, role: `the disk ${device.id}` })));
		refuseOverwriting(
			namesOf(made).map((name) => ({ name: path.join(folder, name), role: `${name} of DIR`, hint: 'another DIR' })),
			[{ name: machine.path, role: 'VM' }, ...read],
		);
		return made;
	} finally {
		for (const { disk } of open) await disk.close();
	}
};

const renamed = (machine: Machine, name: string): Machine => {
	const { identity } = machine.spec;
	if (name.trim() === '') throw new UsageError('--name is empty');
	return { ...machine, spec: { ...machine.spec, identity: { ...identity, name, nameStored: undefined, title: undefined } } };
};

/**
 * Whoever says that a machine may be running or suspended has accepted what follows from it; and what is a device of the host in a domain
 * has been opened by now, as the user said.
 */
const assess = (
	machine: Machine,
	{ to, accept = [], allowRunning, discardSuspend, forceShare, signal, ...options }: PlanOptions,
): Promise<MachineValidation> => {
	const limits = limitsOf(options);
	return validateMachine([machine.path], targetNamed(to), {
		opening: {
			formats: diskFormats,
			gate: machineGate(machine.path, readingOptions(options, diskFormats)),
			siblings: siblings(
				diskFormats.flatMap(({ extensions }) => extensions),
				{ ...options, limits },
			),
			limits,
			signal,
		},
		machineFormats,
		choices: { ...options.kvm, inspect: options.inspect },
		forceShare,
		accept: [
			...accept,
			...(allowRunning ? ['vconv.vm.running'] : []),
			...(discardSuspend ? ['vconv.vm.suspended'] : []),
			...(machine.format === 'libvirt' ? ['vmware.disk.rdm.detected'] : []),
		],
		signal,
	});
};

/** The image that a disk becomes. @param stem its name without extension. */
export const planDisk = async (
	{ device, disk, layers }: OpenDisk,
	stem: string,
	notes: Note[],
	request: PlanOptions,
): Promise<PlannedDisk> => {
	const { profile: profileId, format: usual } = DESTINATIONS[request.to];
	const profile = profileId && profileNamed(profileId);
	// What several machines write to has no metadata that they could agree on.
	const shared = device.shareable && usual === 'qcow2' ? 'raw' : usual;
	const format = targetFormat(diskFormats, stem, request.format ?? shared);
	const taken = profile ? profile.takes.map((one) => one.format) : [usual];
	if (!taken.includes(format.id)) {
		throw new UsageError(`${request.to} takes ${taken.join(' or ')}, and -O says ${format.id}`, { hint: `-O ${taken.join(' or -O ')}` });
	}
	const name = `${stem}.${format.extensions[0]}`;
	const { options = {}, compress, signal } = request;
	const stamp = freshStamp();
	const layout = planImage({ disk, format, options, profile, compress, stamp, name, note: (note) => notes.push(note) });
	const [top] = layers;
	return {
		device,
		chain: layers.map(({ source }) => path.normalize(source.name)),
		from: top?.format.id ?? '',
		size: disk.size,
		files: [name, ...(layout.files ?? [])],
		format: format.id,
		options,
		bytes: (await measureImage(disk, layout, signal)).written,
		versions: undefined,
		uuid: layers.map(uuidOf).find((uuid) => uuid !== undefined),
		notes,
	};
};

/** A VMDK's id of its disk. */
const uuidOf = ({ disk }: OpenDisk['layers'][number]): string | undefined => {
	const uuid = (disk.info.specific?.data['ddb'] as Readonly<Record<string, unknown>> | undefined)?.['ddb.uuid'];
	return typeof uuid === 'string' ? uuid : undefined;
};
