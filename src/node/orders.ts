import type { Packing } from '../core/format.ts';
import type { Shape } from './board.ts';
import type { WritebackOptions } from './writeback.ts';

/** What an executor has to know of the layout; plain data, for it is sent to workers. */
export type Orders = {
	/** Bytes of the largest chunk. */
	readonly chunk: number;
	readonly block: number;
	readonly packing: Packing | undefined;
	readonly dense: boolean;
	/** Where the main thread places nothing: host offset minus guest offset. */
	readonly fixedAt: number | undefined;
	/** The descriptor of each target file. */
	readonly sinks: readonly number[];
	readonly names: readonly string[];
	/** Chunks that may wait for their places, in buffers of their own. */
	readonly depth: number;
	/** The disk is hashed as if it had as many bytes. */
	readonly hashed: number | undefined;
	/** What becomes of what is written. */
	readonly writing: WritebackOptions;
	/** Room is laid aside in the target before it is written to. */
	readonly reserve: boolean;
};

/** What a thread is sent, once. */
export type ThreadOrders = { readonly shape: Shape; readonly memory: SharedArrayBuffer; readonly orders: Orders };
