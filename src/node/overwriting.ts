import { UsageError } from '../errors.ts';
import { identityOf } from './file.ts';
import { placeOf } from './place.ts';

/** A file by its name, and what messages call it. */
type Named = { readonly name: string; readonly role: string };

/**
 * What is written is none of what is read, nor written twice, whatever names and links lead to it: even `force` replaces none of these.
 * @param read everything that must stay as it is, outputs that are looked after elsewhere too.
 * @throws UsageError
 */
export const refuseOverwriting = (written: readonly (Named & { readonly hint?: string })[], read: readonly Named[]): void => {
	const known = new Map(read.map(({ name, role }) => [fileOf(name), role]));
	for (const { name, role, hint = `another name for ${role}` } of written) {
		const place = fileOf(name);
		const other = known.get(place);
		if (other !== undefined) throw new UsageError(`${other} and ${role} are one file`, { path: name, hint });
		known.set(place, role);
	}
};

/** What a name leads to; where there is nothing yet, the name itself, by whatever way it was said. */
const fileOf = (name: string): string => identityOf(name) ?? placeOf(name);
