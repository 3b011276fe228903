import type { Disk } from './disk.ts';
import type { Layout } from './format.ts';
import type { Journal } from './journal.ts';
import type { LeafTaker } from './proof.ts';
import type { Sink } from './sink.ts';

/** The only code through which guest bytes flow: read, unpack, zero test, pack, write. */
export interface Mover {
	/** Move the whole disk into the places that the layout gives. The same bytes come out however many workers there are. */
	move(work: Work): Promise<Moved>;
}

export type Work = {
	readonly disk: Disk;
	readonly layout: Layout;
	/** The main file, then the layout's further files. None: the disk is read, and goes nowhere. */
	readonly sinks: readonly Sink[];
	/** Where the work goes on, and what remembers it. */
	readonly journal?: Journal | undefined;
	/** Hears what the disk hashes to as it is read; not for a disk with absent ranges over a layout that keeps them. */
	readonly leaves?: LeafTaker | undefined;
	readonly signal?: AbortSignal | undefined;
	onProgress?(progress: Progress): void;
};

export type Progress = {
	readonly stage: 'copy' | 'verify';
	/** Guest bytes dealt with, of `total`; zeros count as they are passed. */
	readonly done: number;
	readonly total: number;
	/** Of them, bytes that held data. */
	readonly data: number;
	/** What of both an interrupted run had dealt with before this one began; left out where there was none. */
	readonly earlier?: { readonly done: number; readonly data: number } | undefined;
};

export type Moved = {
	/** Guest bytes that were stored. */
	readonly data: number;
	/** Bytes they take in the target. */
	readonly stored: number;
};
