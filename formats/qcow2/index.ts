import type { DiskFormat } from '../../src/core/format.ts';
import { checkQcow2 } from './check.ts';
import { header, MAGIC } from './layout.ts';
import { openQcow2 } from './reader.ts';
import { qcow2Writer } from './writer.ts';

/** QEMU's copy-on-write format, versions 2 and 3. Version 1 is another format with the same magic. */
export const qcow2: DiskFormat = {
	id: 'qcow2',
	aliases: [],
	name: 'QCOW2 image',
	extensions: ['qcow2'],
	probe(head) {
		if (head.length < header.offsets.clusterBits) return false;
		const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
		return view.getUint32(header.offsets.magic) === MAGIC && view.getUint32(header.offsets.version) !== 1;
	},
	open: openQcow2,
	check: checkQcow2,
	writer: qcow2Writer,
};
