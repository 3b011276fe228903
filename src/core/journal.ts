import type { LeafRun } from './proof.ts';
import type { Stamp } from './stamp.ts';

/** What a mover did with a run of the disk, in a form in which it can be done again without reading. Lengths are guest bytes. */
export type Placement = {
	/** Guest offset in bytes, on a block of the layout. */
	readonly offset: number;
	readonly length: number;
} & (
	| {
			/**
			 * `zero`: told to the layout as one run. `absent`: left to the backing file. `blank`: blocks that turned out to be zeros, told one by
			 * one. `plain`: blocks that were stored as they are.
			 */
			readonly kind: 'zero' | 'absent' | 'blank' | 'plain';
	  }
	| {
			/** Blocks of which some are packed: what each takes in the target, negative where packed, 0 for zeros. */
			readonly kind: 'packed';
			readonly stored: readonly number[];
	  }
);

/** What is known of an interrupted move, and hears how far this one has come. Everything is in guest order, without gaps. */
export type Journal = {
	/** What is in the target already, from the start of the disk: to be placed again, and not to be read. */
	readonly past: Iterable<Placement>;
	/** What that hashed to, where it was hashed. */
	readonly pastLeaves: Iterable<LeafRun>;
	/** This is written to the target, and all before it; with what it hashed to, where it was hashed. */
	written(placement: Placement, leaves?: readonly LeafRun[]): void;
	/** Called often: begins to make durable what is written when it is time to. @throws what went wrong with that the last time. */
	tick(): void;
	/** Resolves when nothing that `tick` began is under way. */
	settled(): Promise<void>;
};

/** What a conversion reads and makes: only the same can be taken up again. */
export type Undertaking = {
	/** What the files that are read are at present, and how they are read; undefined where that cannot be told, and nothing is kept. */
	readonly origin: readonly string[] | undefined;
	/** The image to be: its format and options. */
	readonly image: string;
	readonly stamp: Stamp;
};

/** An undertaking that is begun, or taken up again. */
export type Begun = {
	/** The time and ids of the first beginning, so that the image is the same however often it was interrupted. */
	readonly stamp: Stamp;
	readonly journal: Journal;
};
