import { fileName } from '../bytes/path.ts';
import { redact } from '../bytes/redact.ts';
import type { Layer } from '../convert/open.ts';
import type { Source } from '../core/source.ts';
import { UnsupportedError } from '../errors.ts';
import type { DiskDevice, Media, SaidImage } from '../machine/spec.ts';

/** An image with all beneath it, the top first, and every file that was opened for it. */
type OpenChain = { readonly layers: readonly Layer[]; readonly opened: readonly Source[] };

/**
 * A hypervisor reads what the description names, vconv what the image's header names: where these differ, other bytes would be copied than
 * the guest sees.
 * @param description the file's name.
 * @param open the way to a file that the description names.
 * @throws UnsupportedError where they differ, AccessError for a named file that is not there or may not be opened.
 */
export const refuseOtherChain = async (
	description: string,
	{ id, keys: [field = ''], chain }: DiskDevice,
	{ layers, opened }: OpenChain,
	open: (name: string) => Promise<Source>,
): Promise<void> => {
	const refuse = (what: string, part: string): never => {
		throw new UnsupportedError(`its disk ${id} ${what}`, {
			path: description,
			field: `${field}/${part}`,
			hint: 'qemu-img rebase -u, if the domain is right, so that the image says the same; the domain without that element, if not',
		});
	};
	const identityOf = async (media: Media, part: string): Promise<string> => {
		const name = nameOf(media) ?? refuse('has an image beneath it whose file is not named', part);
		const source = await open(name);
		await source.close();
		return source.identity;
	};
	let said: SaidImage | undefined = chain;
	let part = '';
	for (let depth = 0; said; depth++) {
		const { dataFile, backing }: SaidImage = said;
		const beneath = layers[depth + 1];
		const image = fileName(layers[depth]?.source.name ?? '');
		if (dataFile) {
			const identity = await identityOf(dataFile, `${part}dataStore`);
			if (!opened.some((source) => source.identity === identity)) {
				refuse(`has its data in '${told(dataFile)}' by the domain, and elsewhere by its image ${image}`, `${part}dataStore`);
			}
		}
		part += 'backingStore';
		if (backing === undefined) return;
		if (backing === 'none') {
			if (beneath) refuse(`ends with ${image} by the domain, and has ${fileName(beneath.source.name)} beneath by the image`, part);
			return;
		}
		const name = told(backing.media);
		if (backing.slice) refuse(`has a part of '${name}' alone beneath it, which vconv does not read`, part);
		if (!beneath) return refuse(`has '${name}' beneath it by the domain, and nothing by its image ${image}`, part);
		const { id: format, aliases } = beneath.format;
		if (backing.format !== undefined && backing.format !== format && !aliases.includes(backing.format)) {
			refuse(`has '${name}' beneath it as ${backing.format} by the domain, and as ${format} by its image ${image}`, part);
		}
		if ((await identityOf(backing.media, part)) !== beneath.source.identity) {
			refuse(`has '${name}' beneath it by the domain, and ${besides(name, beneath.source.name)} by its image ${image}`, part);
		}
		said = backing;
		part += '/';
	}
};

/** @throws UnsupportedError for a disk that is but a part of its file: vconv would read all of it. */
export const refuseSlice = (description: string, { id, keys: [field = ''], media, chain }: DiskDevice): void => {
	if (!chain?.slice) return;
	throw new UnsupportedError(`its disk ${id} is but a part of '${told(media)}', which vconv does not read`, {
		path: description,
		field: `${field}/source/slices`,
		hint: 'a copy of that part in a file of its own (dd iflag=skip_bytes,count_bytes), and a domain that names it',
	});
};

/** A file's name without its folder, by which nobody knows it elsewhere; with it where another has that name too. */
const besides = (other: string, file: string): string => (fileName(other) === fileName(file) ? file : fileName(file));

/** Its name as a message may have it: one on the network may be signed, or have a user in it. */
const told = (media: Media): string => redact(nameOf(media) ?? '');

const nameOf = (media: Media): string | undefined => {
	if (media.type === 'none' || media.type === 'auto') return undefined;
	return media.type === 'other' ? (media.name ?? media.said) : media.path;
};
