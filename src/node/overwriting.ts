import path from 'node:path';
import { UsageError } from '../errors.ts';
import { folderOf, identityOf } from './file.ts';

/** A file by its name, and what messages call it. */
type Named = { readonly name: string; readonly role: string };

/**
 * What is written is none of what is read, nor written twice, whatever names and links lead to it: even `force` replaces none of these.
 * @param read everything that must stay as it is, outputs that are looked after elsewhere too.
 * @throws UsageError
 */
export const refuseOverwriting = (written: readonly (Named & { readonly hint?: string })[], read: readonly Named[]): void => {
	const known = new Map(read.map(({ name, role }) => [placeOf(name), role]));
	for (const { name, role, hint = `another name for ${role}` } of written) {
		const place = placeOf(name);
		const other = known.get(place);
		if (other !== undefined) throw new UsageError(`${other} and ${role} are one file`, { path: name, hint });
		known.set(place, role);
	}
};

/** What a name leads to; where there is nothing yet, the name itself, by whatever way it was said. */
const placeOf = (name: string): string => identityOf(name) ?? path.join(folderOf(name), path.basename(name));
