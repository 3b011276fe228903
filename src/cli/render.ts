import { hex } from '../bytes/size.ts';
import type { Note } from '../core/note.ts';
import { VconvError } from '../errors.ts';
import { toJson } from '../report/json.ts';

export { toJson };

/** Longer texts are cut: an image may hold a name of a megabyte. */
const LONGEST = 2000;

/** What must not reach a terminal: C0 and C1 controls (escape sequences, line ends), and marks that reorder a line. */
const UNSAFE = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu;

/** Text that may come from an image, safe to print within a line; what is not printable shows as `?`, as in ls. */
export const plain = (text: string): string => (text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text).replace(UNSAFE, '?');

/** An error in at most three lines: what is wrong, where, what to do. */
export const errorText = (error: VconvError): string => {
	const where = [
		error.path && plain(error.path),
		error.offset !== undefined && `offset ${hex(error.offset)}`,
		error.field && plain(error.field),
	];
	const place = where.filter(Boolean).join(', ');
	const lines = [`vconv: ${plain(error.message)}`];
	if (place) lines.push(`  at ${place}`);
	if (error.hint) lines.push(`  try ${plain(error.hint)}`);
	return `${lines.join('\n')}\n`;
};

/**
 * The same as one line of JSON; for a bug in vconv too, with its stack.
 * @param exitCode what the process exits with, where the command has codes of its own.
 */
export const errorJson = (error: unknown, exitCode = error instanceof VconvError ? error.exitCode : 1): string => {
	if (!(error instanceof VconvError)) {
		const stack = error instanceof Error ? error.stack : undefined;
		return `${toJson({ error: { code: 'BUG', message: String(error), exitCode, stack } })}\n`;
	}
	const { code, message, path, offset, field, hint } = error;
	return `${toJson({ error: { code, message, path, offset, field, hint, exitCode } })}\n`;
};

/** What vconv says besides errors and notes, as a line for standard error. */
export const messageLine = (message: string, json: boolean): string => (json ? `${toJson({ message })}\n` : `vconv: ${plain(message)}\n`);

export const noteText = ({ path, what, why }: Note): string =>
	`vconv: note: ${plain([path, what].filter(Boolean).join(': '))}; ${plain(why)}\n`;

export const noteJson = (note: Note): string => `${toJson({ note })}\n`;
