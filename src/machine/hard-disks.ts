import type { DiskDevice } from './spec.ts';

/**
 * Whether a drive is a hard disk. `lun` is one where libvirt says it, and where a VMX does a drive of its host that was handed through,
 * which is an optical one or answers to SCSI commands alone: that has no image.
 */
export const isHardDisk = ({ kind, deviceType }: DiskDevice): boolean => kind === 'disk' || (kind === 'lun' && deviceType === undefined);

/** Optical drives of a host, as ESXi and Linux have them. */
const OPTICAL = /^(\/vmfs\/devices\/cdrom\/|\/dev\/(sr|scd|cdrom|dvd))/;

/** Whether a drive is a SCSI device of the host that a VMX hands through, and no optical one: a disk, a tape, a changer. */
export const isHostScsi = ({ kind, deviceType = '', media }: DiskDevice): boolean =>
	kind === 'lun' && /^scsi-passthru$/i.test(deviceType) && media.type === 'block' && !OPTICAL.test(media.path);

/** Whether what is written to a disk is thrown away at power-off; without the word in front, as older products say it. */
export const isTransient = ({ mode }: Pick<DiskDevice, 'mode'>): boolean => /^(independent[-_])?nonpersistent$/i.test(mode ?? '');
