import { createRequire } from 'node:module';

let known: string | undefined;

/** This package's version, by its own description, wherever it is built or installed to. */
export const version = (): string => (known ??= (createRequire(import.meta.url)('vconv/package.json') as { version: string }).version);
