import type { DiskFormat } from '../core/format.ts';
import type { Source, Stream } from '../core/source.ts';
import { UnrecognizedError, UsageError } from '../errors.ts';
import { guarded } from '../io/guarded.ts';
import { otherKindOf } from './other-kinds.ts';
import { hasBootSector, wrappingOf } from './wrapped.ts';

const PROBE = 4096;

/** `LUKS` and two bytes that are no text. */
const LUKS = [0x4c, 0x55, 0x4b, 0x53, 0xba, 0xbe];

/** The format of this id or alias. @throws UsageError naming those there are, or of these those that are `offered`. */
export const formatNamed = (formats: readonly DiskFormat[], name: string, offered = formats): DiskFormat => {
	const wanted = name.toLowerCase();
	const found = formats.find((format) => format.id === wanted || format.aliases.includes(wanted));
	if (!found) throw new UsageError(`there is no format '${name}'`, { hint: `one of ${offered.map((format) => format.id).join(', ')}` });
	return found;
};

/** The format that a file of this name would have; undefined if its extension says none. */
export const formatOfName = (formats: readonly DiskFormat[], name: string): DiskFormat | undefined => {
	const extension = extensionOf(name);
	return formats.find((format) => format.extensions.includes(extension));
};

const extensionOf = (name: string): string => /\.([^./\\]+)$/.exec(name)?.[1]?.toLowerCase() ?? '';

/** How a user says the format of an image whose bytes are not enough: words for a hint. */
export type FormatWords = (format: string) => string;

export const asOption: FormatWords = (format) => `-f ${format}`;

/**
 * The format of an image by its bytes, never by its name. Raw is believed only of a file whose name says so, for a guest can write
 * any header into its own raw disk.
 * @throws UnrecognizedError where no format claims the bytes, or more than one does.
 */
export const detect = async (
	formats: readonly DiskFormat[],
	source: Source,
	signal?: AbortSignal,
	said: FormatWords = asOption,
): Promise<DiskFormat> => {
	const claims = await claimants(formats, source, signal);
	// Only under its extensions are unrecognised bytes believed to be a raw disk.
	const named = formatOfName(formats, source.name);
	const [only, other] = claims;
	for (const format of formats) {
		const part = format.partOf?.(source.name);
		if (!part) continue;
		throw new UnrecognizedError(only ? `${part.what}, though it begins or ends like ${only.name}` : part.what, {
			path: source.name,
			hint: `${part.instead}, or ${only ? `${said(only.id)}, or ` : ''}${said('raw')} for the bytes as they are`,
		});
	}
	if (only && other) {
		const names = claims.map((format) => format.name).join(' and of ');
		throw new UnrecognizedError(`it has the marks of ${names}`, {
			path: source.name,
			hint: `${said(only.id)} or ${said(other.id)}, whichever it is`,
		});
	}
	if (only) {
		if (named?.id === 'raw') {
			throw new UnrecognizedError(`it is named like a raw disk and begins or ends like ${only.name}, which a guest may have written`, {
				path: source.name,
				hint: `${said('raw')} for the bytes as they are, or ${said(only.id)}`,
			});
		}
		return only;
	}
	const wrapping = await wrappingOf(source, signal);
	if (named?.id === 'raw' && (!wrapping || (await hasBootSector(source, signal)))) return named;
	if (await isLuks(source, signal)) {
		throw new UnrecognizedError('it is encrypted: a LUKS container, of which vconv has no key', {
			path: source.name,
			hint: `qemu-img convert with --object secret, which decrypts it; or ${said('raw')}, if the guest encrypts its disk itself`,
		});
	}
	if (wrapping) {
		throw new UnrecognizedError(`it is ${wrapping.what}, and no disk`, {
			path: source.name,
			hint: `${wrapping.unwrap}, and the disk that comes out of it${named?.id === 'raw' ? `; or ${said('raw')} for the bytes as they are` : ''}`,
		});
	}
	const kind = await otherKindOf(source, signal);
	if (kind) throw new UnrecognizedError(`it is ${kind.what}, and no disk`, { path: source.name, hint: kind.instead ?? rawHint(said) });
	// Those of other formats begin with what they are: of a fixed VHD without its footer nothing is left but the disk.
	const footless = named?.id === 'vhd' ? ', and its end has no footer, which a VHD has there' : '';
	throw new UnrecognizedError(source.size === 0 ? 'it is empty' : `no format that vconv knows begins or ends like this${footless}`, {
		path: source.name,
		hint: rawHint(said),
	});
};

const rawHint = (said: FormatWords): string => `${said('raw')} if it is a raw disk`;

/** Whether it begins as LUKS does, versions 1 and 2. */
const isLuks = async (source: Source, signal?: AbortSignal): Promise<boolean> => {
	const head = await source.read(0, Math.min(LUKS.length, source.size), signal);
	return LUKS.every((byte, at) => head[at] === byte);
};

/** The formats that claim the bytes of an image. */
export const claimants = async (formats: readonly DiskFormat[], source: Source, signal?: AbortSignal): Promise<readonly DiskFormat[]> => {
	const length = Math.min(PROBE, source.size);
	const guard = guarded(source);
	const head = await guard.read(0, length, signal);
	const tail = await guard.read(source.size - length, length, signal);
	return formats.filter((format) => format.probe(head, tail, source.size));
};

/** The format of an image of which only the beginning is known. @throws UnrecognizedError where no format claims that. */
export const detectPiped = async (formats: readonly DiskFormat[], stream: Stream): Promise<DiskFormat> => {
	const head = await stream.peek(PROBE);
	const found = formats.find((format) => format.probe(head, new Uint8Array(), head.length));
	if (found) return found;
	throw new UnrecognizedError(head.length === 0 ? 'it is empty' : 'no format that vconv knows begins like this', {
		path: stream.name,
		hint: head.length === 0 ? undefined : '--spool DIR, or for a raw disk -f raw and --size',
	});
};
