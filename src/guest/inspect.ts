import type { Codec } from '../core/codec.ts';
import type { Disk } from '../core/disk.ts';
import type { Expanders } from '../core/expand.ts';
import { LIMITS } from '../core/limits.ts';
import { assemble } from './assemble.ts';
import { allowance, type Budget, budgeted, type Cost, diskDevice } from './device.ts';
import type { GuestReport, Incomplete, VolumeFacts } from './facts.ts';
import type { FileSystemReader } from './filesystem.ts';
import { firmwareOf } from './firmware.ts';
import { initramfsBudget } from './initramfs/budget.ts';
import { fileSystemReaders, systemReaders } from './readers.ts';
import {
	type Attempt,
	attempts,
	type GuestContext,
	type OpenVolume,
	type ParseYaml,
	type SystemFacts,
	type SystemReader,
} from './system.ts';
import type { Recognised } from './volumes/candidate.ts';

/** A disk of the machine, in its order. */
export type GuestDisk = {
	readonly disk: Disk;
	/** What to call its image. */
	readonly image: string;
	/** The sectors that the machine shows its guest, in bytes; those of the image where left out. */
	readonly sectorSize?: 512 | 4096 | undefined;
};

export type InspectOptions = {
	/** Unpacks what images store compressed. */
	readonly codec: Codec;
	/** Expands what the guest itself stores compressed; by what runs anywhere where left out. */
	readonly expanders?: Expanders | undefined;
	/** Reads YAML; netplan's settings are not read where left out. */
	readonly parseYaml?: ParseYaml | undefined;
	/** What looking into one volume, or one operating system, may cost; 1 GiB and 20 s where left out. All together: three times that. */
	readonly budget?: Budget | undefined;
	/** All that vconv has, where left out. */
	readonly fileSystems?: readonly FileSystemReader[] | undefined;
	readonly systems?: readonly SystemReader[] | undefined;
	readonly signal?: AbortSignal | undefined;
};

const BUDGET: Budget = { bytes: LIMITS['inspect-bytes'].value, milliseconds: LIMITS['inspect-seconds'].value * 1000 };

/** The pages of cache that all disks share: 64 MiB. */
const PAGES = 4096;

/**
 * What is on the disks of one machine, which are looked at together: partition tables, what volumes hold, the operating systems in those
 * that can be read. Nothing of it is trusted, nothing is written, and what cannot be read is in `incomplete`.
 * @throws the reason of `signal`. Nothing that a guest can write makes it throw.
 */
export const inspectGuest = async (given: readonly GuestDisk[], options: InspectOptions): Promise<GuestReport> => {
	const start = performance.now();
	const cost: Cost = { reads: 0, bytes: 0 };
	const incomplete: Incomplete[] = [];
	const spent = allowance(options.budget ?? BUDGET, options.signal);
	const attempt = attempts(incomplete);
	const pages = Math.max(64, Math.floor(PAGES / given.length));
	const { disks, volumes } = await assemble(
		given.map(({ disk, image, sectorSize }, index) => ({
			image,
			device: budgeted(diskDevice(disk, options.codec, { name: `disk${index}`, sectorSize, cost, pages }), spent),
		})),
		{ attempt, incomplete, renew: spent.renew },
	);
	const open: OpenVolume[] = [];
	const known: VolumeFacts[] = [];
	for (const volume of volumes) {
		spent.renew();
		const opened = await openVolume(volume, options.fileSystems ?? fileSystemReaders, { attempt, incomplete });
		if ('fileSystem' in opened) open.push(opened);
		known.push(opened.facts);
	}
	const context: GuestContext = {
		disks,
		volumes: known,
		open,
		attempt,
		expanders: options.expanders,
		initramfs: initramfsBudget(),
		parseYaml: options.parseYaml,
		breathe: (where) => spent.take(0, where),
	};
	const systems: SystemFacts[] = [];
	for (const root of open) {
		for (const read of options.systems ?? systemReaders) {
			spent.renew();
			const system = await attempt(root.facts.id, 'operating system', () => read(root, context));
			if (system) systems.push(system);
		}
	}
	const [main, ...others] = systems.toSorted((a, b) => bootability(b) - bootability(a));
	spent.renew();
	const firmware = await firmwareOf(disks, open, attempt, main?.os.arch);
	return {
		schema: 'vconv.guest/1',
		cost: { milliseconds: Math.round(performance.now() - start), ...cost },
		disks,
		volumes: known.map((volume) => withSystems(volume, systems)),
		firmware,
		os: main?.os ?? null,
		otherSystems: others.map(({ os }) => os),
		drivers: main?.drivers ?? null,
		network: main?.network ?? [],
		software: main?.software ?? {},
		incomplete,
	};
};

/** What a volume may be without anything of it being left unread. */
const NOTHING_INSIDE = new Set(['unknown', 'swap', 'LVM2_member', 'linux_raid_member', 'jbd']);

/** The volume with its file system, where that can be read, and with what that says of itself. */
const openVolume = async (
	{ facts, device }: Recognised,
	readers: readonly FileSystemReader[],
	{ attempt, incomplete }: { readonly attempt: Attempt; readonly incomplete: Incomplete[] },
): Promise<Recognised | OpenVolume> => {
	if (!device || facts.unsupported !== undefined || NOTHING_INSIDE.has(facts.type)) return { facts };
	const reader = readers.find(({ types }) => types.includes(facts.type));
	if (!reader) return { facts: { ...facts, unsupported: `vconv does not look into ${facts.type}` } };
	const fileSystem = await attempt(facts.id, 'file system', () => reader.open(device));
	if (!fileSystem) return { facts };
	if (fileSystem.unseen) incomplete.push({ where: facts.id, what: 'newest changes', why: fileSystem.unseen });
	const { label = facts.label, uuid = facts.uuid, free = facts.free, freeInodes = facts.freeInodes, blockSize } = fileSystem;
	const clean = fileSystem.clean ?? facts.clean;
	const state = [...new Set([...facts.state, ...(fileSystem.state ?? [])])];
	return { device, fileSystem, facts: { ...facts, label, uuid, free, freeInodes, blockSize, clean, state } };
};

/** Of several systems, the one that has what it takes to boot is the machine's; among equals, the first disk's. */
const bootability = ({ os }: SystemFacts): number =>
	(os.bootloader ? 2 : 0) + (os.family === 'windows' || (os.kernels ?? []).length > 0 ? 1 : 0);

/** The volume with what the files of the systems say of it. */
const withSystems = (volume: VolumeFacts, systems: readonly SystemFacts[]): VolumeFacts => {
	const mountpoint = systems.map(({ mountpoints }) => mountpoints?.get(volume.id)).find((path) => path !== undefined);
	const states = systems.flatMap((system) => system.states?.get(volume.id) ?? []);
	return { ...volume, mountpoint, state: [...new Set([...volume.state, ...states])] };
};
