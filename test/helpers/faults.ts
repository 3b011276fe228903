import { type Files, nodeFiles } from '../../src/node/files.ts';

export type Call = keyof Files;

/** The real file calls, some of them replaced, and each told to `before`, which may throw in its place. */
export const filesWith = (replaced: Partial<Files>, before: (call: Call) => void = () => {}): Files =>
	new Proxy<Files>(
		{ ...nodeFiles, ...replaced },
		{
			get: (files, call: Call) => {
				const act = files[call] as (...args: unknown[]) => unknown;
				return (...args: unknown[]) => {
					before(call);
					return act(...args);
				};
			},
		},
	);

/** What the system throws. */
export const systemError = (code: string): NodeJS.ErrnoException => Object.assign(new Error(`${code}: simulated`), { code });

export const fail = (code: string): never => {
	throw systemError(code);
};
