import { extReader } from './ext/index.ts';
import { fatReader } from './fat/index.ts';
import type { FileSystemReader } from './filesystem.ts';
import { linuxReader } from './linux/index.ts';
import { ntfsReader } from './ntfs/index.ts';
import type { SystemReader } from './system.ts';
import { windowsReader } from './windows/index.ts';

/** The file systems that vconv looks into. */
export const fileSystemReaders: readonly FileSystemReader[] = [extReader, fatReader, ntfsReader];

/** The operating systems that it knows. */
export const systemReaders: readonly SystemReader[] = [linuxReader, windowsReader];
