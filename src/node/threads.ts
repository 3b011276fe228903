import fs from 'node:fs';
import os from 'node:os';
import type { Worker } from 'node:worker_threads';

/** A thread of the mover, which waits for its orders. */
export type Thread = {
	readonly worker: Worker;
	readonly exit: Promise<unknown>;
	/** What it died of. */
	death: unknown;
};

/** More threads than this cost memory and gain nothing that a disk could take. */
const MOST = 8;

/** How many work on a disk, with the main one, where nobody says otherwise. */
export const usualThreads = (): number => Math.min(os.availableParallelism(), MOST);

/** What threads run, when it is built. */
const program = new URL('./mover-thread.js', import.meta.url);

/** Without their program the main thread works alone: from the source, as in tests, or where a bundler has taken us away from it. */
export const hasThreads = fs.existsSync(program);

const early: Thread[] = [];

/** Start the usual threads before it is known what they will do: it takes them as long to start as it takes us to find out. */
export const startEarly = (): void => {
	while (hasThreads && early.length < usualThreads() - 1) early.push(start());
};

/** One that was started early, or a new one. It keeps no process from ending. */
export const takeThread = (): Thread => early.pop() ?? start();

const start = (): Thread => {
	// Loaded here alone: a small disk is moved without.
	const { Worker } = process.getBuiltinModule('node:worker_threads');
	const worker = new Worker(program);
	const thread: Thread = { worker, exit: new Promise((resolve) => worker.on('exit', resolve)), death: undefined };
	worker.on('error', (error) => {
		thread.death = error;
	});
	worker.unref();
	return thread;
};
