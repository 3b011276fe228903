import { parseDictionary } from './dictionary.ts';

/**
 * The names of the snapshots that a machine's `.vmsd` lists, in its order. The file is empty where there are none.
 * @throws CorruptError for what is no text, UnsupportedError beyond the limits of a dictionary.
 */
export const readSnapshots = (bytes: Uint8Array, path: string): string[] => {
	const { entries } = parseDictionary(bytes, path);
	return [...entries].flatMap(([key, { value }]) => {
		const [, index] = /^snapshot(\d+)\.uid$/.exec(key) ?? [];
		return index === undefined ? [] : [entries.get(`snapshot${index}.displayname`)?.value ?? `the one with the id ${value}`];
	});
};
