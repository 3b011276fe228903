import path from 'node:path';
import { AccessError, MismatchError } from '../errors.ts';

/** An image for qemu-img: its file, and vconv's id of its format. */
type Judged = { readonly name: string; readonly format: string };

type Ran = { readonly code: number | string | undefined; readonly text: string };

/** Run qemu-img without a shell, in an environment of its own; never rejects. */
const qemuImg = async (words: readonly string[], signal: AbortSignal | undefined, cwd?: string): Promise<Ran> => {
	// Loaded here alone: few conversions start a program.
	const { execFile } = await import('node:child_process');
	return new Promise((resolve) => {
		const env = { PATH: process.env['PATH'], LC_ALL: 'C' };
		execFile('qemu-img', [...words], { cwd, env, signal, windowsHide: true }, (error, stdout, stderr) =>
			resolve({ code: error ? (error.code ?? 'a signal') : 0, text: `${stderr}${stdout}`.trim().split('\n')[0]?.slice(0, 500) ?? '' }),
		);
	});
};

/** @throws AccessError where there is no qemu-img. */
export const requireQemu = async (signal: AbortSignal | undefined): Promise<void> => {
	const { code } = await qemuImg(['--version'], signal);
	signal?.throwIfAborted();
	if (code === 0) return;
	throw new AccessError('qemu-img is to judge what is written, and cannot be run', {
		hint: 'installing it (qemu-utils), or no --verify-with',
		reason: 'missing',
	});
};

/**
 * Have `qemu-img compare` say whether a guest sees the same in two images.
 * @param called the name of the second one in messages.
 * @throws MismatchError if it does not; AccessError if qemu-img cannot tell.
 */
export const judgeWithQemu = async (a: Judged, b: Judged, called: string, signal?: AbortSignal): Promise<void> => {
	// Absolute, a name cannot be taken for an option or a protocol.
	const words = ['compare', '-q', '-f', qemuName(a.format), '-F', qemuName(b.format), path.resolve(a.name), path.resolve(b.name)];
	// QEMU looks for the data file of a QCOW2 in the folder that it is started in, vconv beside the image.
	const { code, text } = await qemuImg(words, signal, path.dirname(path.resolve(a.name)));
	signal?.throwIfAborted();
	if (code === 0) return;
	if (code === 1) throw new MismatchError('qemu-img compare says that what was written differs from what was read', { path: called });
	throw new AccessError(`qemu-img compare cannot tell whether it is what was read: ${text || `it ended with ${code}`}`, {
		path: called,
		hint: 'the same without --verify-with',
	});
};

/** qemu-img's name of a format. */
const qemuName = (format: string): string => (format === 'vhd' ? 'vpc' : format);
