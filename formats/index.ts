import type { DiskFormat } from '../src/core/format.ts';
import { parallels } from './parallels/index.ts';
import { qcow } from './qcow/index.ts';
import { qcow2 } from './qcow2/index.ts';
import { qed } from './qed/index.ts';
import { raw } from './raw/index.ts';
import { vdi } from './vdi/index.ts';
import { vhd } from './vhd/index.ts';
import { vhdx } from './vhdx/index.ts';
import { vmdk } from './vmdk/index.ts';

/** Every disk image format there is. Adding one is a folder and a line here. */
export const diskFormats: readonly DiskFormat[] = [qcow2, vdi, qed, qcow, parallels, vhd, vhdx, vmdk, raw];
