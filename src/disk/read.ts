import type { Codec } from '../core/codec.ts';
import type { Disk, Extent, Packed } from '../core/disk.ts';
import { CorruptError } from '../errors.ts';

/** What the guest reads from a range of the disk; absent bytes are zero. The range must be within the disk. */
export const readDisk = async (
	disk: Disk,
	codec: Codec,
	guestOffset: number,
	length: number,
	signal?: AbortSignal,
): Promise<Uint8Array> => {
	let bytes: Uint8Array | undefined;
	for await (const extent of disk.extents(guestOffset, length, signal)) {
		const part = await readExtent(extent, codec, signal);
		if (extent.kind === 'data' && extent.length === length && part) return part;
		bytes ??= new Uint8Array(length);
		if (part) bytes.set(part, extent.offset - guestOffset);
	}
	return bytes ?? new Uint8Array(length);
};

/** The same into all of `bytes`, which may hold anything before. */
export const readDiskInto = async (
	disk: Disk,
	codec: Codec,
	guestOffset: number,
	bytes: Uint8Array,
	signal?: AbortSignal,
): Promise<void> => {
	for await (const extent of disk.extents(guestOffset, bytes.length, signal)) {
		const start = extent.offset - guestOffset;
		const room = bytes.subarray(start, start + extent.length);
		if (extent.kind === 'data' && extent.source.readInto) {
			await extent.source.readInto(extent.at, room, signal);
			continue;
		}
		const part = await readExtent(extent, codec, signal);
		if (part) room.set(part);
		else room.fill(0);
	}
};

/** The bytes of one extent; undefined where it reads as zeros. */
export const readExtent = async (extent: Extent, codec: Codec, signal?: AbortSignal): Promise<Uint8Array | undefined> => {
	switch (extent.kind) {
		case 'zero':
		case 'absent':
			return undefined;
		case 'data':
			return extent.source.read(extent.at, extent.length, signal);
		case 'computed':
			return extent.read(extent.offset, extent.length, signal);
		case 'packed': {
			const stored = await extent.source.read(extent.at, extent.stored, signal);
			return unpacked(extent, stored, codec).subarray(extent.skip, extent.skip + extent.length);
		}
	}
};

/** The whole unit that a packed extent is a part of. @throws CorruptError naming the place of the damaged stream. */
const unpacked = (
	extent: Pick<Packed, 'method' | 'unpacked' | 'at' | 'source'> & { readonly offset: number },
	stored: Uint8Array,
	codec: Codec,
): Uint8Array => {
	try {
		return codec.unpack(extent.method, stored, extent.unpacked);
	} catch (cause) {
		throw damaged(extent.method, extent.source.name, extent.at, extent.offset, cause);
	}
};

/** The error of packed data that cannot be unpacked: `at` in the file, for a guest offset. */
export const damaged = (method: string, path: string, at: number, guestOffset: number, cause: unknown): CorruptError =>
	new CorruptError(`the ${method} data of guest offset 0x${guestOffset.toString(16)} is damaged: ${(cause as Error).message}`, {
		path,
		offset: at,
		hint: 'a fresh copy: this one is damaged',
		cause,
	});
