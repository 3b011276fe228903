import type { Extent, PackMethod } from '../core/disk.ts';
import type { Work } from '../core/mover.ts';
import { readExtent } from '../disk/read.ts';
import { type Step, steps } from '../engine/chunks.ts';
import { type Board, Kind, SEGMENT, type Slot, State, setChunk } from './board.ts';
import { descriptorOf } from './file.ts';
import { nodeCodec } from './packer.ts';
import { readahead } from './readahead.ts';

/** Fills slots with the chunks of a disk, as far ahead as there are slots. */
export type Planner = {
	/** The next step, which is in the slot if it is a chunk; undefined at the end of the disk. */
	next(slot: Slot): Promise<Step | undefined>;
	/** The bytes of the chunks that only the main thread can read, until it has taken them. */
	readonly held: Map<Slot, Uint8Array>;
};

const KINDS: Readonly<Record<PackMethod, number>> = { deflate: Kind.DEFLATE, zlib: Kind.ZLIB, zstd: Kind.ZSTD };

/**
 * @param names filled with what messages call the file behind each descriptor.
 * @param from the guest offset to begin at.
 */
export const planner = (
	{ disk, layout, signal }: Work,
	shared: Board,
	chunk: number,
	names: Map<number, string>,
	from: number,
): Planner => {
	const ahead = steps(disk, layout, chunk, signal, from);
	const codec = nodeCodec();
	const willNeed = readahead();
	const held = new Map<Slot, Uint8Array>();

	const fill = async (slot: Slot, step: Step & { kind: 'chunk' }): Promise<void> => {
		setChunk(slot, step.offset, step.length, step.segments.length);
		if (layout.fileOf) {
			for (let at = 0, i = 0; at < step.length; at += layout.block, i++) slot.files[i] = layout.fileOf(step.offset + at);
		}
		const readable =
			step.segments.length <= shared.shape.segments && step.segments.every((segment, i) => write(slot, i, segment, step.offset));
		if (!readable) {
			const bytes = new Uint8Array(step.length);
			for (const segment of step.segments) {
				const part = await readExtent(segment, codec, signal);
				if (part) bytes.set(part, segment.offset - step.offset);
			}
			held.set(slot, bytes);
		}
		Atomics.store(shared.states, slot.index, readable ? State.QUEUED : State.OWN);
	};

	/** Whether a worker can read the segment: it says so where it is in a file. */
	const write = (slot: Slot, index: number, segment: Extent, start: number): boolean => {
		const { segments } = slot;
		const base = index * SEGMENT.SIZE;
		segments[base + SEGMENT.TO] = segment.offset - start;
		segments[base + SEGMENT.LENGTH] = segment.length;
		if (segment.kind === 'computed') return false;
		if (segment.kind === 'zero' || segment.kind === 'absent') {
			segments[base + SEGMENT.KIND] = Kind.ZERO;
			return true;
		}
		const fd = descriptorOf(segment.source);
		if (fd === undefined) return false;
		names.set(fd, segment.source.name);
		willNeed(fd, segment.at, segment.kind === 'packed' ? segment.stored : segment.length);
		segments[base + SEGMENT.FD] = fd;
		segments[base + SEGMENT.AT] = segment.at;
		segments[base + SEGMENT.KIND] = segment.kind === 'data' ? Kind.DATA : KINDS[segment.method];
		if (segment.kind === 'packed') {
			segments[base + SEGMENT.STORED] = segment.stored;
			segments[base + SEGMENT.UNPACKED] = segment.unpacked;
			segments[base + SEGMENT.SKIP] = segment.skip;
		}
		return true;
	};

	return {
		held,
		async next(slot) {
			const { value: step, done } = await ahead.next();
			if (done) return undefined;
			if (step.kind === 'chunk') await fill(slot, step);
			return step;
		},
	};
};
