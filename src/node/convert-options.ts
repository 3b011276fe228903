import type { ConvertOptions } from '../api.ts';
import type { GateOptions } from './gate.ts';
import type { SharingOptions } from './inuse.ts';
import type { TargetOptions } from './target.ts';
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
	ProvingOptions &
	Pick<TargetOptions, 'force' | 'mode' | 'durable' | 'restart' | 'keepPartial' | 'onKept'> & {
		/** Write only what differs from the image of this name. */
		readonly backing?: string | undefined;
		/** What the new image will call it; how it is found from the output's folder where left out. */
		readonly backingName?: string | undefined;
		/** Its format; by its bytes where left out. */
		readonly backingFormat?: string | undefined;
		/** Begin even if the output may not fit. */
		readonly skipSpaceCheck?: boolean | undefined;
		/** How many threads work on it. */
		readonly threads?: number | undefined;
	};
