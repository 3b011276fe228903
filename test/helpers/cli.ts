import { run } from '../../src/cli/run.ts';

export type Ran = { readonly code: number; readonly stdout: string; readonly stderr: string };

export type Surroundings = {
	/** Standard error is a terminal of 80 columns. */
	readonly terminal?: boolean;
	readonly signal?: AbortSignal;
};

/** Run a command line in this process. */
export const vconvIn = async ({ terminal = false, signal }: Surroundings, ...argv: string[]): Promise<Ran> => {
	const said = { stdout: '', stderr: '' };
	const output = (name: keyof typeof said) => ({
		isTTY: terminal,
		columns: 80,
		write: (text: string) => (said[name] += text),
		clearLine() {},
		cursorTo: () => (said[name] += '\r'),
	});
	const code = await run(argv, { stdout: output('stdout'), stderr: output('stderr'), signal: signal ?? new AbortController().signal });
	return { code, ...said };
};

/** The same, nobody watching. */
export const vconv = (...argv: string[]): Promise<Ran> => vconvIn({}, ...argv);
