import { Decompress } from 'fzstd';

/**
 * The portable zstd: it only unpacks. The blocks are put under a header of our own, which says that they unpack to one segment of
 * `size` bytes: that is all the history they can need, and the decoder allocates whatever a header asks for.
 * @throws Error if the frame is damaged or yields fewer or more than `size` bytes.
 */
export const unpackZstd = (bytes: Uint8Array, size: number): Uint8Array => {
	const { length, content, blocks, checksum } = zstdFrame(bytes);
	if (content !== undefined && content !== size) throw new Error(`it yields ${content} of ${size} bytes`);
	const frame = new Uint8Array(HEADER + length - blocks);
	const view = new DataView(frame.buffer);
	view.setUint32(0, MAGIC, true);
	view.setUint8(4, SINGLE_SEGMENT | SIZE_32 | (checksum ? CHECKSUM : 0));
	view.setUint32(5, size, true);
	frame.set(bytes.subarray(blocks, length), HEADER);

	const out = new Uint8Array(size);
	let filled = 0;
	const decoder = new Decompress((part) => {
		if (filled + part.length > size) throw new Error(`it yields more than ${size} bytes`);
		out.set(part, filled);
		filled += part.length;
	});
	decoder.push(frame, true);
	if (filled !== size) throw new Error(`it yields ${filled} of ${size} bytes`);
	return out;
};

const MAGIC = 0xfd2fb528;
const HEADER = 9;
// RFC 8878, section 3.1.1.1.1: bits of the frame header descriptor.
const SIZE_32 = 0x80;
const SINGLE_SEGMENT = 0x20;
const RESERVED = 0x08;
const CHECKSUM = 0x04;
const DICTIONARY = 0x03;

export type ZstdFrame = {
	/** In bytes. */
	readonly length: number;
	/** What it says it unpacks to, in bytes. */
	readonly content: number | undefined;
	/** Where its blocks begin. */
	readonly blocks: number;
	/** Whether 4 bytes of checksum end it. */
	readonly checksum: boolean;
};

/**
 * The first frame. Bytes follow it up to the next sector of a QCOW2 image, and decoders refuse those.
 * RFC 8878, sections 3.1.1 (frame header) and 3.1.1.2 (blocks).
 */
export const zstdFrame = (bytes: Uint8Array): ZstdFrame => {
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	if (bytes.length < 6 || view.getUint32(0, true) !== MAGIC) throw new Error('no zstd frame begins there');
	const descriptor = view.getUint8(4);
	const single = (descriptor & SINGLE_SEGMENT) !== 0;
	const contentSize = [single ? 1 : 0, 2, 4, 8][descriptor >> 6] as number;
	if ((descriptor & (RESERVED | DICTIONARY)) !== 0) throw new Error('the zstd frame needs a dictionary, or makes no sense');
	const fields = 5 + (single ? 0 : 1);
	const content = contentSize === 0 ? undefined : Number(sizeAt(view, fields, contentSize));
	const blocks = fields + contentSize;
	let at = blocks;
	for (;;) {
		if (at + 3 > bytes.length) throw new Error('the zstd frame is cut short');
		const header = view.getUint16(at, true) | (view.getUint8(at + 2) << 16);
		const type = (header >> 1) & 3;
		if (type === 3) throw new Error('a zstd block has a reserved type');
		at += 3 + (type === 1 ? 1 : header >>> 3);
		if (header & 1) break;
	}
	const checksum = (descriptor & CHECKSUM) !== 0;
	if (checksum) at += 4;
	if (at > bytes.length) throw new Error('the zstd frame is cut short');
	return { length: at, content, blocks, checksum };
};

/** Two bytes count from 256 on. */
const sizeAt = (view: DataView, at: number, width: number): number | bigint => {
	if (at + width > view.byteLength) throw new Error('the zstd frame is cut short');
	if (width === 1) return view.getUint8(at);
	if (width === 2) return view.getUint16(at, true) + 256;
	return width === 4 ? view.getUint32(at, true) : view.getBigUint64(at, true);
};
