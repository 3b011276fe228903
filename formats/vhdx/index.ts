import type { DiskFormat } from '../../src/core/format.ts';
import { checkVhdx } from './check.ts';
import { isVhdx } from './header.ts';
import { openVhdx } from './reader.ts';
import { vhdxWriter } from './writer.ts';

/** Microsoft's VHDX: Hyper-V's disks and, as `.avhdx`, its checkpoints. */
export const vhdx: DiskFormat = {
	id: 'vhdx',
	aliases: ['avhdx'],
	name: 'VHDX',
	extensions: ['vhdx', 'avhdx'],
	probe: isVhdx,
	open: openVhdx,
	writer: vhdxWriter,
	check: checkVhdx,
};
