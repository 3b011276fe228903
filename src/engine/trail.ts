import type { Layout } from '../core/format.ts';
import type { Placement } from '../core/journal.ts';
import type { Moved, Progress } from '../core/mover.ts';
import { OutdatedError } from '../errors.ts';

/**
 * How the blocks of a chunk were placed, as runs.
 * @param stored what each block takes in the target: 0 for zeros, negative where it is packed.
 */
export function* placements(offset: number, length: number, block: number, stored: ArrayLike<number>): Generator<Placement> {
	const count = Math.ceil(length / block);
	const sizeOf = (index: number): number => Math.min(block, length - index * block);
	const kindOf = (index: number) => (stored[index] === 0 ? 'blank' : stored[index] === sizeOf(index) ? 'plain' : 'packed');
	for (let i = 0; i < count; ) {
		const first = i;
		const kind = kindOf(first);
		while (i < count && kindOf(i) === kind) i++;
		const run = { offset: offset + first * block, length: Math.min(i * block, length) - first * block };
		if (kind === 'packed') yield { kind, ...run, stored: Array.from({ length: i - first }, (_, n) => stored[first + n] as number) };
		else yield { kind, ...run };
	}
}

/** Where a move goes on, in guest bytes, and what it had moved by then. */
export type Replayed = Moved & { readonly end: number };

/** The part of a move's progress that an interrupted run had made; nothing for a move that began anew. */
export const earlierProgress = ({ end, data }: Replayed): Pick<Progress, 'earlier'> => (end > 0 ? { earlier: { done: end, data } } : {});

/**
 * Place again what an interrupted move had placed, so that the layout is what it was then. Nothing is read or written.
 * @throws OutdatedError for placements that are none of this layout.
 */
export const replay = (layout: Layout, past: Iterable<Placement> = []): Replayed => {
	let end = 0;
	let data = 0;
	let stored = 0;
	for (const placement of past) {
		const { offset, length } = placement;
		if (offset !== end || length <= 0 || offset % layout.block !== 0 || offset + length > layout.size) throw unusable(offset);
		end = offset + length;
		if (placement.kind === 'zero') layout.zero?.(offset, length);
		if (placement.kind === 'zero' || placement.kind === 'absent') continue;
		if (placement.kind === 'packed' && placement.stored.length !== Math.ceil(length / layout.block)) throw unusable(offset);
		for (let at = offset, i = 0; at < end; at += layout.block, i++) {
			const size = Math.min(layout.block, end - at);
			const takes = placement.kind === 'packed' ? (placement.stored[i] as number) : placement.kind === 'plain' ? size : 0;
			if (takes === 0) {
				layout.zero?.(at, size);
				continue;
			}
			data += size;
			stored += Math.abs(takes);
			if (layout.fixedAt === undefined) layout.place(at, size, Math.abs(takes), takes < 0);
		}
	}
	return { end, data, stored };
};

const unusable = (offset: number): OutdatedError =>
	new OutdatedError(`what an interrupted run has noted of guest offset ${offset} makes no sense`);
