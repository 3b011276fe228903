import { SECTOR } from './layout.ts';

/** Guest bytes in one file of the kinds called `twoGb…`: 2047 MiB, as VMware splits, so that no file reaches 2 GiB. */
export const EXTENT_SIZE = 4192256 * SECTOR;

/** Readers refuse longer descriptors. */
export const MAX_EXTENTS = 4096;

/** Which of the files holds a guest offset, from 0. */
export const extentNumber = (guestOffset: number): number => Math.floor(guestOffset / EXTENT_SIZE);

/** A name for a file beside `name`: `web-flat.vmdk`, `web-s001.vmdk` for `web.vmdk`. */
export const nameBeside = (name: string, suffix: string): string => {
	const dot = name.lastIndexOf('.');
	const stem = dot > 0 ? name.slice(0, dot) : name;
	return `${stem}-${suffix}${name.slice(stem.length)}`;
};
