import { hex, humanSize } from '../../src/bytes/size.ts';
import { LARGEST_DISK } from '../../src/core/limits.ts';
import type { Source } from '../../src/core/source.ts';
import { CorruptError, UnsupportedError } from '../../src/errors.ts';
import { CRYPT, type Header, header, MAGIC, VERSION } from './layout.ts';

/** QEMU takes no longer name, in bytes. */
const MAX_NAME = 1023;

/** The header, with every field checked against the others and against the file's size. @throws CorruptError, UnsupportedError. */
export const readHeader = async (source: Source, signal?: AbortSignal): Promise<Header> => {
	const h = header.decode(await source.read(0, header.size, signal), { path: source.name, offset: 0 });
	const at = (field: keyof Header) => ({ path: source.name, offset: header.offsets[field], field });
	const corrupt = (field: keyof Header, why: string) => new CorruptError(why, at(field));

	if (h.magic !== MAGIC || h.version !== VERSION) throw corrupt('magic', 'it does not begin as a QCOW image of version 1 does');
	if (h.cryptMethod !== CRYPT.none && h.cryptMethod !== CRYPT.aes)
		throw corrupt('cryptMethod', `there is no encryption method ${h.cryptMethod}`);
	if (h.clusterBits < 9 || h.clusterBits > 16) throw corrupt('clusterBits', `cluster size 2^${h.clusterBits} is not within 2^9 … 2^16`);
	if (h.l2Bits < 6 || h.l2Bits > 13) throw corrupt('l2Bits', `an L2 table of 2^${h.l2Bits} entries is not within 2^6 … 2^13`);
	if (h.size > LARGEST_DISK)
		throw new UnsupportedError(`its virtual size of ${humanSize(h.size)} is over ${humanSize(LARGEST_DISK)}`, at('size'));
	const l1Bytes = l1Entries(h) * 8;
	if (h.l1TableOffset < header.size) throw corrupt('l1TableOffset', `the L1 table at ${hex(h.l1TableOffset)} is inside the header`);
	if (h.l1TableOffset + l1Bytes > source.size)
		throw corrupt('l1TableOffset', `the L1 table of ${l1Bytes} bytes ends past the end of the file`);
	if (h.backingFileOffset !== 0) {
		if (h.backingFileSize === 0 || h.backingFileSize > MAX_NAME) {
			throw corrupt('backingFileSize', `the backing file's name has ${h.backingFileSize} bytes, not 1 … ${MAX_NAME}`);
		}
		if (h.backingFileOffset < header.size || h.backingFileOffset + h.backingFileSize > source.size) {
			throw corrupt('backingFileOffset', `the backing file's name at ${hex(h.backingFileOffset)} is inside the header or past the end`);
		}
	}
	return h;
};

/** Entries of the L1 table: one for each L2 table. */
export const l1Entries = (h: Header): number => Math.ceil(h.size / 2 ** (h.clusterBits + h.l2Bits));

/** Why nothing of what the guest has written is read; undefined where it can be. */
export const refusalOf = (h: Header, path: string): UnsupportedError | undefined =>
	h.cryptMethod === CRYPT.none
		? undefined
		: new UnsupportedError('it is encrypted with AES, which vconv does not read', {
				...{ path, offset: header.offsets.cryptMethod, field: 'cryptMethod' },
				hint: 'qemu-img convert with the password, to an image without encryption',
			});
