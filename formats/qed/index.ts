import type { DiskFormat } from '../../src/core/format.ts';
import { checkQed } from './check.ts';
import { MAGIC } from './layout.ts';
import { openQed } from './reader.ts';

/** QEMU's enhanced disk. */
export const qed: DiskFormat = {
	id: 'qed',
	aliases: [],
	name: 'QED',
	extensions: ['qed'],
	probe: (head) => head.length >= 4 && new DataView(head.buffer, head.byteOffset).getUint32(0, true) === MAGIC,
	open: openQed,
	check: checkQed,
};
