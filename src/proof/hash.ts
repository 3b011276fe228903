import type { Disk } from '../core/disk.ts';
import type { Layout } from '../core/format.ts';
import type { Mover, Progress } from '../core/mover.ts';
import type { Sha256 } from '../core/proof.ts';
import { BLOCK, type Leaves, leafCollector } from './leaves.ts';

export type HashOptions = {
	/** What reads the disk: with nothing to write, it hashes. */
	readonly mover: Mover;
	readonly sha256: Sha256;
	/** Hash the disk as if it had as many bytes, with zeros behind its end; its own size where left out. */
	readonly size?: number | undefined;
	readonly signal?: AbortSignal | undefined;
	onProgress?(progress: Progress): void;
};

/** The leaves of what the guest sees of a disk. Zeros that its map knows are not read. @throws CorruptError, AccessError as reading does. */
export const hashDisk = async (disk: Disk, { mover, sha256, size = disk.size, signal, onProgress }: HashOptions): Promise<Leaves> => {
	const collector = leafCollector(size, sha256);
	await mover.move({
		disk,
		layout: nowhere(size),
		sinks: [],
		leaves: collector,
		signal,
		...(onProgress && { onProgress: (progress: Progress) => onProgress({ ...progress, stage: 'verify' }) }),
	});
	return collector.leaves();
};

/** A layout of nothing: the disk is read and goes nowhere. */
const nowhere = (size: number): Layout => ({
	size,
	block: BLOCK,
	fixedAt: 0,
	place: (guestOffset) => guestOffset,
	async finish() {},
});
