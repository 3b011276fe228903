import type { FileSystemReader } from './filesystem.ts';
import type { SystemReader } from './system.ts';

/** The file systems that vconv looks into. */
export const fileSystemReaders: readonly FileSystemReader[] = [];

/** The operating systems that it knows. */
export const systemReaders: readonly SystemReader[] = [];
