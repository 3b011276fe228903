import type { Machine } from '../format.ts';
import { bootDisks } from './boot.ts';
import { context } from './context.ts';
import { decideGuest } from './guest.ts';
import type { MigrateOptions } from './options.ts';
import { type Attachment, firmwareReads, modelOf, type Rule, storageRule } from './storage-policy.ts';

/** What a machine starts from; `attachment` is that of its first disk, and undefined where it has none. */
export type BootHardware = Pick<Rule, 'machine'> & {
	readonly attachment: Attachment | undefined;
	/** Whether the firmware finds that disk. */
	readonly isFound: boolean;
};

/**
 * What `planForKvm` chooses for a machine of VMware's.
 * @throws UsageError for virtio and a Windows that nobody says has its drivers.
 */
export const bootHardware = (machine: Machine, options: MigrateOptions): BootHardware => {
	const c = context(machine, options, decideGuest(machine.spec.guest, options.guest));
	const [boot] = bootDisks(c);
	const rule = storageRule(boot, machine.spec.disks, c);
	const attachment = boot && rule.attach(modelOf(boot, c));
	return { machine: rule.machine, attachment, isFound: attachment === undefined || firmwareReads(attachment, c) };
};
