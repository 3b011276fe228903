import type { DiskFormat } from '../../src/core/format.ts';
import { openRaw } from './reader.ts';
import { rawWriter } from './writer.ts';

/** The guest's bytes and nothing else. Nothing marks it, so it never claims a file: `detect` falls back on it. */
export const raw: DiskFormat = {
	id: 'raw',
	aliases: [],
	name: 'raw disk',
	extensions: ['raw', 'img', 'bin', 'dd', 'ima'],
	probe: () => false,
	open: openRaw,
	writer: rawWriter,
};
