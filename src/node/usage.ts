import fs from 'node:fs';
import type { Source } from '../core/source.ts';
import { descriptorOf } from './file.ts';

/** Bytes that a file takes on its disk, holes not counted; its length where the system does not say. */
export const diskUsage = (source: Source): number => {
	const fd = descriptorOf(source);
	const stat = fd === undefined ? undefined : fs.fstatSync(fd);
	// POSIX counts in 512 bytes whatever the block size; Windows does not count.
	return stat?.blocks === undefined || process.platform === 'win32' ? source.size : stat.blocks * 512;
};
