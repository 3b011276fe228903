import type { Expanders } from '../core/expand.ts';
import { VconvError } from '../errors.ts';
import type { BlockDevice } from './device.ts';
import type { DiskFacts, DriverFacts, Incomplete, NetworkFacts, OperatingSystem, SoftwareFacts, VolumeFacts } from './facts.ts';
import type { FileSystem } from './filesystem.ts';
import type { InitramfsBudget } from './initramfs/budget.ts';

/** A volume whose file system could be opened. */
export type OpenVolume = {
	readonly facts: VolumeFacts;
	readonly device: BlockDevice;
	readonly fileSystem: FileSystem;
};

/** All that is known of a machine's disks when its operating systems are looked for. */
export type GuestContext = {
	readonly disks: readonly DiskFacts[];
	readonly volumes: readonly VolumeFacts[];
	/** Those of `volumes` that can be read. */
	readonly open: readonly OpenVolume[];
	readonly attempt: Attempt;
	/** How initramfs are expanded; what runs anywhere where left out. */
	readonly expanders?: Expanders | undefined;
	/** What all initramfs may cost together; of one system, where left out. */
	readonly initramfs?: InitramfsBudget | undefined;
	readonly parseYaml?: ParseYaml | undefined;
	readonly breathe?: Breathe | undefined;
};

/** What a text in YAML says: Maps, arrays and, for every scalar, strings. @throws Error for what is no YAML. */
export type ParseYaml = (text: string) => unknown;

/**
 * To be called between the pieces of what takes long without a read: lets signals in.
 * @throws UnsupportedError if looking into the guest has taken too long, and the reason of an aborted signal.
 */
export type Breathe = (where: string) => Promise<void>;

/**
 * What `read` gives, or undefined if that throws a VconvError: then `what` of `where` is in the report's `incomplete`, and everything
 * else goes on. Anything else thrown is a bug and goes through, as does the reason of an aborted signal.
 */
export type Attempt = <Result>(where: string, what: string, read: () => Promise<Result>) => Promise<Result | undefined>;

export const attempts =
	(incomplete: Incomplete[]): Attempt =>
	async (where, what, read) => {
		try {
			return await read();
		} catch (error) {
			if (!(error instanceof VconvError)) throw error;
			incomplete.push({ where, what, why: error.message });
			return undefined;
		}
	};

/** What was found out of one operating system. */
export type SystemFacts = {
	readonly os: OperatingSystem;
	readonly drivers?: DriverFacts | undefined;
	readonly network?: readonly NetworkFacts[] | undefined;
	readonly software?: SoftwareFacts | undefined;
	/** Where volumes are mounted, by their ids: mount points or drive letters. */
	readonly mountpoints?: ReadonlyMap<string, string> | undefined;
	/** What of the state of volumes only their files say, by their ids: `hibernated`. */
	readonly states?: ReadonlyMap<string, readonly string[]> | undefined;
};

/** Looks for one family of operating systems: its facts if the volume is the root of one, undefined if not. */
export type SystemReader = (root: OpenVolume, context: GuestContext) => Promise<SystemFacts | undefined>;
