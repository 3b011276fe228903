import { EXTENSION } from '../../../formats/qcow2/layout.ts';
import { build, C, COPIED, DATA, data, L1, text } from '../../formats/qcow2/build.ts';
import { memoryDisk, patternBytes, patternDisk } from '../../helpers/pattern.ts';
import { type Case, edited, MiB } from './case.ts';

/** A disk of two clusters, and its image. */
const bytes = new Uint8Array(2 * C).fill(1, 0, C).fill(2, C);
const two = { entries: [data(0), data(1)], clusters: [1, 2] };

/** Behind the end of all images here. */
const FAR = 2 ** 30;

/** A raw disk into whose first sectors the guest has written a QCOW2 image, which could name any file of the host. */
export const guestHeader = (size: number): Uint8Array => {
	const disk = new Uint8Array(size);
	disk.set(build(two));
	return disk;
};

export const qcow2Cases: readonly Case[] = [
	{
		image: 'l1-past-end.qcow2',
		disk: memoryDisk(bytes),
		files: async () => ({ 'l1-past-end.qcow2': build({ ...two, change: { l1TableOffset: FAR } }) }),
		vconv: { code: 4, says: 'the L1 table at 0x40000000 reaches beyond the end of the file' },
		qemu: { size: 2 * C, wrongAt: 0 },
	},
	{
		image: 'l2-past-end.qcow2',
		disk: memoryDisk(bytes),
		files: async () => ({ 'l2-past-end.qcow2': edited(build(two), (view) => view.setBigUint64(L1, COPIED | BigInt(FAR))) }),
		vconv: { code: 4, says: 'beyond the end of the file' },
		qemu: { size: 2 * C, wrongAt: 0 },
	},
	{
		image: 'cut.qcow2',
		disk: memoryDisk(bytes),
		files: async () => ({ 'cut.qcow2': build({ ...two, length: DATA + C }) }),
		vconv: { code: 4, says: 'beyond the end of the file' },
		qemu: { size: 2 * C, wrongAt: C },
	},
	{
		image: 'guest-header.raw',
		disk: memoryDisk(guestHeader(2 * MiB)),
		files: async () => ({ 'guest-header.raw': guestHeader(2 * MiB) }),
		vconv: { code: 3, says: 'which a guest may have written' },
		qemu: { size: 2 * C, wrongAt: 0 },
	},
	{
		image: 'backing-unsaid.qcow2',
		disk: memoryDisk(guestHeader(2 * MiB)),
		files: async () => ({
			'backing-unsaid.qcow2': build({ entries: [0n], size: 2 * MiB, backing: 'guest-disk.raw' }),
			'guest-disk.raw': guestHeader(2 * MiB),
		}),
		vconv: { code: 3, says: 'which a guest may have written' },
		qemu: { size: 2 * MiB, wrongAt: 0 },
	},
	{
		image: 'inner/file-outside.qcow2',
		disk: patternDisk({ size: 2 * C, data: [[0, 2 * C]] }),
		files: async () => ({
			'inner/file-outside.qcow2': build({
				entries: [0n, 0n],
				backing: '../somebodys.txt',
				extensions: [[EXTENSION.backingFormat, text('raw')]],
			}),
			'somebodys.txt': patternBytes(0, 2 * C),
		}),
		vconv: { code: 5, says: 'outside its own folder' },
		qemu: { size: 2 * C },
	},
];
