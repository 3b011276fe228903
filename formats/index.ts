import type { DiskFormat } from '../src/core/format.ts';
import { raw } from './raw/index.ts';
import { vdi } from './vdi/index.ts';

/** Every disk image format there is. Adding one is a folder and a line here. */
export const diskFormats: readonly DiskFormat[] = [vdi, raw];
