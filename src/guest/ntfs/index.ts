import type { FileSystemReader } from '../filesystem.ts';
import { openNtfs } from './reader.ts';

/** NTFS 3.0 and 3.1, with compressed and sparse files. */
export const ntfsReader: FileSystemReader = { types: ['ntfs'], open: openNtfs };
