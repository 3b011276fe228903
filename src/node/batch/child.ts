import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { JobError } from '../../batch/journal.ts';
import { redact } from '../../bytes/redact.ts';
import type { Progress } from '../../core/mover.ts';
import { openLog } from './log.ts';

/** What a child says of its progress, at most twice a second. */
export type ChildProgress = Progress & {
	/** Bytes of data a second. */
	readonly rate: number;
	/** Seconds left; unknown at first. */
	readonly eta?: number | undefined;
};

export type ChildEnd = {
	/** What it exited with; 128 and the signal's number if a signal ended it. */
	readonly code: number;
	readonly error?: JobError | undefined;
	readonly notes: readonly string[];
	/** The JSON object that it printed, if it did. */
	readonly result?: Readonly<Record<string, unknown>> | undefined;
};

export type ChildRun = {
	/** The words after `vconv`. */
	readonly argv: readonly string[];
	/** The file that everything it says is added to. */
	readonly log: string;
	/** A descriptor that it holds as long as it runs. */
	readonly hold: number;
	readonly signal: AbortSignal;
	onProgress?(progress: ChildProgress): void;
};

/** Longer lines, and more notes, are cut: what a child says comes from images too. */
const MAX_LINE = 16_384;
const MAX_NOTES = 50;
const MAX_RESULT = 1 << 20;

/** How long a child may take to stop when it is asked to, in ms. */
const GRACE = 10_000;

/** No conversion needs more; guest bytes are not in it. In MiB. */
const HEAP = 512;

/**
 * Run a command of this vconv as a process of its own. It stops when `signal` is aborted, or when we are gone: its channel to us
 * breaks then. Never rejects for what the child does.
 */
export const runChild = async ({ argv, log, hold, signal, onProgress }: ChildRun): Promise<ChildEnd> => {
	const { write, failure, close } = openLog(log);
	write(`${new Date().toISOString()} vconv ${argv.join(' ')}\n`);
	const notes: string[] = [];
	let error: JobError | undefined;
	let result = '';
	try {
		const child = spawn(process.execPath, [`--max-old-space-size=${HEAP}`, entry(), ...argv], {
			stdio: ['ignore', 'pipe', 'pipe', 'ipc', hold],
			windowsHide: true,
		});
		let killer: NodeJS.Timeout | undefined;
		const stop = (): void => {
			if (child.connected) child.disconnect();
			killer ??= setTimeout(() => child.kill('SIGKILL'), GRACE);
		};
		signal.addEventListener('abort', stop, { once: true });
		if (signal.aborted) stop();
		const understand = (line: string): void => {
			const said = parsed(line);
			if (said && isObject(said['progress'])) {
				onProgress?.(said['progress'] as ChildProgress);
				return;
			}
			if (said && isObject(said['note']) && notes.length < MAX_NOTES) notes.push(noteOf(said['note']));
			if (said && isObject(said['error'])) error = errorOf(said['error']);
			if (line !== '') write(`${line}\n`);
		};
		if (child.stderr) byLine(child.stderr, understand);
		child.stdout?.setEncoding('utf8').on('data', (text: string) => {
			if (result.length < MAX_RESULT) result += text;
		});
		const outputs = [child.stdout, child.stderr].flatMap((stream) => (stream ? [new Promise((done) => stream.once('close', done))] : []));
		const code = await new Promise<number>((resolve) => {
			child.once('error', (cause) => {
				error = { code: 'ACCESS', message: `the job cannot be started: ${cause.message}`, exitCode: 5 };
				resolve(5);
			});
			// Not 'close', which never comes once the channel has been broken from this side.
			child.once('exit', (status, by) => resolve(status ?? 128 + ((by && SIGNAL_NUMBERS[by]) || 0)));
		});
		await Promise.all(outputs);
		clearTimeout(killer);
		signal.removeEventListener('abort', stop);
		write(`${result}${new Date().toISOString()} exit ${code}\n`);
		const lost = failure();
		return { code, error, notes: lost === undefined ? notes : [...notes, lost], result: parsed(result) };
	} finally {
		close();
	}
};

const SIGNAL_NUMBERS: Readonly<Partial<Record<NodeJS.Signals, number>>> = {
	SIGHUP: 1,
	SIGINT: 2,
	SIGABRT: 6,
	SIGKILL: 9,
	SIGSEGV: 11,
	SIGTERM: 15,
};

/** The program that this package is. */
const entry = (): string => {
	const description = createRequire(import.meta.url).resolve('vconv/package.json');
	const { bin } = JSON.parse(fs.readFileSync(description, 'utf8')) as { bin: { vconv: string } };
	return path.resolve(path.dirname(description), bin.vconv);
};

const byLine = (stream: NodeJS.ReadableStream, each: (line: string) => void): void => {
	let rest = '';
	stream.setEncoding('utf8');
	stream.on('data', (text: string) => {
		const lines = (rest + text).split('\n');
		rest = (lines.pop() ?? '').slice(0, MAX_LINE);
		for (const line of lines) each(line.slice(0, MAX_LINE));
	});
	stream.on('end', () => each(rest));
};

const parsed = (text: string): Readonly<Record<string, unknown>> | undefined => {
	if (!text.trimStart().startsWith('{')) return undefined;
	try {
		const value: unknown = JSON.parse(text);
		return isObject(value) ? value : undefined;
	} catch {
		return undefined;
	}
};

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null;

const textOf = (value: unknown): string => redact(typeof value === 'string' ? value.slice(0, 2000) : '');

const noteOf = ({ path: file, what, why }: Readonly<Record<string, unknown>>): string =>
	`${[textOf(file), textOf(what)].filter(Boolean).join(': ')}; ${textOf(why)}`;

const errorOf = ({ code, message, path: file, hint, exitCode }: Readonly<Record<string, unknown>>): JobError => ({
	code: textOf(code),
	message: textOf(message),
	exitCode: typeof exitCode === 'number' ? exitCode : 1,
	...(file !== undefined && { path: textOf(file) }),
	...(hint !== undefined && { hint: textOf(hint) }),
});
