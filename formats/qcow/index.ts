import type { DiskFormat } from '../../src/core/format.ts';
import { checkQcow } from './check.ts';
import { header, MAGIC, VERSION } from './layout.ts';
import { openQcow } from './reader.ts';

/** QCOW version 1. QCOW2 is another format, though it begins with the same four bytes. */
export const qcow: DiskFormat = {
	id: 'qcow',
	aliases: ['qcow1'],
	name: 'QCOW 1',
	extensions: ['qcow'],
	probe(head) {
		if (head.length < 8) return false;
		const view = new DataView(head.buffer, head.byteOffset);
		return view.getUint32(header.offsets.magic) === MAGIC && view.getUint32(header.offsets.version) === VERSION;
	},
	open: openQcow,
	check: checkQcow,
};
