import type { ListedSnapshot } from '../../src/machine/format.ts';
import { parseDictionary } from './dictionary.ts';

/**
 * The snapshots that a machine's `.vmsd` lists, in its order. The file is empty where there are none.
 * @throws CorruptError for what is no text, UnsupportedError beyond the limits of a dictionary.
 */
export const listSnapshots = (bytes: Uint8Array, path: string): ListedSnapshot[] => {
	const { entries } = parseDictionary(bytes, path);
	return [...entries].flatMap(([key, { value }]) => {
		const [, index] = /^snapshot(\d+)\.uid$/.exec(key) ?? [];
		if (index === undefined) return [];
		const said = (field: string): string | undefined => entries.get(`snapshot${index}.${field}`)?.value;
		return [{ name: said('displayname') ?? `the one with the id ${value}`, stateFile: said('filename') }];
	});
};

/** Whether the disks hold deltas that no snapshot needs any more: VMware's task to merge them failed. */
export const needsConsolidation = (bytes: Uint8Array, path: string): boolean =>
	/^true$/i.test(parseDictionary(bytes, path).entries.get('snapshot.needconsolidate')?.value ?? '');
