import type { DiskFormat } from '../../src/core/format.ts';
import { kindOf } from './open.ts';
import { openVmdk } from './reader.ts';
import { vmdkWriter } from './writer.ts';

/** VMware's disks: a descriptor, in a file of its own or not, and extent files of many kinds. */
export const vmdk: DiskFormat = {
	id: 'vmdk',
	aliases: [],
	name: 'VMDK',
	extensions: ['vmdk'],
	probe: (head) => kindOf(head) !== undefined,
	open: openVmdk,
	writer: vmdkWriter,
};
