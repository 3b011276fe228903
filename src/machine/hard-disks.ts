import type { DiskDevice } from './spec.ts';

/**
 * Whether a drive is a hard disk. `lun` is one where libvirt says it, and where a VMX does a drive of its host that was handed through,
 * which is an optical one or answers to SCSI commands alone: that has no image.
 */
export const isHardDisk = ({ kind, deviceType }: DiskDevice): boolean => kind === 'disk' || (kind === 'lun' && deviceType === undefined);
