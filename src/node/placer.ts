import type { Placement } from '../core/journal.ts';
import type { Moved, Work } from '../core/mover.ts';
import type { LeafRun } from '../core/proof.ts';
import type { Step } from '../engine/chunks.ts';
import { earlierProgress, placements, type Replayed } from '../engine/trail.ts';
import { type Board, chunkOf, type Slot, State, setState, stateOf } from './board.ts';
import { leavesOf } from './leaves.ts';

/** The frontier: everything before it has its place. It moves in guest order, as chunks are read, whoever reads them. */
export type Placer = {
	/** A run without data that comes before chunk `n`. */
	pass(n: number, step: Step): void;
	/** Give places to the chunks that follow on the frontier and are read; whether there were any. */
	advance(filled: number): boolean;
	/** Chunks behind the frontier. */
	placed(): number;
	/** As many chunks are written: tell the journal of them, and of the runs between them. */
	retire(chunks: number): void;
	moved(): Moved;
};

/** @param past what an earlier run has placed. */
export const placer = ({ disk, layout, journal, leaves, onProgress }: Work, shared: Board, past: Replayed): Placer => {
	const between = new Map<number, Step[]>();
	/** What is placed and not retired: how many chunks must be written before it counts. */
	const trail: { readonly after: number; readonly placement: Placement; readonly leaves?: readonly LeafRun[] | undefined }[] = [];
	let placed = 0;
	let { data, stored } = past;

	const earlier = earlierProgress(past);
	const report = (done: number): void => onProgress?.({ stage: 'copy', done, total: disk.size, data, ...earlier });

	const passAll = (n: number): void => {
		for (const step of between.get(n) ?? []) {
			if (step.kind === 'zero') layout.zero?.(step.offset, step.length);
			if (journal && step.kind !== 'chunk') trail.push({ after: n, placement: step });
			report(step.offset + step.length);
		}
		between.delete(n);
	};

	/** Whether any block of the chunk is to be written. */
	const place = (slot: Slot): boolean => {
		const { guest, length } = chunkOf(slot);
		let any = false;
		for (let at = 0, i = 0; at < length; at += layout.block, i++) {
			const size = Math.min(layout.block, length - at);
			const takes = slot.stored[i] as number;
			if (takes === 0) {
				layout.zero?.(guest + at, size);
				continue;
			}
			any = true;
			data += size;
			stored += Math.abs(takes);
			if (layout.fixedAt === undefined) slot.hosts[i] = layout.place(guest + at, size, Math.abs(takes), takes < 0);
		}
		let hashed = leaves && leavesOf(slot);
		for (const run of hashed ?? []) leaves?.add(run);
		if (journal) {
			for (const placement of placements(guest, length, layout.block, slot.stored)) {
				trail.push({ after: placed + 1, placement, leaves: hashed });
				hashed = undefined;
			}
		}
		report(guest + length);
		return any;
	};

	return {
		pass(n, step) {
			const steps = between.get(n);
			if (steps) steps.push(step);
			else between.set(n, [step]);
		},
		advance(filled) {
			const before = placed;
			passAll(placed);
			while (placed < filled) {
				const slot = shared.slots[placed % shared.slots.length] as Slot;
				const state = stateOf(shared, slot);
				if (state === State.QUEUED || state === State.OWN) break;
				const any = place(slot);
				// An executor whose places are fixed has gone on by itself.
				if (state === State.READ) setState(shared, slot, any ? State.PLACED : State.DONE);
				passAll(++placed);
			}
			return placed > before;
		},
		placed: () => placed,
		retire(chunks) {
			let count = 0;
			for (const { after, placement, leaves } of trail) {
				if (after > chunks) break;
				journal?.written(placement, leaves);
				count++;
			}
			trail.splice(0, count);
		},
		moved: () => ({ data, stored }),
	};
};
