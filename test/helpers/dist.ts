import path from 'node:path';
import { pathToFileURL } from 'node:url';

/** Where the built package is; the tests' global set-up builds it. */
export const dist = path.resolve(process.env['VCONV_DIST'] ?? 'dist');

/** A module as it is shipped: workers start only from there. */
export const fromDist = async <T>(module: string): Promise<T> => (await import(pathToFileURL(path.join(dist, module)).href)) as T;
