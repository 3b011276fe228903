import type { DiskFormat } from '../../src/core/format.ts';
import { checkVhd } from './check.ts';
import { FOOTER_COOKIE, HEADER_COOKIE, SECTOR, SHORT_FOOTER } from './layout.ts';
import { openVhd } from './reader.ts';
import { vhdWriter } from './writer.ts';

/** Virtual PC's and Hyper-V's first format: fixed, dynamic and differencing images. */
export const vhd: DiskFormat = {
	id: 'vhd',
	aliases: ['vpc'],
	name: 'VHD',
	extensions: ['vhd', 'avhd', 'vpc'],
	probe(head, tail) {
		const says = (bytes: Uint8Array, at: number, cookie: string): boolean =>
			at >= 0 && String.fromCharCode(...bytes.subarray(at, at + cookie.length)) === cookie;
		// A header whose footers are both destroyed is claimed too, so that the reader says so.
		return (
			says(tail, tail.length - SECTOR, FOOTER_COOKIE) ||
			says(tail, tail.length - SHORT_FOOTER, FOOTER_COOKIE) ||
			says(head, 0, FOOTER_COOKIE) ||
			says(head, SECTOR, HEADER_COOKIE)
		);
	},
	open: openVhd,
	writer: vhdWriter,
	check: checkVhd,
};
