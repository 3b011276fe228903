import type { ConvertOptions } from '../api.ts';
import type { GateOptions } from './gate.ts';
import type { SharingOptions } from './inuse.ts';
import type { VerifyLevel } from './verify.ts';

/** How an output is proved. */
export type ProvingOptions = {
	/** How closely the output is looked at before it has its name; `none` where left out. */
	readonly verify?: VerifyLevel | undefined;
	/** Another program that compares it with the source then. */
	readonly verifyWith?: 'qemu-img' | undefined;
	/** Write a proof of what the guest sees beside the output, as `OUTPUT.vconv.json`: see docs/proof.md. */
	readonly proof?: boolean | undefined;
};

/** How the image of one file becomes that of another. */
export type ConvertFileOptions = Omit<ConvertOptions, 'from' | 'to' | 'backing' | 'follow' | 'siblings' | 'mover' | 'codec' | 'hashing'> &
	GateOptions &
	SharingOptions &
	ProvingOptions & {
		/** Write only what differs from the image of this name. */
		readonly backing?: string | undefined;
		/** What the new image will call it; how it is found from the output's folder where left out. */
		readonly backingName?: string | undefined;
		/** Its format; by its bytes where left out. */
		readonly backingFormat?: string | undefined;
		/** Replace what has the output's name already. */
		readonly force?: boolean | undefined;
		/** Who may read and write the output, but for what the umask forbids: 0o600 where left out. */
		readonly mode?: number | undefined;
		/** Begin even if the output may not fit. */
		readonly skipSpaceCheck?: boolean | undefined;
		/** Forget what an interrupted run has left of this output; without it that is taken up. */
		readonly restart?: boolean | undefined;
		/** Keep what is written when the run is interrupted or the store is full, for the same call to go on with; true where left out. */
		readonly keepPartial?: boolean | undefined;
		/** Hears that it was kept. */
		onKept?(): void;
		/** How many threads work on it. */
		readonly threads?: number | undefined;
		/** Bring the output to the disk before it gets its name; true where left out. Without it a power failure may leave a damaged file. */
		readonly durable?: boolean | undefined;
	};
