import { chunkOf, Kind, SEGMENT, type Slot } from './board.ts';
import { native } from './native.ts';

type Ioctl = (fd: number, request: number, argument: Buffer) => number;

const FICLONERANGE = 0x4020940d;

/** File systems that share blocks share whole ones; none has smaller ones than this. */
const UNIT = 4096;

/** A part of a chunk, and where it lies in a file. */
type Part = { readonly fd: number; readonly at: number; readonly length: number };

/**
 * Has the file system let the target share a part of a chunk with the source, instead of writing it: ioctl_ficlonerange(2), on XFS, btrfs and others.
 * False where it cannot: the bytes are to be written then. After the first refusal it is not asked again.
 */
export const sharer = (): ((slot: Slot, from: number, length: number, fd: number, hostOffset: number) => boolean) => {
	let ioctl = native()?.load(null).func('int ioctl(int fd, unsigned long request, void *argument)') as Ioctl | undefined;
	const range = Buffer.alloc(32);
	return (slot, from, length, fd, hostOffset) => {
		if (!ioctl || hostOffset % UNIT !== 0) return false;
		const parts = partsOf(slot, from, length);
		if (!parts) return false;
		let to = hostOffset;
		for (const part of parts) {
			range.writeBigInt64LE(BigInt(part.fd), 0);
			range.writeBigUInt64LE(BigInt(part.at), 8);
			range.writeBigUInt64LE(BigInt(part.length), 16);
			range.writeBigUInt64LE(BigInt(to), 24);
			if (ioctl(fd, FICLONERANGE, range) !== 0) {
				ioctl = undefined;
				return false;
			}
			to += part.length;
		}
		return true;
	};
};

/** Where the bytes of a part of a chunk lie; undefined where not all of it lies in files as it is, in whole units. */
const partsOf = (slot: Slot, from: number, length: number): Part[] | undefined => {
	const { segments: s } = slot;
	const parts: Part[] = [];
	for (let i = 0; i < chunkOf(slot).segments; i++) {
		const base = i * SEGMENT.SIZE;
		const to = s[base + SEGMENT.TO] as number;
		const start = Math.max(to, from);
		const end = Math.min(to + (s[base + SEGMENT.LENGTH] as number), from + length);
		if (start >= end) continue;
		const at = (s[base + SEGMENT.AT] as number) + start - to;
		if (s[base + SEGMENT.KIND] !== Kind.DATA || at % UNIT !== 0 || (end - start) % UNIT !== 0) return undefined;
		parts.push({ fd: s[base + SEGMENT.FD] as number, at, length: end - start });
	}
	return parts;
};
