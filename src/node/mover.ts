import { setImmediate } from 'node:timers/promises';
import type { Moved, Mover, Work } from '../core/mover.ts';
import { chunkSize, hashedChunkSize } from '../engine/chunks.ts';
import { portableMover } from '../engine/portable.ts';
import { replay } from '../engine/trail.ts';
import { ChangedError, UsageError } from '../errors.ts';
import { BLOCK } from '../proof/leaves.ts';
import { type Board, board, claim, MOST_FILES, ring, type Shape, type Slot, State, setState, stateOf, Word } from './board.ts';
import { executor } from './executor.ts';
import { descriptorOf } from './file.ts';
import type { Orders, ThreadOrders } from './orders.ts';
import { nodeCodec } from './packer.ts';
import { placer } from './placer.ts';
import { planner } from './planner.ts';
import { worthReserving } from './reserve.ts';
import { hasThreads, type Thread, takeThread, usualThreads } from './threads.ts';
import type { WritebackOptions } from './writeback.ts';
import { prepareZstd } from './zstd.ts';

/** Bytes of buffers for each thread. */
const BUFFERS = 4 * 1024 * 1024;
/** Chunks whose bytes the main thread has read itself, and which nobody has stored yet. */
const HELD = 4;
/** Whoever asks for more has mistaken something. */
const MOST_ASKED = 64;
/** A worker costs some 35 ms to start: for less than this many chunks it is not worth it. */
const WORTH_WORKERS = 12;
/** The main thread lets signals and timers in this often, in ms. */
const BREATH = 20;

export type MoverOptions = {
	/** As many as there are cores, up to eight, where left out. */
	readonly threads?: number | undefined;
	/** The target will be brought to the disk before it gets its name, which is worth beginning early. */
	readonly durable?: boolean | undefined;
	/** Another program will read at once what is written, which is worth keeping it in memory. We ourselves read as fast from the disk. */
	readonly readAgain?: boolean | undefined;
};

/**
 * The mover of Node: this thread and `threads - 1` workers read, unpack, pack and write, each with synchronous I/O in its own buffers,
 * while this thread alone plans the chunks and places the blocks, in guest order. The bytes that come out are the same for any number.
 */
export const nodeMover = ({ threads = usualThreads(), durable = true, readAgain = false }: MoverOptions = {}): Mover => ({
	async move(work) {
		if (!Number.isInteger(threads) || threads < 1 || threads > MOST_ASKED) {
			throw new UsageError(`${threads} is not a number of threads`, { hint: `1 to ${MOST_ASKED}` });
		}
		await prepareZstd();
		const sinks = work.sinks.map(descriptorOf);
		if (sinks.length > MOST_FILES || sinks.some((fd) => fd === undefined)) return portableMover(nodeCodec()).move(work);
		return moveFiles(work, sinks as number[], Math.max(1, threads), { durable, readAgain });
	},
});

const moveFiles = async (work: Work, sinks: readonly number[], threads: number, writing: WritebackOptions): Promise<Moved> => {
	const { disk, layout, signal, journal, leaves } = work;
	const chunk = leaves ? hashedChunkSize(disk, layout.block) : chunkSize(disk, layout.block);
	const depth = Math.max(2, Math.min(8, Math.floor(BUFFERS / chunk)));
	const shape: Shape = {
		slots: threads * (depth + 2) + 2,
		segments: chunk / 512 + 2,
		blocks: Math.ceil(chunk / layout.block),
		leaves: leaves ? chunk / BLOCK : 0,
	};
	const orders: Orders = {
		chunk,
		block: layout.block,
		packing: layout.packing,
		dense: layout.dense ?? false,
		fixedAt: layout.fixedAt,
		sinks,
		names: work.sinks.map(({ name, path = name }) => path),
		depth,
		hashed: leaves?.size,
		writing,
		reserve: sinks.every(worthReserving),
	};
	const shared = board(shape);
	const crew = workers(shared, { shape, memory: shared.memory, orders });
	const names = new Map<number, string>();
	const own = executor(
		shared,
		orders,
		(_, error) => {
			throw error;
		},
		(fd) => names.get(fd) ?? '',
	);
	const past = replay(layout, journal?.past);
	for (const run of journal?.pastLeaves ?? []) leaves?.add(run);
	const plan = planner(work, shared, chunk, names, past.end);
	const frontier = placer(work, shared, past);

	let filled = 0;
	let retired = 0;
	let planned = false;
	let rested = performance.now();
	const slotOf = (n: number): Slot => shared.slots[n % shape.slots] as Slot;
	try {
		while (!planned || retired < filled) {
			const seen = Atomics.load(shared.words, Word.MAIN);
			signal?.throwIfAborted();
			crew.check();
			while (!planned && filled - retired < shape.slots && plan.held.size < HELD) {
				const step = await plan.next(slotOf(filled));
				if (step?.kind === 'chunk') Atomics.store(shared.words, Word.FILLED, ++filled);
				else if (step) frontier.pass(filled, step);
				else planned = true;
			}
			ring(shared, Word.WORKERS);
			if (filled > WORTH_WORKERS) crew.start(threads - 1);
			let busy = frontier.advance(filled);
			busy = own.write() || busy;
			for (; retired < frontier.placed() && stateOf(shared, slotOf(retired)) === State.DONE; retired++) busy = true;
			frontier.retire(retired);
			for (let n = retired; n < filled; n++) {
				const slot = slotOf(n);
				// Whatever waits in our buffers waits for the frontier: what holds that up is taken on in any case.
				if (stateOf(shared, slot) !== State.OWN || (n > frontier.placed() && !own.ready())) continue;
				const stores = own.take(slot, plan.held.get(slot));
				plan.held.delete(slot);
				if (n < frontier.placed()) {
					// It had something in it when it got its places.
					if (!stores) throw new ChangedError('it was written to while it was read', { path: [...names.values()][0] });
					setState(shared, slot, State.PLACED);
				}
				busy = true;
			}
			const slot = own.ready() ? claim(shared) : undefined;
			if (slot) own.take(slot);
			if (performance.now() - rested > BREATH) {
				await setImmediate();
				journal?.tick();
				rested = performance.now();
			} else if (!busy && !slot) Atomics.wait(shared.words, Word.MAIN, seen, BREATH / 2);
		}
		frontier.advance(filled);
		frontier.retire(retired);
		// A process that ends while a thread is within a native library takes it for a fatal error.
		await crew.gone();
		return frontier.moved();
	} catch (error) {
		// No thread may write to a descriptor that is about to be closed, and perhaps opened again as another file.
		await crew.gone();
		throw error;
	}
};

type Crew = {
	/** Start workers, unless there are some. */
	start(count: number): void;
	/** @throws the error of a worker that died of it. */
	check(): void;
	/** Have them end; resolves when all have. */
	gone(): Promise<unknown>;
};

const workers = (shared: Board, orders: ThreadOrders): Crew => {
	const crew: Thread[] = [];
	return {
		start(count) {
			while (hasThreads && crew.length < count) {
				const thread = takeThread();
				thread.worker.postMessage(orders);
				crew.push(thread);
			}
		},
		check() {
			for (const { death } of crew) if (death !== undefined) throw death;
		},
		gone() {
			Atomics.store(shared.words, Word.STOP, 1);
			ring(shared, Word.WORKERS);
			// A process whose threads are all unreferenced would end while we wait for them.
			for (const { worker } of crew) worker.ref();
			return Promise.all(crew.map(({ exit }) => exit));
		},
	};
};
