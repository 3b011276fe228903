import { decompress } from 'fzstd';

/** The portable zstd: it only unpacks. @throws Error if the frame is damaged or yields fewer or more than `size` bytes. */
export const unpackZstd = (bytes: Uint8Array, size: number): Uint8Array => {
	const frame = bytes.subarray(0, zstdFrame(bytes).length);
	// One byte more than there should be, so that a longer frame shows itself.
	const out = decompress(frame, new Uint8Array(size + 1));
	if (out.length !== size) throw new Error(`it yields ${out.length > size ? 'more than' : `${out.length} of`} ${size} bytes`);
	return out;
};

/**
 * How long the first frame is, and what it says it unpacks to. Bytes follow it up to the next sector of a QCOW2 image, and decoders
 * refuse those.
 * RFC 8878, sections 3.1.1 (frame header) and 3.1.1.2 (blocks).
 */
export const zstdFrame = (bytes: Uint8Array): { readonly length: number; readonly content: number | undefined } => {
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	if (bytes.length < 6 || view.getUint32(0, true) !== 0xfd2fb528) throw new Error('no zstd frame begins there');
	const descriptor = view.getUint8(4);
	const single = (descriptor & 0x20) !== 0;
	const contentSize = [single ? 1 : 0, 2, 4, 8][descriptor >> 6] as number;
	const dictionary = [0, 1, 2, 4][descriptor & 3] as number;
	const size = contentSize === 0 ? undefined : Number(sizeAt(view, 5 + (single ? 0 : 1) + dictionary, contentSize));
	let at = 5 + (single ? 0 : 1) + dictionary + contentSize;
	for (;;) {
		if (at + 3 > bytes.length) throw new Error('the zstd frame is cut short');
		const header = view.getUint16(at, true) | (view.getUint8(at + 2) << 16);
		const type = (header >> 1) & 3;
		if (type === 3) throw new Error('a zstd block has a reserved type');
		at += 3 + (type === 1 ? 1 : header >>> 3);
		if (header & 1) break;
	}
	if (descriptor & 4) at += 4;
	if (at > bytes.length) throw new Error('the zstd frame is cut short');
	return { length: at, content: size };
};

/** Two bytes count from 256 on. */
const sizeAt = (view: DataView, at: number, width: number): number | bigint => {
	if (at + width > view.byteLength) throw new Error('the zstd frame is cut short');
	if (width === 1) return view.getUint8(at);
	if (width === 2) return view.getUint16(at, true) + 256;
	return width === 4 ? view.getUint32(at, true) : view.getBigUint64(at, true);
};
