import fs from 'node:fs';
import { patternBytes, type Runs } from './pattern.ts';

/** A sparse raw disk with pattern bytes where `data` says. */
export const rawFile = (name: string, size: number, data: Runs = []): string => {
	const fd = fs.openSync(name, 'w');
	fs.ftruncateSync(fd, size);
	for (const [offset, length] of data) fs.writeSync(fd, patternBytes(offset, length), 0, length, offset);
	fs.closeSync(fd);
	return name;
};
