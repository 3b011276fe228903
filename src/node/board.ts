import { HASH } from '../proof/leaves.ts';

/**
 * What the threads of a move share: a ring of slots, one for each chunk on its way. The main thread fills slots in guest order and
 * gives out host offsets in that order; any executor reads, packs and writes what it has claimed. No guest byte crosses a thread.
 *
 * A slot goes QUEUED → READ → PLACED → DONE, and is used again. OWN: it is left to the main thread, for its bytes come from no file, or
 * a worker failed at it and the main thread is to meet the error itself.
 */
export const State = { QUEUED: 1, READ: 2, PLACED: 3, DONE: 4, OWN: 5 } as const;

/** How a segment's bytes come: zeros, as they are, or packed by one of the methods. */
export const Kind = { ZERO: 0, DATA: 1, DEFLATE: 2, ZLIB: 3, ZSTD: 4 } as const;

/** The numbers of one segment, in this order. */
export const SEGMENT = { TO: 0, LENGTH: 1, KIND: 2, FD: 3, AT: 4, STORED: 5, UNPACKED: 6, SKIP: 7, SIZE: 8 } as const;

/** Of a slot: where its chunk is, and how many segments it has. */
const HEAD = { GUEST: 0, LENGTH: 1, SEGMENTS: 2, SIZE: 4 } as const;

/** Words that all threads watch. */
export const Word = {
	/** Slots filled so far; only the main thread adds to it. */
	FILLED: 0,
	/** Slots claimed so far. */
	CLAIMED: 1,
	/** Set to end the workers. */
	STOP: 2,
	/** Changes whenever there may be something to do for a worker, or for the main thread. */
	WORKERS: 3,
	MAIN: 4,
	COUNT: 8,
} as const;

/** The index of a file has 16 bits. */
export const MOST_FILES = 2 ** 16;

export type Shape = {
	readonly slots: number;
	/** At the most, for one chunk. */
	readonly segments: number;
	readonly blocks: number;
	/** Blocks of the tree; 0 where nothing is hashed. */
	readonly leaves: number;
};

export type Slot = {
	readonly index: number;
	/** Guest offset and length of the chunk, and its number of segments: see `head`. */
	readonly head: Float64Array;
	/** `SEGMENT.SIZE` numbers for each segment. */
	readonly segments: Float64Array;
	/** Of each block, the bytes it takes in the target: 0 for zeros, negative where it is packed. */
	readonly stored: Int32Array;
	/** Of each block, its host offset, and the index of its file. */
	readonly hosts: Float64Array;
	readonly files: Uint16Array;
	/** Of each block of the tree that the chunk has a part of, its leaf; zeros for a block of zeros. */
	readonly leaves: Uint8Array;
};

export type Board = {
	readonly memory: SharedArrayBuffer;
	readonly shape: Shape;
	readonly words: Int32Array;
	readonly states: Int32Array;
	readonly slots: readonly Slot[];
};

/** A board over fresh memory, or over that of another thread. */
export const board = (shape: Shape, memory?: SharedArrayBuffer): Board => {
	const sizes = {
		words: Word.COUNT * 4,
		states: even(shape.slots) * 4,
		head: HEAD.SIZE * 8,
		segments: shape.segments * SEGMENT.SIZE * 8,
		hosts: shape.blocks * 8,
		stored: even(shape.blocks) * 4,
		files: Math.ceil(shape.blocks / 4) * 8,
		leaves: shape.leaves * HASH,
	};
	const slotSize = sizes.head + sizes.segments + sizes.hosts + sizes.stored + sizes.files + sizes.leaves;
	const shared = memory ?? new SharedArrayBuffer(sizes.words + sizes.states + shape.slots * slotSize);
	let at = sizes.words + sizes.states;
	const next = (size: number): number => {
		at += size;
		return at - size;
	};
	return {
		memory: shared,
		shape,
		words: new Int32Array(shared, 0, Word.COUNT),
		states: new Int32Array(shared, sizes.words, shape.slots),
		slots: Array.from({ length: shape.slots }, (_, index) => ({
			index,
			head: new Float64Array(shared, next(sizes.head), HEAD.SIZE),
			segments: new Float64Array(shared, next(sizes.segments), shape.segments * SEGMENT.SIZE),
			hosts: new Float64Array(shared, next(sizes.hosts), shape.blocks),
			stored: new Int32Array(shared, next(sizes.stored), shape.blocks),
			files: new Uint16Array(shared, next(sizes.files), shape.blocks),
			leaves: new Uint8Array(shared, next(sizes.leaves), sizes.leaves),
		})),
	};
};

const even = (count: number): number => count + (count % 2);

/** What chunk a slot holds. */
export const chunkOf = ({ head }: Slot): { readonly guest: number; readonly length: number; readonly segments: number } => ({
	guest: head[HEAD.GUEST] as number,
	length: head[HEAD.LENGTH] as number,
	segments: head[HEAD.SEGMENTS] as number,
});

export const setChunk = ({ head }: Slot, guest: number, length: number, segments: number): void => {
	head[HEAD.GUEST] = guest;
	head[HEAD.LENGTH] = length;
	head[HEAD.SEGMENTS] = segments;
};

export const stateOf = ({ states }: Board, slot: Slot): number => Atomics.load(states, slot.index);

/** Change a slot's state and wake whom it concerns. */
export const setState = (shared: Board, slot: Slot, state: number): void => {
	Atomics.store(shared.states, slot.index, state);
	ring(shared, state === State.QUEUED || state === State.PLACED ? Word.WORKERS : Word.MAIN);
};

export const ring = ({ words }: Board, word: number): void => {
	Atomics.add(words, word, 1);
	Atomics.notify(words, word);
};

/** Claim the next filled slot; undefined if all are claimed. Slots are claimed in guest order, whoever claims them. */
export const claim = (shared: Board): Slot | undefined => {
	const { words, slots } = shared;
	for (;;) {
		const next = Atomics.load(words, Word.CLAIMED);
		if (next >= Atomics.load(words, Word.FILLED)) return undefined;
		if (Atomics.compareExchange(words, Word.CLAIMED, next, next + 1) !== next) continue;
		const slot = slots[next % slots.length] as Slot;
		if (stateOf(shared, slot) === State.QUEUED) return slot;
	}
};
