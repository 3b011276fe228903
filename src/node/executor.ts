import { alignUp } from '../bytes/align.ts';
import type { PackMethod } from '../core/disk.ts';
import type { Packing } from '../core/format.ts';
import { damaged } from '../disk/read.ts';
import { frameHead, packRoom, writeFrame } from '../engine/frame.ts';
import { type Board, chunkOf, Kind, SEGMENT, type Slot, State, setState, stateOf } from './board.ts';
import { readFully } from './file.ts';
import { nodeFiles } from './files.ts';
import { nodePacker } from './packer.ts';
import { writeFully } from './target.ts';
import { writeback } from './writeback.ts';

/** What an executor has to know of the layout; plain data, for it is sent to workers. */
export type Orders = {
	/** Bytes of the largest chunk. */
	readonly chunk: number;
	readonly block: number;
	readonly packing: Packing | undefined;
	readonly dense: boolean;
	/** Where the main thread places nothing: host offset minus guest offset. */
	readonly fixedAt: number | undefined;
	/** The descriptor of each target file. */
	readonly sinks: readonly number[];
	readonly names: readonly string[];
	/** Chunks that may wait for their places, in buffers of their own. */
	readonly depth: number;
	/** It is to be on disk in the end: begin early. */
	readonly durable: boolean;
};

/** A chunk read and packed, waiting for its places. */
type Waiting = {
	readonly slot: Slot;
	readonly buffer: Buffer;
	/** Of each block that is stored, where it lies in the buffer. */
	readonly at: Int32Array;
};

export type Executor = {
	/** Whether a further chunk may be taken on. */
	ready(): boolean;
	/** Read and pack a chunk, and say on the board what its blocks take. `bytes` are its bytes, where they are not to be read from files. */
	take(slot: Slot, bytes?: Uint8Array): void;
	/** Write the chunks that have got their places; whether there were any. */
	write(): boolean;
	/** Chunks that were taken and not written. */
	waiting(): number;
};

const ZEROS = Buffer.alloc(1 << 16);
const METHODS: Readonly<Record<number, PackMethod>> = { [Kind.DEFLATE]: 'deflate', [Kind.ZLIB]: 'zlib', [Kind.ZSTD]: 'zstd' };

/**
 * The work of one thread: synchronous reads and writes at offsets, in buffers that it keeps.
 * @param failed what to do about a chunk that could not be read or written.
 * @param nameOf what a message calls the file behind a descriptor.
 */
export const executor = (
	shared: Board,
	orders: Orders,
	failed: (slot: Slot, error: unknown) => void,
	nameOf: (fd: number) => string,
): Executor => {
	const { block, chunk, packing, dense } = orders;
	const packer = nodePacker();
	const room = packing ? alignUp(frameHead(packing) + packRoom(block), packing.frame?.align ?? 1) : block;
	const capacity = packing ? Math.ceil(chunk / block) * room : chunk;
	// One byte to spare behind each: see Packer.unpack.
	const make = (size: number): Buffer => Buffer.allocUnsafeSlow(size + 1);
	const hurry = orders.durable ? writeback() : undefined;
	const free: Buffer[] = [];
	const queue: Waiting[] = [];
	/** Where chunks are read to before they are packed, and where packed segments are read to. */
	const plain = packing ? make(chunk) : undefined;
	let scratch = Buffer.alloc(0);
	/** Streams of this chunk that can be stored again as they are: by where their block begins in it, where they are in `keep`. */
	const kept = new Map<number, { readonly from: number; readonly length: number }>();
	const keep = packing ? make(chunk) : undefined;
	let keeping = 0;

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
		const start = s[first * SEGMENT.SIZE + SEGMENT.AT] as number;
		let end = start;
		let until = first;
		for (; until < segments; until++) {
			const base = until * SEGMENT.SIZE;
			const at = s[base + SEGMENT.AT] as number;
			const stop = at + (s[base + SEGMENT.STORED] as number);
			if ((s[base + SEGMENT.KIND] as number) < Kind.DEFLATE || s[base + SEGMENT.FD] !== fd) break;
			if (until > first && (at < start || at > end + 65536 || stop - start > 2 * chunk)) break;
			end = Math.max(end, stop);
		}
		if (scratch.length < end - start) scratch = Buffer.allocUnsafeSlow(Math.max(end - start, chunk));
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
		const [to, length, kind, , at, stored, unpacked, skip] = s.subarray(base, base + SEGMENT.SIZE) as unknown as [
			number,
			number,
			number,
			number,
			number,
			number,
			number,
			number,
		];
		const method = METHODS[kind] as PackMethod;
		const from = at - start;
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
				kept.set(to, { from: keeping, length: taken });
				keeping += taken;
			}
			return;
		}
		const whole = make(unpacked);
		packer.unpack(method, scratch, from, stored, whole, 0, unpacked);
		whole.copy(into, to, skip, skip + length);
	};

	/** Put a block of the chunk into the buffer to be written, packed if that is shorter. Gives its stored length, negative if packed. */
	const pack = (from: Buffer, at: number, length: number, guestOffset: number, buffer: Buffer, to: number): number => {
		if (!packing) return length;
		const head = frameHead(packing);
		if (length < block) from.fill(0, at + length, at + block);
		const again = kept.get(at);
		if (again) keep?.copy(buffer, to + head, again.from, again.from + again.length);
		const packed = again
			? again.length
			: packer.pack(packing, from, at, block, buffer, to + head, packing.always ? packRoom(block) : packing.atMost);
		if (packed === 0) {
			if (packing.always) throw new Error('a block came out longer than deflate can make it');
			from.copy(buffer, to, at, at + length);
			return length;
		}
		if (!packing.frame) return -packed;
		writeFrame(packing, new DataView(buffer.buffer, buffer.byteOffset), to, guestOffset, packed);
		const whole = alignUp(head + packed, packing.frame.align);
		buffer.fill(0, to + head + packed, to + whole);
		return -whole;
	};

	/** Pack what is in `from` into a buffer to be written; says what it takes. Gives where each block lies; undefined if all are zeros. */
	const store = (slot: Slot, from: Buffer, buffer: Buffer): Int32Array | undefined => {
		const { guest, length } = chunkOf(slot);
		const at = new Int32Array(Math.ceil(length / block));
		let to = 0;
		let any = false;
		for (let i = 0; i < at.length; i++) {
			const start = i * block;
			const size = Math.min(block, length - start);
			slot.stored[i] = 0;
			if (!dense && isZero(from, start, size)) continue;
			if (!packing) to = start;
			const stored = pack(from, start, size, guest + start, buffer, to);
			slot.stored[i] = stored;
			at[i] = to;
			to += Math.abs(stored);
			any = true;
			if (orders.fixedAt !== undefined) slot.hosts[i] = orders.fixedAt + guest + start;
		}
		return any ? at : undefined;
	};

	const take = (slot: Slot, bytes?: Uint8Array): void => {
		const buffer = free.pop() ?? make(capacity);
		let at: Int32Array | undefined;
		try {
			kept.clear();
			keeping = 0;
			if (bytes) (plain ?? buffer).set(bytes);
			else read(slot, plain ?? buffer);
			at = store(slot, plain ?? buffer, buffer);
		} catch (error) {
			free.push(buffer);
			failed(slot, error);
			return;
		}
		if (at) queue.push({ slot, buffer, at });
		else free.push(buffer);
		setState(shared, slot, at && orders.fixedAt !== undefined ? State.PLACED : State.READ);
	};

	/** Blocks that adjoin both in the buffer and in the file are written as one. */
	const writeOne = ({ slot, buffer, at }: Waiting): void => {
		const { stored, hosts, files } = slot;
		for (let i = 0; i < at.length; ) {
			let length = Math.abs(stored[i] as number);
			if (length === 0) {
				i++;
				continue;
			}
			const first = i++;
			const from = at[first] as number;
			const host = hosts[first] as number;
			while (i < at.length && stored[i] !== 0 && hosts[i] === host + length && at[i] === from + length && files[i] === files[first]) {
				length += Math.abs(stored[i++] as number);
			}
			const file = files[first] as number;
			const fd = orders.sinks[file] as number;
			writeFully(nodeFiles, fd, buffer.subarray(from, from + length), host, orders.names[file] as string);
			hurry?.(fd, host, length);
		}
	};

	return {
		ready: () => queue.length < orders.depth,
		take,
		write() {
			let any = false;
			for (;;) {
				const first = queue[0];
				if (!first || stateOf(shared, first.slot) !== State.PLACED) return any;
				queue.shift();
				any = true;
				try {
					writeOne(first);
					setState(shared, first.slot, State.DONE);
				} catch (error) {
					failed(first.slot, error);
				} finally {
					free.push(first.buffer);
				}
			}
		},
		waiting: () => queue.length,
	};
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

/** Buffer.compare against zeros: 30 to 40 GB/s, where a loop over words reaches 6. */
const isZero = (bytes: Buffer, at: number, length: number): boolean => {
	if (bytes[at] !== 0 || bytes[at + length - 1] !== 0) return false;
	for (let done = 0; done < length; done += ZEROS.length) {
		const part = Math.min(ZEROS.length, length - done);
		if (bytes.compare(ZEROS, 0, part, at + done, at + done + part) !== 0) return false;
	}
	return true;
};
