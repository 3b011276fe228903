import { VconvError } from '../../errors.ts';
import { byteReader } from '../reader.ts';
import { LOG, restartArea, restartPage } from './layout.ts';

/** Reads a piece of a file from its start; what the file does not have is left out. */
type Peek = (offset: number, length: number) => Promise<Uint8Array>;

/**
 * Whether $LogFile was closed in order: then nothing of it is to be done again. Of the two restart pages the newer one counts.
 * Windows makes it anew from a log filled with ones.
 */
export const logClosed = async (peek: Peek): Promise<boolean> => {
	const pages = [];
	for (const offset of [0, 4096]) {
		const bytes = await peek(offset, 4096);
		if (offset === 0 && bytes.length > 0 && bytes.every((byte) => byte === 0xff)) return true;
		const page = decodePage(bytes);
		if (page) pages.push(page);
	}
	const newest = pages.sort((a, b) => (a.sequence < b.sequence ? 1 : -1))[0];
	return newest?.closed ?? false;
};

const decodePage = (bytes: Uint8Array): { readonly sequence: bigint; readonly closed: boolean } | undefined => {
	const place = { path: '$LogFile', offset: 0 };
	try {
		const { signature, areaAt } = restartPage.decode(bytes, place);
		if (signature !== 'RSTR') return undefined;
		const reader = byteReader(bytes, place);
		const { usedClients, flags } = restartArea.decode(reader.bytes(areaAt, restartArea.size), place);
		return { sequence: reader.bits64(areaAt), closed: usedClients === LOG.noClient || (flags & LOG.closed) !== 0 };
	} catch (error) {
		if (error instanceof VconvError) return undefined; // a page that was torn: the other one counts
		throw error;
	}
};

/**
 * Whether hiberfil.sys holds a session that is to go on: of a hibernated Windows, or of its kernel after a fast shutdown. Windows then
 * has parts of the volume in that file alone.
 */
export const hibernated = async (peek: Peek): Promise<boolean> => {
	const signature = String.fromCharCode(...(await peek(0, 4)));
	return /^(hibr|rstr)$/i.test(signature);
};
