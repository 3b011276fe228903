import type { Begun, Journal, Placement, Undertaking } from '../core/journal.ts';
import type { LeafRun } from '../core/proof.ts';
import type { Stamp } from '../core/stamp.ts';
import { pushJoined } from '../engine/trail-bytes.ts';
import { AccessError, OutdatedError } from '../errors.ts';
import { accessError } from './file.ts';
import type { Files } from './files.ts';
import type { Header } from './journal.ts';
import type { Partial } from './partial.ts';
import { VERSION } from './version.ts';

/** What is written is made durable and noted when this long has passed, or this much was stored. */
export type Interval = { readonly ms?: number; readonly bytes?: number };

/** Figures for which it costs nothing that could be measured (docs/crash-safety.md). */
const USUAL = { ms: 5000, bytes: 256 * 1024 * 1024 } as const;

/** Ids that the headers of an image may take: more than any takes. */
const IDS = 16;

export type ResumptionOptions = {
	readonly main: Partial;
	/** All of them, the main one first; more may join. */
	readonly partials: readonly Partial[];
	readonly folder: string;
	readonly files: Files;
	readonly durable: boolean;
	readonly restart?: boolean | undefined;
	readonly keepPartial?: boolean | undefined;
	readonly checkpoints?: Interval | undefined;
};

/** The part of a target that notes how far it has come, and takes up what an interrupted run has noted. */
export type Checkpoints = {
	/** See `Target.begin`. */
	begin(undertaking: Undertaking): Begun;
	/** A file of the image is missing: what is noted is void. */
	lose(): void;
	/** A further file of the image is open. */
	joined(partial: Partial): void;
	/** Something is about to be written. */
	touch(): void;
	/** @throws what went wrong with the last checkpoint, when it is over. */
	settled(): Promise<void>;
	/** Note all that is written; whether there is anything that another run can take up. */
	keep(): Promise<boolean>;
	/** What is there is of an interrupted run, and was not taken up. */
	isAnothers(): boolean;
};

export const resumption = (options: ResumptionOptions): Checkpoints => {
	const { main, partials, folder, files, durable, restart = false, keepPartial = true } = options;
	const { journal } = main;
	const interval = { ...USUAL, ...options.checkpoints };
	let taken = false;
	let resumed = false;
	let keeping = false;
	let pending: Placement[] = [];
	let leaves: LeafRun[] = [];
	let bytes = 0;
	let since = performance.now();
	let running: Promise<void> | undefined;
	let failure: unknown;
	/** The system has lost writes: what it says of later ones is not believed. */
	let tainted = false;
	let named = false;

	/** Whatever is in the files is worth nothing. */
	const forget = (): void => {
		journal.forget();
		// A file of which there is nothing is left alone: ext4 flushes what was ever cut to nothing when it is closed.
		for (const { fd, found } of partials) if (found) files.truncate(fd, 0);
	};

	/** Somebody has cut a part of the file off since it was noted. Whatever it has beyond that is written again, if it is anything. */
	const isCut = ({ fd }: Partial, index: number): boolean => {
		const noted = journal.sizes()[index] ?? 0;
		const { size } = files.state(fd);
		if (size > noted) files.truncate(fd, noted);
		return size < noted;
	};

	const touch = (): void => {
		if (taken) return;
		forget();
		taken = true;
	};

	const lose = (): void => {
		const header = journal.header();
		if (!resumed || !header) return;
		forget();
		journal.begin(header);
		resumed = false;
	};

	/** The data first, and the names of its files; then that they are there. */
	const checkpoint = async (): Promise<void> => {
		const noted = pending;
		const hashed = leaves;
		const sizes = partials.map(({ fd }) => files.state(fd).size);
		pending = [];
		leaves = [];
		bytes = 0;
		since = performance.now();
		if (noted.length === 0) return;
		try {
			for (const { fd, final } of partials) {
				await files.fdatasync(fd).catch((cause: unknown) => {
					tainted = true;
					throw accessError('cannot be made durable', final, cause);
				});
			}
			if (!named) files.fsyncFolder(folder);
			named = true;
			journal.append(noted, hashed, sizes);
			await files.fdatasync(main.journalFd);
			journal.reserve();
		} catch (error) {
			pending = [...noted, ...pending];
			leaves = [...hashed, ...leaves];
			throw error instanceof AccessError ? error : accessError('cannot be made durable', main.final, error);
		}
	};

	const settled = async (): Promise<void> => {
		await running;
		if (failure !== undefined) throw failure;
	};

	const live: Journal = {
		get past() {
			return resumed ? journal.past() : [];
		},
		get pastLeaves() {
			return resumed ? journal.pastLeaves() : [];
		},
		written(placement, hashed = []) {
			if (!keeping) return;
			pushJoined(pending, placement);
			leaves.push(...hashed);
			bytes += storedBytes(placement);
		},
		tick() {
			if (failure !== undefined) throw failure;
			if (!durable || running || pending.length === 0) return;
			if (bytes < interval.bytes && performance.now() - since < interval.ms) return;
			running = checkpoint()
				.catch((error: unknown) => {
					failure = error;
				})
				.finally(() => {
					running = undefined;
				});
		},
		settled,
	};

	return {
		begin({ origin, image, stamp }) {
			const header = journal.header();
			if (header && journal.records() > 0 && main.found && !restart) {
				refuseOther(main, header, { origin, image });
				taken = resumed = true;
				keeping = keepPartial;
				if (isCut(main, 0)) lose();
				journal.reserve();
				return { stamp: stampOf(header), journal: live };
			}
			forget();
			taken = true;
			keeping = keepPartial && origin !== undefined;
			const ids = Array.from({ length: IDS }, () => Buffer.from(stamp.id()).toString('hex'));
			const next: Header = { tool: VERSION, origin: origin ?? [], image, now: stamp.now.getTime(), ids };
			if (keeping) {
				journal.begin(next);
				journal.reserve();
			}
			return { stamp: stampOf(next), journal: live };
		},
		lose,
		joined(partial) {
			if (resumed && isCut(partial, partials.indexOf(partial))) lose();
			else if (!resumed && partial.found) files.truncate(partial.fd, 0);
		},
		touch,
		settled,
		async keep() {
			if (!taken) return journal.records() > 0;
			if (!keeping) return false;
			await running;
			// Where not all of it can be noted, what was noted before still holds.
			if (!tainted) await checkpoint().catch(() => {});
			return journal.records() > 0;
		},
		isAnothers: () => !taken && main.found && journal.records() > 0,
	};
};

const storedBytes = (placement: Placement): number => {
	if (placement.kind === 'plain') return placement.length;
	return placement.kind === 'packed' ? placement.stored.reduce((sum, takes) => sum + Math.abs(takes), 0) : 0;
};

/** The time and ids of a header, as a stamp. */
const stampOf = ({ now, ids }: Header): Stamp => {
	let next = 0;
	return {
		now: new Date(now),
		id() {
			const id = ids[next++];
			if (id === undefined) throw new Error(`an image takes more than ${IDS} ids`);
			return new Uint8Array(Buffer.from(id, 'hex'));
		},
	};
};

/** @throws OutdatedError unless what was begun is what is wanted now. */
const refuseOther = ({ final }: Partial, header: Header, { origin, image }: Pick<Undertaking, 'origin' | 'image'>): void => {
	const refuse = (message: string, hint?: string): never => {
		throw new OutdatedError(message, { path: final, hint });
	};
	if (header.tool !== VERSION) {
		refuse(`vconv ${header.tool} was interrupted while writing it, and this is ${VERSION}`, 'that version to finish it');
	}
	if (header.image !== image) refuse('a conversion with other options was interrupted while writing it', 'those options to finish it');
	const same = origin !== undefined && origin.length === header.origin.length && origin.every((one, i) => one === header.origin[i]);
	if (!same) refuse('what it is made from has changed since an interrupted run wrote a part of it');
};
