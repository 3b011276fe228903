import { alignDown } from '../bytes/align.ts';
import type { PackMethod } from '../core/disk.ts';
import { damaged } from '../disk/read.ts';
import { chunkOf, Kind, SEGMENT, type Slot } from './board.ts';
import { readFully } from './file.ts';
import type { Orders } from './orders.ts';
import type { Packer } from './packer.ts';
import { pages } from './pages.ts';

const METHODS: Readonly<Record<number, PackMethod>> = { [Kind.DEFLATE]: 'deflate', [Kind.ZLIB]: 'zlib', [Kind.ZSTD]: 'zstd' };

/** Packed segments this far apart in the file, or less, are read as one. */
const GAP = 64 * 1024;

/** In bytes, of the kernel's page cache. */
const PAGE = 4096;

/** A packed stream of a source. */
type Stream = { readonly buffer: Buffer; readonly from: number; readonly length: number };

/** Brings the bytes of a chunk together. */
export type Gatherer = {
	/**
	 * Read and unpack all segments of the chunk into a buffer with a byte to spare, or take the bytes that are given instead.
	 * @throws VconvError with the place of what is damaged.
	 */
	gather(slot: Slot, into: Buffer, bytes?: Uint8Array): void;
	/** The stream that the block at this place of the last chunk was unpacked from, if it can be stored again as it is. */
	stream(at: number): Stream | undefined;
};

/** @param nameOf what a message calls the file behind a descriptor. */
export const gatherer = ({ chunk, block, packing }: Orders, packer: Packer, nameOf: (fd: number) => string): Gatherer => {
	let scratch = Buffer.alloc(0);
	const streams = new Map<number, Stream>();
	const keep = packing && Buffer.allocUnsafeSlow(chunk);
	let keeping = 0;

	const gather = (slot: Slot, into: Buffer, bytes?: Uint8Array): void => {
		streams.clear();
		keeping = 0;
		if (bytes) into.set(bytes);
		else read(slot, into);
	};

	const read = (slot: Slot, into: Buffer): void => {
		const { segments: s } = slot;
		const { segments } = chunkOf(slot);
		for (let i = 0; i < segments; ) {
			const base = i * SEGMENT.SIZE;
			const to = s[base + SEGMENT.TO] as number;
			const length = s[base + SEGMENT.LENGTH] as number;
			const kind = s[base + SEGMENT.KIND] as number;
			if (kind === Kind.ZERO) {
				into.fill(0, to, to + length);
				i++;
			} else if (kind === Kind.DATA) {
				const until = adjoining(s, i, segments);
				const last = until * SEGMENT.SIZE - SEGMENT.SIZE;
				const total = (s[last + SEGMENT.TO] as number) + (s[last + SEGMENT.LENGTH] as number) - to;
				readFully(
					s[base + SEGMENT.FD] as number,
					into.subarray(to, to + total),
					s[base + SEGMENT.AT] as number,
					nameOf(s[base + SEGMENT.FD] as number),
				);
				i = until;
			} else {
				i = readPacked(slot, i, segments, into);
			}
		}
	};

	/** Packed segments that lie close together in the file are read as one. Gives the index of the first segment behind them. */
	const readPacked = (slot: Slot, first: number, segments: number, into: Buffer): number => {
		const { segments: s } = slot;
		const fd = s[first * SEGMENT.SIZE + SEGMENT.FD] as number;
		const begin = s[first * SEGMENT.SIZE + SEGMENT.AT] as number;
		// From the page's beginning: the kernel copies two to four times slower to another place within a page (docs/decisions/0013).
		const start = alignDown(begin, PAGE);
		let end = begin;
		let until = first;
		for (; until < segments; until++) {
			const base = until * SEGMENT.SIZE;
			const at = s[base + SEGMENT.AT] as number;
			const stop = at + (s[base + SEGMENT.STORED] as number);
			if ((s[base + SEGMENT.KIND] as number) < Kind.DEFLATE || s[base + SEGMENT.FD] !== fd) break;
			if (until > first && (at < begin || at > end + GAP || stop - start > 2 * chunk)) break;
			end = Math.max(end, stop);
		}
		if (scratch.length < end - start) scratch = pages(Math.max(end - start, chunk));
		readFully(fd, scratch.subarray(0, end - start), start, nameOf(fd));
		for (let i = first; i < until; i++) {
			const base = i * SEGMENT.SIZE;
			try {
				unpack(s, base, start, into);
			} catch (cause) {
				const guest = chunkOf(slot).guest + (s[base + SEGMENT.TO] as number);
				throw damaged(METHODS[s[base + SEGMENT.KIND] as number] as PackMethod, nameOf(fd), s[base + SEGMENT.AT] as number, guest, cause);
			}
		}
		return until;
	};

	const unpack = (s: Float64Array, base: number, start: number, into: Buffer): void => {
		const number = (field: number): number => s[base + field] as number;
		const [to, length, unpacked, skip] = [number(SEGMENT.TO), number(SEGMENT.LENGTH), number(SEGMENT.UNPACKED), number(SEGMENT.SKIP)];
		const [stored, from] = [number(SEGMENT.STORED), number(SEGMENT.AT) - start];
		const method = METHODS[number(SEGMENT.KIND)] as PackMethod;
		if (skip === 0 && length === unpacked) {
			const taken = packer.unpack(method, scratch, from, stored, into, to, unpacked);
			if (
				keep &&
				method === packing?.method &&
				unpacked === block &&
				to % block === 0 &&
				taken <= packing.atMost &&
				keeping + taken <= chunk
			) {
				scratch.copy(keep, keeping, from, from + taken);
				streams.set(to, { buffer: keep, from: keeping, length: taken });
				keeping += taken;
			}
			return;
		}
		const whole = Buffer.allocUnsafeSlow(unpacked + 1);
		packer.unpack(method, scratch, from, stored, whole, 0, unpacked);
		whole.copy(into, to, skip, skip + length);
	};

	return { gather, stream: (at) => streams.get(at) };
};

/** The end of the run of data segments from `first` that adjoin in the file as they do in the chunk. */
const adjoining = (s: Float64Array, first: number, segments: number): number => {
	let until = first + 1;
	for (; until < segments; until++) {
		const base = until * SEGMENT.SIZE;
		const before = base - SEGMENT.SIZE;
		if (s[base + SEGMENT.KIND] !== Kind.DATA || s[base + SEGMENT.FD] !== s[before + SEGMENT.FD]) break;
		if (s[base + SEGMENT.AT] !== (s[before + SEGMENT.AT] as number) + (s[before + SEGMENT.LENGTH] as number)) break;
	}
	return until;
};
