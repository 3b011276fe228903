import type { FileSystemReader } from '../filesystem.ts';
import { openFat } from './reader.ts';

/** FAT12, FAT16 and FAT32, with long names. */
export const fatReader: FileSystemReader = { types: ['vfat'], open: openFat };
