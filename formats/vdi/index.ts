import type { DiskFormat } from '../../src/core/format.ts';
import { checkVdi } from './check.ts';
import { header, SIGNATURE } from './layout.ts';
import { openVdi } from './reader.ts';
import { vdiWriter } from './writer.ts';

/** VirtualBox's own format. */
export const vdi: DiskFormat = {
	id: 'vdi',
	aliases: [],
	name: 'VDI',
	extensions: ['vdi'],
	probe(head) {
		const at = header.offsets.signature;
		return head.length >= at + 4 && new DataView(head.buffer, head.byteOffset).getUint32(at, true) === SIGNATURE;
	},
	open: openVdi,
	writer: vdiWriter,
	check: checkVdi,
};
