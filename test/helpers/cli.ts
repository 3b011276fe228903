import { run } from '../../src/cli/run.ts';

export type Ran = { readonly code: number; readonly stdout: string; readonly stderr: string };

/** With the image that was written to standard output. */
export type Piped = Ran & { readonly image: Buffer };

export type Surroundings = {
	/** Standard error is a terminal of 80 columns. */
	readonly terminal?: boolean;
	readonly signal?: AbortSignal;
	/** What standard input holds. */
	readonly stdin?: Uint8Array;
};

/** Run a command line in this process. */
export const vconvIn = async (surroundings: Surroundings, ...argv: string[]): Promise<Ran> => {
	const { image: _, ...ran } = await vconvPiped(surroundings, ...argv);
	return ran;
};

/** The same, for command lines with `-` in them. */
export const vconvPiped = async ({ terminal = false, signal, stdin }: Surroundings, ...argv: string[]): Promise<Piped> => {
	const image: Uint8Array[] = [];
	const said = { stdout: '', stderr: '' };
	const output = (name: keyof typeof said) => ({
		isTTY: terminal,
		columns: 80,
		write: (text: string) => (said[name] += text),
		clearLine() {},
		cursorTo: () => (said[name] += '\r'),
	});
	const code = await run(argv, {
		stdin: pieces(stdin ?? new Uint8Array()),
		append: async (bytes) => void image.push(bytes),
		stdout: output('stdout'),
		stderr: output('stderr'),
		signal: signal ?? new AbortController().signal,
	});
	return { code, ...said, image: Buffer.concat(image) };
};

/** As a pipe hands them over. */
async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
	for (let at = 0; at < bytes.length; at += 65536) yield bytes.subarray(at, at + 65536);
}

/** The same, nobody watching. */
export const vconv = (...argv: string[]): Promise<Ran> => vconvIn({}, ...argv);
