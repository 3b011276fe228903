import { type MessagePort, parentPort } from 'node:worker_threads';
import { board, claim, State, setState, Word } from './board.ts';
import { executor } from './executor.ts';
import { freeNative } from './native.ts';
import type { ThreadOrders } from './orders.ts';
import { prepareZstd } from './zstd.ts';

/** A worker thread: waits for its orders, claims chunks, reads and packs them, and writes them where the main thread says. Ends when it is told to. */
const { shape, memory, orders } = await new Promise<ThreadOrders>((resolve) => (parentPort as MessagePort).once('message', resolve));
const shared = board(shape, memory);
// Nothing native before there is work: one that was started early and is not needed may be ended at any moment.
await prepareZstd();
const work = executor(
	shared,
	orders,
	(slot) => setState(shared, slot, State.OWN),
	() => '',
);

for (;;) {
	const seen = Atomics.load(shared.words, Word.WORKERS);
	if (Atomics.load(shared.words, Word.STOP) !== 0) break;
	let busy = work.write();
	const slot = work.ready() ? claim(shared) : undefined;
	if (slot) {
		work.take(slot);
		busy = true;
	}
	if (!busy) Atomics.wait(shared.words, Word.WORKERS, seen, 1000);
}
freeNative();
