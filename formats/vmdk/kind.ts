import { COWD_MAGIC, SESPARSE_MAGIC, SPARSE_MAGIC } from './layout.ts';

/** What kinds of VMDK files can be told by how they begin. A flat extent is none. */
export type Kind = 'sparse' | 'cowd' | 'seSparse' | 'descriptor';

/** So many bytes tell. */
export const KIND_HEAD = 1024;

/** Which kind of file begins so. */
export const kindOf = (head: Uint8Array): Kind | undefined => {
	if (head.length < 4) return undefined;
	const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
	const magic = view.getUint32(0, true);
	if (magic === SPARSE_MAGIC) return 'sparse';
	if (magic === COWD_MAGIC) return 'cowd';
	if (head.length >= 8 && view.getBigUint64(0, true) === SESPARSE_MAGIC) return 'seSparse';
	const text = new TextDecoder('latin1').decode(head.subarray(0, KIND_HEAD));
	return /^(ï»¿)?\s*#\s*Disk\s*Descriptor\s*File/i.test(text) ? 'descriptor' : undefined;
};
