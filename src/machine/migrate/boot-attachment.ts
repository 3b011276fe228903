import type { Machine } from '../format.ts';
import { bootDisks } from './boot.ts';
import { context } from './context.ts';
import { decideGuest } from './guest.ts';
import type { MigrateOptions } from './options.ts';
import { type Attachment, modelOf, storageRule } from './storage-policy.ts';

/**
 * What `planForKvm` attaches the disk to that a machine of VMware's starts from; undefined where it has no hard disk.
 * @throws UsageError for virtio and a Windows that nobody says has its drivers.
 */
export const bootAttachment = (machine: Machine, options: MigrateOptions): Attachment | undefined => {
	const c = context(machine, options, decideGuest(machine.spec.guest, options.guest));
	const [boot] = bootDisks(c);
	return boot && storageRule(boot, machine.spec.disks, c).attach(modelOf(boot, c));
};
