import type { DiskFormat } from '../core/format.ts';
import { UsageError } from '../errors.ts';
import { formatNamed, formatOfName } from './detect.ts';
import type { Profile } from './profiles.ts';

/**
 * The format to write under this name: the one asked for, else by the extension, else what the profile prefers.
 * @throws UsageError where nothing says one that there is, or the profile takes another than the one that is said.
 */
export const targetFormat = (formats: readonly DiskFormat[], name: string, asked?: string, profile?: Profile): DiskFormat => {
	const written = formats.filter(({ writer }) => writer);
	const said = asked === undefined ? formatOfName(formats, name) : formatNamed(formats, asked, written);
	if (!profile) {
		if (said) return said;
		throw new UsageError(`the name '${name}' does not say a format to write`, {
			hint: `-O and one of ${written.map(({ id }) => id).join(', ')}`,
		});
	}
	const taken = profile.takes.map(({ format }) => format);
	const [preferred = ''] = taken;
	if (said && !taken.includes(said.id)) {
		const who = asked === undefined ? `the name '${name}' is that of a ${said.name}` : `-O says ${said.name}`;
		throw new UsageError(`${profile.name} takes ${taken.join(' or ')}, and ${who}`, {
			hint: asked === undefined ? `another extension, or -O ${preferred}` : `-O ${preferred}, or no --for`,
		});
	}
	return said ?? formatNamed(formats, preferred);
};
