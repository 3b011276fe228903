import path from 'node:path';
import type { Note } from '../core/note.ts';
import { statOf } from './file.ts';

const STICKY = 0o1000;
const WRITABLE_BY_ALL = 0o002;

/** Say that anybody can replace the output: its folder is open to all, and lacks the bit by which names belong to their owners. */
export const noteOpenFolder = (output: string, { onNote }: { onNote?(note: Note): void }): void => {
	if (process.platform === 'win32') return; // modes say nothing there
	const mode = statOf(path.dirname(output))?.mode ?? 0;
	if ((mode & (WRITABLE_BY_ALL | STICKY)) !== WRITABLE_BY_ALL) return;
	onNote?.({
		kind: 'assumed',
		what: 'nobody replaces it',
		why: 'everybody may write to its folder, which has no sticky bit',
		path: output,
	});
};
