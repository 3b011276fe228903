import { accessError } from '../node/file.ts';
import { errorText } from './render.ts';

/** A stream that the command line writes to: the process's own, or a test's. */
export type Output = {
	write(text: string): unknown;
	/** Whether a person watches. */
	readonly isTTY?: boolean | undefined;
	/** Width of the terminal in characters. */
	readonly columns?: number | undefined;
};

/** What the command line has of the world besides files. */
export type Io = {
	/** An image that is read from a pipe. */
	readonly stdin: AsyncIterable<Uint8Array>;
	/**
	 * Write the next bytes of an image to standard output, which keeps them; resolves when it can take more.
	 * @throws AccessError, also when whoever reads it has gone.
	 */
	append(bytes: Uint8Array): Promise<void>;
	/** Results, and nothing else. */
	readonly stdout: Output;
	/** Everything else. */
	readonly stderr: Output;
	/** Aborted with an `Interrupted` when the user wants us to stop. */
	readonly signal: AbortSignal;
};

/** The signals that stop a run, and what the process exits with then: 128 and the signal's number. */
const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** Why a run ended that the user interrupted: the reason of `Io.signal`, rethrown through everything. */
export class Interrupted extends Error {
	readonly exitCode: number;

	constructor(signal: keyof typeof SIGNALS) {
		super(`interrupted by ${signal}`);
		this.name = 'Interrupted';
		this.exitCode = SIGNALS[signal];
	}
}

/** Do something with the reason once there is one. Gives what calls that off. */
const whenAborted = (signal: AbortSignal, act: (reason: Interrupted) => void): (() => void) => {
	const listener = (): void => act(signal.reason);
	if (signal.aborted) listener();
	else signal.addEventListener('abort', listener, { once: true });
	return () => signal.removeEventListener('abort', listener);
};

/** The process's own streams and signals. The first signal asks the run to stop and clean up; a second one ends it at once. */
export const processIo = (): Io => {
	const controller = new AbortController();
	for (const name of Object.keys(SIGNALS) as (keyof typeof SIGNALS)[]) {
		process.on(name, () => {
			if (controller.signal.aborted) process.exit(SIGNALS[name]);
			controller.abort(new Interrupted(name));
		});
	}
	// Started by a batch, which has gone: so do we. It may have gone before we got here.
	const orphaned = (): void => controller.abort(new Interrupted('SIGHUP'));
	if (process.connected === false) orphaned();
	process.once('disconnect', orphaned);
	// Waiting for it does not keep us running.
	process.channel?.unref();
	// Whoever read our messages may go before us; what is being written is to be cleaned up all the same.
	process.stderr.on('error', () => {});
	let image = false;
	process.stdout.on('error', (error: NodeJS.ErrnoException) => {
		if (image) return; // `append` says so
		// `vconv map … | head`: whoever reads us has seen enough.
		if (error.code === 'EPIPE') process.exit();
		const failure = accessError('cannot be written', 'standard output', error);
		process.stderr.write(errorText(failure));
		process.exit(failure.exitCode);
	});
	return {
		// Not touched before it is wanted: it would keep the process waiting.
		get stdin() {
			// Ended before anybody reads it, it has nobody to tell.
			const stdin = process.stdin.on('error', () => {});
			whenAborted(controller.signal, (reason) => stdin.destroy(reason));
			return stdin;
		},
		async append(bytes) {
			image = true;
			await new Promise<void>((resolve, reject) => {
				// Whoever does not read it would keep us.
				const forget = whenAborted(controller.signal, reject);
				process.stdout.write(bytes, (cause) => {
					forget();
					if (cause) reject(accessError('cannot be written', 'standard output', cause));
					else resolve();
				});
			});
		},
		stdout: process.stdout,
		stderr: process.stderr,
		signal: controller.signal,
	};
};
