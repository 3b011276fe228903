import type { BlockDevice } from '../device.ts';
import type { VolumeFacts } from '../facts.ts';

/** A volume before it is known what it holds. */
export type Candidate = {
	readonly id: string;
	/** In bytes. */
	readonly size: number;
	/** Absent where its bytes cannot be reached. */
	readonly device?: BlockDevice | undefined;
	/** What is known of it from elsewhere, whatever its bytes say. */
	readonly given?: Partial<VolumeFacts>;
};

/** A volume, and where its bytes are; without a device where they cannot be reached. */
export type Recognised = { readonly facts: VolumeFacts; readonly device?: BlockDevice | undefined };
